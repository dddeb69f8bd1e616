import { checkActs } from './acts.ts'
import { answerOf } from './answer.ts'
import { checkRecords } from './check-records.ts'
import { checkDocuments } from './documents.ts'
import { checkLogs } from './logs.ts'
import { replayFile } from './replay-file.ts'
import type { AuditReport } from './report.ts'

/**
 * Goes through all stages of docs/audit-format.md §3 and stops at the first finding.
 *
 * @throws {AuditTooLarge}
 */
export async function checkExport(bytes: AsyncIterable<Uint8Array>): Promise<AuditReport> {
  const { finding, kept } = await checkRecords(bytes)
  if (finding !== null) return answerOf(kept, finding, null)
  const found = checkLogs(kept) ?? checkDocuments(kept)
  if (found !== null) return answerOf(kept, found, null)
  const replay = await replayFile(kept)
  return answerOf(kept, await checkActs(kept, replay), replay)
}
