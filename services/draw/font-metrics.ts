/** Widths of letters, from a TrueType font's own tables: without them Vega guesses, and labels overlap or float. */
export interface FontMetrics {
  /** Of a text in one line, in pixels at a font size of one pixel. */
  width(text: string): number
}

/** Reads `cmap` (formats 4 and 12) and `hmtx`. The font is our own, so a broken one is a bug. */
export function readFontMetrics(font: Uint8Array): FontMetrics {
  const view = new DataView(font.buffer, font.byteOffset, font.byteLength)
  const tables = new Map<string, number>()
  for (let index = 0; index < view.getUint16(4); index++) {
    const at = 12 + index * 16
    const tag = String.fromCharCode(...font.subarray(at, at + 4))
    tables.set(tag, view.getUint32(at + 8))
  }
  const table = (tag: string): number => {
    const at = tables.get(tag)
    if (at === undefined) throw new Error(`the font has no table ${tag}`)
    return at
  }
  const unitsPerEm = view.getUint16(table('head') + 18)
  const metrics = view.getUint16(table('hhea') + 34)
  const widths = table('hmtx')
  const glyphs = readCharacters(view, table('cmap'))
  const advance = (glyph: number): number => view.getUint16(widths + 4 * Math.min(glyph, metrics - 1))
  const known = new Map<string, number>()
  const widthOf = (character: string): number => {
    const found = known.get(character)
    if (found !== undefined) return found
    const width = advance(glyphs.get(character.codePointAt(0) ?? 0) ?? 0) / unitsPerEm
    known.set(character, width)
    return width
  }
  return { width: (text) => [...text].reduce((sum, character) => sum + widthOf(character), 0) }
}

function readCharacters(view: DataView, cmap: number): Map<number, number> {
  const glyphs = new Map<number, number>()
  for (let index = 0; index < view.getUint16(cmap + 2); index++) {
    const at = cmap + view.getUint32(cmap + 4 + index * 8 + 4)
    const format = view.getUint16(at)
    if (format === 4) readSegments(view, at, glyphs)
    else if (format === 12) readGroups(view, at, glyphs)
  }
  return glyphs
}

function readSegments(view: DataView, at: number, glyphs: Map<number, number>): void {
  const double = view.getUint16(at + 6)
  for (let segment = 0; segment < double; segment += 2) {
    const end = view.getUint16(at + 14 + segment)
    const start = view.getUint16(at + 16 + double + segment)
    const delta = view.getUint16(at + 16 + 2 * double + segment)
    const offsets = at + 16 + 3 * double + segment
    const offset = view.getUint16(offsets)
    for (let code = start; code <= end && code !== 0xffff; code++) {
      const glyph = offset === 0 ? code : view.getUint16(offsets + offset + 2 * (code - start))
      if (glyph !== 0) glyphs.set(code, (glyph + delta) & 0xffff)
    }
  }
}

function readGroups(view: DataView, at: number, glyphs: Map<number, number>): void {
  for (let group = 0; group < view.getUint32(at + 12); group++) {
    const entry = at + 16 + group * 12
    const start = view.getUint32(entry)
    for (let code = start; code <= view.getUint32(entry + 4); code++)
      glyphs.set(code, view.getUint32(entry + 8) + code - start)
  }
}
