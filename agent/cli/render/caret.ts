import { plain, widthOf } from './text.ts'

/**
 * The line of a text that a position lies in, with a caret under the place.
 *
 * @param position character offset from 0
 */
export function caret(text: string, position: number): string {
  const at = Math.min(Math.max(position, 0), text.length)
  const start = text.lastIndexOf('\n', at - 1) + 1
  const end = text.indexOf('\n', start)
  const line = text.slice(start, end === -1 ? undefined : end)
  const number = text.slice(0, start).split('\n').length
  const gutter = `${number} │ `
  const before = widthOf(plain(text.slice(start, at)))
  return `${gutter}${plain(line)}\n${' '.repeat(widthOf(gutter) + before)}^`
}
