import { randomUUID } from 'node:crypto'
import type { Isolation } from '../../protocol/documents/index.ts'
import type { Assignment, JobLimits, ReportOf, SourceTable } from '../../services/index.ts'
import { answers, parseReport, partsOf } from './answer.ts'
import { Connector, columnsToCopy, copyTables } from './connector.ts'
import { type ControlGroups, detectControlGroups } from './control-group.ts'
import { detectSandbox } from './detect-sandbox.ts'
import { JobFailed } from './errors.ts'
import { Inspector } from './inspector.ts'
import type { Host } from './jail-command.ts'
import { checkOutput, JobFolders } from './job-folder.ts'
import type { JobFolder, JobResult, Launcher, SandboxKind } from './launcher.ts'
import { type JobLogger, silent } from './logger.ts'
import { relocate, sourcesOf, withTables } from './sources.ts'
import { Starter } from './starter.ts'
import { WarmPool } from './warm-pool.ts'
import { memoryFailure, Watch } from './watch.ts'

export interface LauncherInit {
  /** Where folders of jobs are made. Emptied at the start: it belongs to the launcher alone. */
  folder: string
  /** The bundled runner, `dist/runner.js`. */
  runner: string
  /** The `node_modules` that holds `@duckdb`. */
  nodeModules: string
  sandbox: SandboxKind
  /**
   * Query sandboxes kept ready; each takes about 90 MiB.
   *
   * @default 1
   */
  warm?: number
  logger?: JobLogger
  /** The owner's data files, to keep a sandbox ready that sees them. */
  sources?: () => readonly string[]
  /**
   * How long after its last job a launcher starts sandboxes for the next ones.
   *
   * @default 500
   */
  refillAfterMilliseconds?: number
  /**
   * How long an inspection may take.
   *
   * @default 500
   */
  inspectMilliseconds?: number
  /**
   * Whether to use the kernel's control groups where this process may; otherwise the memory of jobs is watched.
   *
   * @default true
   */
  controlGroups?: boolean
  /**
   * Whether jobs are held to the allow list of system calls, where there is one. No configuration takes it away: tests do, to
   * attack what lies beneath.
   *
   * @default true
   */
  systemCalls?: boolean
}

const REFILL_AFTER_MS = 500

/**
 * Makes the launcher of this agent and wipes what a previous run left.
 *
 * @throws {JobFailed} sandbox-unavailable, with what would mend it, when bubblewrap is asked for and does not work here
 */
export async function createLauncher(init: LauncherInit): Promise<Launcher> {
  let host: Host | undefined
  if (init.sandbox === 'bubblewrap') {
    const found = await detectSandbox()
    if (found.kind === 'none') {
      throw new JobFailed('sandbox-unavailable', found.message, {
        hint: `no sandbox (${found.reason}); to mend it: ${found.mend}`
      })
    }
    host = init.systemCalls === false ? { ...found.host, filter: undefined } : found.host
  }
  const groups = init.controlGroups === false ? undefined : await detectControlGroups()
  const launcher = new JobLauncher(init, new Starter({ ...init, host, groups }), groups, host)
  await launcher.start()
  return launcher
}

class JobLauncher implements Launcher {
  readonly sandbox: SandboxKind
  readonly isolation: Readonly<Isolation>
  private readonly logger: JobLogger
  private readonly folders: JobFolders
  private readonly pool: WarmPool
  private readonly inspector: Inspector
  private readonly connector: Connector
  private readonly working = new Set<AbortController>()
  private readonly refillAfter: number
  private refilling: NodeJS.Timeout | undefined
  private stopped = false

  constructor(
    init: LauncherInit,
    private readonly starter: Starter,
    private readonly groups: ControlGroups | undefined,
    host: Host | undefined
  ) {
    this.sandbox = init.sandbox
    this.isolation = starter.isolation
    this.logger = init.logger ?? silent
    this.connector = new Connector({ ...init, host, logger: this.logger })
    this.refillAfter = init.refillAfterMilliseconds ?? REFILL_AFTER_MS
    this.folders = new JobFolders(init.folder, starter.handsOver)
    this.pool = new WarmPool(starter, this.folders, init.warm ?? 1, init.sources ?? (() => []), this.logger)
    this.inspector = new Inspector(
      starter,
      this.folders,
      groups,
      init.inspectMilliseconds ?? 500,
      this.logger
    )
  }

  async start(): Promise<void> {
    await this.folders.clear()
    await this.starter.touch()
    if (this.groups === undefined)
      this.logger.warn({}, 'no control groups: memory of jobs is watched, not limited by the kernel')
  }

  async folder(options: { for?: Assignment['kind'] } = {}): Promise<JobFolder> {
    const sources = options.for === 'extract' || options.for === 'profile'
    return this.pool.take(sources ? 'sources' : 'plain') ?? (await this.folders.make())
  }

  async run<K extends Exclude<Assignment['kind'], 'inspect'>>(
    assignment: Extract<Assignment, { kind: K }>,
    folder: JobFolder,
    limits: JobLimits,
    options: { signal?: AbortSignal } = {}
  ): Promise<JobResult<K>> {
    const { signal } = options
    if (signal?.aborted || this.stopped) throw new JobFailed('job-cancelled', 'cancelled before it began')
    const stopping = new AbortController()
    this.working.add(stopping)
    clearTimeout(this.refilling)
    try {
      const cancelled = signal === undefined ? stopping.signal : AbortSignal.any([signal, stopping.signal])
      return await this.runNow(assignment, folder, limits, cancelled)
    } finally {
      this.working.delete(stopping)
      this.refillLater()
    }
  }

  async inspect(
    assignment: Extract<Assignment, { kind: 'inspect' }>,
    options: { signal?: AbortSignal } = {}
  ): Promise<ReportOf<'inspect'>> {
    return await this.inspector.inspect(assignment, options.signal)
  }

  async look(tables: readonly SourceTable[], limits: JobLimits): Promise<string[]> {
    const versions = new Map<SourceTable, string>()
    for (const path of new Set(tables.map((table) => table.path))) {
      const here = tables.filter((table) => table.path === path)
      const folder = await this.folders.make()
      try {
        const wanted = here.map(({ table, name }) => ({ table: table ?? name }))
        const found = await this.connector.read(path, wanted, folder, limits)
        for (const [index, table] of here.entries()) versions.set(table, found[index]?.version ?? '')
      } finally {
        await folder.wipe()
      }
    }
    return tables.map((table) => versions.get(table) ?? '')
  }

  async prepare(): Promise<void> {
    await Promise.all([this.pool.fill(), this.inspector.prepare()])
  }

  async stop(): Promise<void> {
    this.stopped = true
    clearTimeout(this.refilling)
    for (const job of this.working) job.abort()
    await Promise.all([this.pool.stop(), this.inspector.stop()])
  }

  private async runNow<K extends Exclude<Assignment['kind'], 'inspect'>>(
    assignment: Extract<Assignment, { kind: K }>,
    folder: JobFolder,
    limits: JobLimits,
    signal: AbortSignal
  ): Promise<JobResult<K>> {
    const began = performance.now()
    const order: Assignment = await this.withCopies(assignment, folder, limits, signal)
    const { jail, files } =
      (await this.pool.claim(folder, order)) ?? (await this.starter.start(folder, sourcesOf(order)))
    const cancel = (): void => jail.kill(new JobFailed('job-cancelled', 'cancelled while it ran'))
    signal.addEventListener('abort', cancel, { once: true })
    const watch = new Watch(jail, folder.path, limits, this.groups, randomUUID())
    try {
      if (signal.aborted) cancel()
      // what the caller put into the folder was the agent's until now
      await this.folders.own(folder.path)
      await jail.ready
      await watch.start()
      const answer = await jail.ask(relocate(order, files), limits)
      jail.kill()
      await jail.exited
      const report = parseReport(answer.report)
      if (!answers(assignment, report))
        throw new JobFailed('internal', `a job of kind ${order.kind} answered ${report.kind}`)
      await checkOutput(folder.path, partsOf(report))
      return { report, usage: { ...answer.usage, milliseconds: performance.now() - began } }
    } catch (error) {
      jail.kill()
      await jail.exited
      if (await watch.stop()) throw memoryFailure(limits)
      throw error
    } finally {
      await watch.stop()
      signal.removeEventListener('abort', cancel)
      if (jail.log !== '')
        this.logger.debug({ kind: order.kind, log: jail.log }, 'what a job wrote for the local log')
    }
  }

  /** The same assignment over copies of what is on servers. */
  private async withCopies(
    assignment: Assignment,
    folder: JobFolder,
    limits: JobLimits,
    signal: AbortSignal
  ): Promise<Assignment> {
    const orders =
      assignment.kind === 'extract'
        ? assignment.tables.map(({ source, columns, where }) => ({
            source,
            columns: columnsToCopy(source, columns, where)
          }))
        : assignment.kind === 'profile'
          ? assignment.tables.map((source) => ({ source, columns: undefined }))
          : []
    const copies = orders.filter(({ source }) => source.format === 'postgres')
    if (copies.length === 0) return assignment
    const sandboxed = this.sandbox === 'bubblewrap'
    const made = await copyTables(this.connector, copies, folder, limits, { sandboxed, signal })
    return withTables(assignment, (table) => made.get(table) ?? table)
  }

  /** Starting a sandbox takes as much CPU as a small job: not between two jobs of one request. */
  private refillLater(): void {
    clearTimeout(this.refilling)
    if (this.stopped || this.working.size > 0) return
    this.refilling = setTimeout(() => this.refill(), this.refillAfter)
    this.refilling.unref()
  }

  private refill(): void {
    if (this.stopped) return
    this.pool
      .fill()
      .catch((reason: unknown) => this.logger.warn({ reason }, 'no sandbox could be kept ready'))
  }
}
