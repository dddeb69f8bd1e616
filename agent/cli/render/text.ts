/**
 * Texts of other organisations reach this terminal: control characters could rewrite what was printed before, and
 * bidirectional overrides could show another text than is there. Both are written out.
 */
const UNSAFE = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** One line that does nothing but show itself. */
export function plain(text: string): string {
  return text.replace(UNSAFE, (character) => {
    if (character === '\n') return '⏎'
    if (character === '\t') return ' '
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`
  })
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}]+$/u
/** East Asian Wide and Fullwidth (UAX #11) and what terminals draw as emoji: two cells. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u

function cellsOf(grapheme: string): number {
  if (ZERO.test(grapheme)) return 0
  return WIDE.test(grapheme) ? 2 : 1
}

/** Terminal cells that a text takes. */
export function widthOf(text: string): number {
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += cellsOf(segment)
  return width
}

/** At most so many cells, the cut marked. */
export function cut(text: string, cells: number): string {
  if (widthOf(text) <= cells) return text
  let kept = ''
  let width = 1
  for (const { segment } of graphemes.segment(text)) {
    width += cellsOf(segment)
    if (width > cells) break
    kept += segment
  }
  return `${kept}…`
}

export function padEnd(text: string, cells: number): string {
  return text + ' '.repeat(Math.max(0, cells - widthOf(text)))
}

export function padStart(text: string, cells: number): string {
  return ' '.repeat(Math.max(0, cells - widthOf(text))) + text
}
