import { RecordScanner, type Shape } from './records.ts'

/** Asked in this order when several delimiters fit equally well. */
const USUAL = [',', ';', '\t', '|', ':', '^', '~', '\u0001', '\u001f']
/** Neither NUL, which no engine takes, nor what stands for broken bytes. */
const UNUSUAL = /[^\p{L}\p{N}\p{M}_\s."'()\0\uFFFD-]/gu
/** The head is read once for each: a line of a thousand odd signs would take minutes. */
const MAX_UNUSUAL = 16

/**
 * Finds the delimiter of a CSV file from its head: the one that cuts the most records into as many fields as the header.
 * A declared delimiter is never put to question.
 */
export function sniffDelimiter(head: Buffer, quote: number): string {
  const headerLine = head.toString('utf8', 0, 65_536).split(/[\r\n]/, 1)[0] ?? ''
  const unusual = [...new Set(headerLine.match(UNUSUAL) ?? [])]
    .filter((character) => !USUAL.includes(character))
    .slice(0, MAX_UNUSUAL)
  let best = ','
  let bestScore = 0
  for (const [rank, candidate] of [...USUAL, ...unusual].entries()) {
    if (!headerLine.includes(candidate)) continue
    const counts = fieldCounts(head, { delimiter: Buffer.from(candidate), quote })
    const header = counts[0] ?? 1
    if (header < 2) continue
    const agreeing = counts.filter((count) => count === header).length / counts.length
    if (rank >= USUAL.length && agreeing < 0.95) continue
    const score = agreeing * 1000 + Math.min(header, 500) / 10 - rank
    if (score > bestScore) {
      best = candidate
      bestScore = score
    }
  }
  return best
}

function fieldCounts(head: Buffer, shape: Shape): number[] {
  const counts: number[] = []
  const scanner = new RecordScanner(shape, { record: (fields) => counts.push(fields) })
  scanner.scan(head)
  if (counts.length === 0) scanner.end()
  return counts
}
