import { checkActs } from './acts.ts'
import { answerOf, type Replayed } from './answer.ts'
import { checkRecords } from './check-records.ts'
import { checkDocuments } from './documents.ts'
import { checkLogs } from './logs.ts'
import type { AuditReport } from './report.ts'

/** Goes through all stages of docs/audit-format.md §3 and stops at the first finding. */
export async function checkExport(bytes: AsyncIterable<Uint8Array>): Promise<AuditReport> {
  const { finding, kept } = await checkRecords(bytes)
  if (finding !== null) return answerOf(kept, finding, none)
  const found = checkLogs(kept) ?? checkDocuments(kept) ?? (await checkActs(kept))
  return answerOf(kept, found, none)
}

const none: Replayed = () => false
