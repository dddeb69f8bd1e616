import type { decisionEntry } from './facts.ts'

type Entry = ReturnType<typeof decisionEntry>

/**
 * Decisions as they go into the log: what refused every row of a request in the same words is one decision, without a row.
 * Else whoever is refused could fill the log with one message.
 *
 * @param rows how many there are
 */
export function uniform(entries: readonly Entry[], rows: number): Entry[] {
  const [first] = entries
  if (first === undefined || rows < 2 || entries.length !== rows || first.fields.verdict !== 'deny')
    return [...entries]
  const words = wordsOf(first)
  if (entries.some((entry) => wordsOf(entry) !== words)) return [...entries]
  const { row, ...fields } = first.fields
  return [{ ...first, fields }]
}

function wordsOf({ fields }: Entry): string {
  return JSON.stringify({ ...fields, row: null })
}
