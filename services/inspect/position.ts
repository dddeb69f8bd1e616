/** A byte offset of UTF-8 text as a character offset; undefined when it lies outside. */
export function characterOffset(text: string, bytes: number | undefined): number | undefined {
  if (bytes === undefined || bytes < 0) return undefined
  const encoded = Buffer.from(text)
  return bytes > encoded.length ? undefined : encoded.toString('utf8', 0, bytes).length
}
