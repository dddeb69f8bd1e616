/** A table or column name as an SQL identifier; the only function that makes one. */
export function quoteName(name: string): string {
  if (name.includes('\0')) throw new RangeError('a name may not hold NUL')
  return `"${name.replaceAll('"', '""')}"`
}

/** A name as the engine compares it: ASCII letters alone have a case there, so `K` (U+212A) is not `k`. */
export function foldName(name: string): string {
  return name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

/** Whether the engine takes two names for the same. */
export function sameName(one: string, other: string): boolean {
  return foldName(one) === foldName(other)
}

/** A text as an SQL literal. */
export function quoteText(text: string): string {
  if (text.includes('\0')) throw new RangeError('a text may not hold NUL')
  return `'${text.replaceAll("'", "''")}'`
}

/** Texts as an SQL list literal. */
export function quoteList(texts: readonly string[]): string {
  return `[${texts.map(quoteText).join(', ')}]`
}
