import { createReadStream } from 'node:fs'
import { hasCode } from '../../../../protocol/errors/index.ts'
import { type CheckedFile, checkRecords } from '../../../audit/index.ts'
import { UsageError } from '../../exit.ts'
import { plain } from '../../render/index.ts'

/** The exports in a file, each of which is what its exporter signed for. @throws {UsageError} */
export async function checkedFile(name: string, path: string): Promise<CheckedFile> {
  let checked: CheckedFile
  try {
    checked = await checkRecords(createReadStream(path))
  } catch (cause) {
    if (!hasCode(cause, 'ENOENT') && !hasCode(cause, 'EISDIR') && !hasCode(cause, 'EACCES')) throw cause
    throw new UsageError(`${name}: expected an audit export; it could not be read`, { cause })
  }
  const { finding } = checked
  if (finding === null) return checked
  throw new UsageError(
    `${name}: ${finding.code} at record ${finding.record}: ${plain(finding.reason)}; ask its exporter for a new one`
  )
}
