import { DynamosError } from '../../protocol/errors/index.ts'
import type { CheckedFile } from './check/index.ts'

/** The log no longer is what it was exported as: with both files anybody can show it. */
export class ExportContradicts extends DynamosError {
  static override readonly name = 'ExportContradicts'
  constructor(message: string) {
    super('export-contradicts', message)
  }
}

type KeptExport = CheckedFile['kept']['exports'][number]

/** The first entry of an export of which a later one of the same agent tells otherwise, or nothing. */
function firstDifference(earlier: KeptExport, later: KeptExport): number | null {
  for (let sequence = earlier.header.after.sequence; sequence <= earlier.last; sequence += 1)
    if (earlier.headAt(sequence)?.head !== later.headAt(sequence)?.head) return sequence
  return null
}

/**
 * That a new export goes on where an earlier one of the same request stood: each entry that was shown still has the head that
 * it had. A head stands for everything up to it, so nothing before was changed either.
 *
 * @param earlier without a finding
 * @throws {ExportContradicts} naming the first entry that differs
 */
export function assertContinues(earlier: CheckedFile, later: CheckedFile): void {
  const { finding } = later
  if (finding !== null)
    throw new ExportContradicts(
      `expected an export that is one chain, found ${finding.code} at record ${finding.record}${finding.sequence === null ? '' : `, entry ${finding.sequence}`}; nothing was written, look with dynamos audit verify`
    )
  for (const now of later.kept.exports) {
    const { peer } = now.header
    const then = earlier.kept.exportOf(peer)
    if (then === undefined)
      throw new ExportContradicts(
        `expected an earlier export of ${peer}, found none; open a file of this agent`
      )
    const sequence = firstDifference(then, now)
    if (sequence === null) continue
    const [was, is] = [then.headAt(sequence), now.headAt(sequence)]
    throw new ExportContradicts(
      `expected entry ${sequence} of the log as it was exported earlier (${was?.head}), found ${is === null ? 'none' : is.head}: the log was changed since; nothing was written, and the earlier file is the proof`
    )
  }
}
