import type { Basis } from '../audit/index.ts'
import type { decisionEntry } from './decision-entry.ts'

/** A decision about a row, and what it rested on. */
export interface RowDecision {
  entry: ReturnType<typeof decisionEntry>
  basis: Basis | undefined
}

/**
 * Decisions as they go into the log: what refused every row of a request in the same words is one decision, without a row.
 * Else whoever is refused could fill the log with one message.
 *
 * @param rows how many there are
 */
export function uniform(entries: readonly RowDecision[], rows: number): RowDecision[] {
  const [first] = entries
  if (first === undefined || rows < 2 || entries.length !== rows || first.entry.fields.verdict !== 'deny')
    return [...entries]
  const words = wordsOf(first)
  if (entries.some((entry) => wordsOf(entry) !== words)) return [...entries]
  const { row, ...fields } = first.entry.fields
  return [{ ...first, entry: { ...first.entry, fields } }]
}

function wordsOf({ entry }: RowDecision): string {
  return JSON.stringify({ ...entry.fields, row: null })
}
