/**
 * A JSON value as a field of a CSV line (RFC 4180): NULL is nothing at all, an empty text is a pair of quotes, a list or
 * struct is its JSON.
 */
export function csvField(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value === '' ? '""' : quoted(value)
  return typeof value === 'object' ? quoted(JSON.stringify(value)) : String(value)
}

export function csvLine(fields: readonly string[]): string {
  return `${fields.join(',')}\n`
}

/** Leading and trailing blanks too: many readers cut them off otherwise. */
function quoted(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
