import { mkdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Assignment } from '../../services/index.ts'
import type { JobFolder } from '../jobs/index.ts'
import type { HeldPart } from './held-part.ts'

/** Parts that arrived, by flow. */
export type Arrived = ReadonlyMap<number, HeldPart[]>

/** A flow into a job, as its section names it. */
interface FlowInput {
  flow: number
  organisations: readonly string[]
}

const MAX_LABEL = 128

/** Whose rows an input carries, as the job names it; the order of inputs follows from it. */
export function labelOf(organisations: readonly string[]): string {
  return organisations.join(',').slice(0, MAX_LABEL)
}

/** Where a part lies in a job's folder. */
function partPath(flow: number, index: number): string {
  return `in/${flow}/part-${index}.parquet`
}

/** A flow as an input of a job. */
export function inputOf(
  { flow, organisations }: FlowInput,
  arrived: Arrived
): Extract<Extract<Assignment, { kind: 'query' }>['inputs'][number], { kind: 'parts' }> {
  const paths = (arrived.get(flow) ?? []).map((_, index) => partPath(flow, index))
  return { kind: 'parts', from: labelOf(organisations), paths }
}

export function digestsOf(inputs: readonly FlowInput[], arrived: Arrived): string[] {
  return inputs.flatMap(({ flow }) => arrived.get(flow)?.map((part) => part.digest) ?? [])
}

/** Moves what arrived into a job's folder, where {@link inputOf} says it is. */
export async function placeInputs(
  inputs: readonly FlowInput[],
  arrived: Arrived,
  folder: JobFolder
): Promise<void> {
  for (const { flow } of inputs) {
    await mkdir(join(folder.path, dirname(partPath(flow, 0))), { recursive: true })
    for (const [index, part] of (arrived.get(flow) ?? []).entries())
      await rename(part.file, join(folder.path, partPath(flow, index)))
  }
}
