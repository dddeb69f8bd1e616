import { copyFile, mkdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { PlacedStep } from '../../protocol/documents/index.ts'
import type { Assignment, Part, Step } from '../../services/index.ts'
import { RECIPIENT_SERVICES } from '../composition/index.ts'
import type { JobFolder, JobResult, JobUsage } from '../jobs/index.ts'
import { ShareFailed } from '../negotiation/index.ts'
import type { HeldPart } from './held-part.ts'
import type { ShareComponents } from './ports.ts'

type Runnable = Exclude<Assignment['kind'], 'inspect'>

export interface Spent extends JobUsage {
  wiped: { bytes: number; at: number }
}

/**
 * Runs one job in a folder of its own: `fill` brings its inputs, `take` moves out what is to be kept, then the folder is
 * wiped, whatever happened.
 */
export async function runJob<K extends Runnable, T>(
  components: Pick<ShareComponents, 'launcher' | 'limits' | 'clock'>,
  kind: K,
  assignment: Extract<Assignment, { kind: K }>,
  fill: (folder: JobFolder) => Promise<void>,
  take: (report: JobResult<K>['report'], folder: JobFolder) => Promise<T>,
  signal: AbortSignal
): Promise<{ taken: T; spent: Spent }> {
  const { launcher, limits, clock } = components
  const folder = await launcher.folder({ for: kind })
  try {
    await fill(folder)
    const { report, usage } = await launcher.run(assignment, folder, limits, { signal })
    const taken = await take(report, folder)
    return { taken, spent: { ...usage, wiped: { bytes: await folder.wipe(), at: clock.now() } } }
  } catch (error) {
    await folder.wipe()
    throw error
  }
}

/** Moves parts out of a job's folder into one of the agent's. */
export async function moveParts(parts: readonly Part[], folder: JobFolder, to: string): Promise<HeldPart[]> {
  await mkdir(to, { recursive: true, mode: 0o700 })
  const held: HeldPart[] = []
  for (const [index, part] of parts.entries()) {
    const file = join(to, `part-${index}.parquet`)
    await rename(join(folder.path, part.path), file)
    held.push({ file, bytes: part.bytes, rows: part.rows, digest: part.digest })
  }
  return held
}

const PART_BYTES = 8 * 1024 * 1024

type RowsJob = Extract<Assignment, { kind: 'query' }>

/** Runs steps over rows in one job, whose output goes out by a flow. */
export async function runSteps(
  components: Pick<ShareComponents, 'launcher' | 'limits' | 'clock' | 'outbox'>,
  order: Pick<RowsJob, 'inputs' | 'steps'> & {
    contract: string
    flow: number
    /** Where the groups in the rows are protected. */
    protect?: RowsJob['protect']
    /** The terms' limit, where the rows are a result. */
    maxRows: number | null
  },
  fill: (folder: JobFolder) => Promise<void>,
  signal: AbortSignal
): Promise<{
  parts: HeldPart[]
  report: JobResult<'query'>['report']
  /** What the job says is to be remembered of the groups that leave. */
  released: string
  spent: Spent
}> {
  const { contract, flow, maxRows, inputs, steps, protect } = order
  const { taken, spent } = await runJob(
    components,
    'query',
    {
      kind: 'query',
      inputs,
      steps,
      ...(protect === undefined ? {} : { protect }),
      ...(maxRows !== null && maxRows > 0 ? { maxRows } : {}),
      partBytes: PART_BYTES
    },
    fill,
    async (report, folder) => ({
      parts: await moveParts(report.parts, folder, join(components.outbox, contract, `${flow}`)),
      report,
      released:
        report.released === undefined ? '' : await readFile(join(folder.path, report.released.path), 'utf8')
    }),
    signal
  )
  return { ...taken, spent }
}

/** Moves a file out of a job's folder: results may lie on another disk than the jobs. */
export async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch {
    await copyFile(from, to)
  }
}

/** The steps of a party over rows; what is done where results are put together is not among them. */
export function ownSteps(chain: readonly PlacedStep[], self: string): PlacedStep[] {
  return chain.filter((step) => step.at === self && !RECIPIENT_SERVICES.has(step.service))
}

/**
 * A chain that was agreed is run whole or not at all: a step that would be passed over, an algorithm say, would let through
 * what it was to hold back.
 *
 * @throws {ShareFailed} `contract-invalid`
 */
export function assertEveryStep(
  chain: readonly { service: string }[],
  steps: readonly Step[],
  self: string
): void {
  const agreed = chain.map((step) => step.service).join(', ')
  const planned = steps.map((step) => step.service).join(', ')
  if (agreed === planned) return
  throw new ShareFailed(
    { hop: self, code: 'contract-invalid', step: null, position: null },
    `expected to run ${agreed}, found ${planned}`
  )
}
