import { type Approval, formatDuration } from '../../policy/index.ts'
import type { RowAnswer } from '../../protocol/documents/index.ts'
import type { Agreement } from '../agreements/index.ts'
import { MAX_PENDING } from '../approvals/index.ts'
import { refuse } from './components.ts'

function needsApproval(row: RowAnswer): boolean {
  return row.verdict === 'refuse' && row.refusal.code === 'approval-required'
}

/** Whether an answer has to wait for people: nothing is permitted without them, and something would be with them. */
export function mustWait(rows: readonly RowAnswer[]): boolean {
  return rows.every((row) => row.verdict === 'refuse') && rows.some(needsApproval)
}

/** The answer when so many of that organisation wait already that nobody is asked about one more. */
export function tooManyWait(rows: readonly RowAnswer[], organisation: string): RowAnswer[] {
  const reason = `${MAX_PENDING} requests of ${organisation} wait for an approval here already; ask again when some are decided`
  return rows.map((row) =>
    needsApproval(row) ? { row: row.row, verdict: 'refuse', refusal: refuse('busy', reason) } : row
  )
}

/** For whoever only wants to know: that a request like this would have to be approved. */
export function approvalNote(agreement: Agreement | undefined, approval: Approval | undefined): string[] {
  const clause = agreement?.payload.terms.approval
  if (agreement === undefined || clause === undefined || approval?.state === 'approved') return []
  const { name, provider } = agreement.payload
  return [
    `${provider}: ${clause.by.join(' or ')} has to approve it first, within ${formatDuration(clause.within)} (${name}#approval)`
  ]
}
