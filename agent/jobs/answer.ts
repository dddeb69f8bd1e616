import { z } from 'zod'
import { type Assignment, type Part, type Report, type ReportOf, report } from '../../services/index.ts'
import { JobFailed } from './errors.ts'

const answer = z.strictObject({
  report,
  usage: z.strictObject({ cpuSeconds: z.number().nonnegative(), maxRss: z.number().nonnegative() })
})
export type JobAnswer = z.infer<typeof answer>

/** A runner is not believed: an analyst's statement may have broken it. */
export function parseAnswer(line: string): JobAnswer {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw new JobFailed('internal', 'the runner answered something that is no JSON', { cause })
  }
  const parsed = answer.safeParse(value)
  if (!parsed.success)
    throw new JobFailed('internal', `the runner's answer: ${z.prettifyError(parsed.error)}`, {
      cause: parsed.error
    })
  return parsed.data
}

/**
 * What a job found, when it did not fail.
 *
 * @throws {JobFailed} with the runner's own code
 */
export function parseReport(found: Report): Exclude<Report, { kind: 'error' }> {
  if (found.kind !== 'error') return found
  throw new JobFailed(found.code, found.message, { hint: found.hint, position: found.position })
}

/** Whether a report is of the kind that an assignment asks for. */
export function answers<K extends Assignment['kind']>(
  asked: Extract<Assignment, { kind: K }>,
  found: Report
): found is ReportOf<K> {
  const { kind }: Assignment = asked
  return found.kind === kind
}

/** The files a report speaks of. */
export function partsOf(found: Report): Part[] {
  switch (found.kind) {
    case 'extract':
      return found.tables.map((table) => table.part)
    case 'query':
      return found.kind === 'query' && found.released !== undefined
        ? [...found.parts, found.released]
        : found.parts
    case 'convert':
      return found.results.flatMap((result) => [
        result.parquet,
        ...(result.csv === undefined ? [] : [result.csv]),
        ...(result.graph?.files.map((file) => file.part) ?? [])
      ])
    case 'export':
      return [found.file]
    default:
      return []
  }
}
