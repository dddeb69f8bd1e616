import type { RowAnswer } from '../../protocol/documents/index.ts'

/** Of the 256 KiB that an answer may take: an offer that is larger never arrives. */
const MOST_BYTES = 96 * 1024

/**
 * Answers whose lists of what would be acceptable fit together into one offer. Rows are refused for the same reason more often
 * than not, so the first of them keep theirs; a later one still says code, clause and reason.
 */
export function fittingOffer(rows: readonly RowAnswer[]): RowAnswer[] {
  let left = MOST_BYTES
  return rows.map((answer) => {
    if (answer.verdict === 'permit' || answer.refusal.acceptable === null) return answer
    const bytes = Buffer.byteLength(JSON.stringify(answer.refusal.acceptable))
    if (bytes > left) return { ...answer, refusal: { ...answer.refusal, acceptable: null } }
    left -= bytes
    return answer
  })
}
