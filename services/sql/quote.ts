/** A table or column name as an SQL identifier; the only function that makes one. */
export function quoteName(name: string): string {
  if (name.includes('\0')) throw new RangeError('a name may not hold NUL')
  return `"${name.replaceAll('"', '""')}"`
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
