import { noStyle, type Style } from './style.ts'
import { cut, padEnd, padStart, plain, widthOf } from './text.ts'

export interface Column {
  title: string
  align?: 'left' | 'right'
}

/** A text, or a text that is not the value it looks like (NULL). */
export type Cell = string | { mark: string }

const GAP = '  '
const NARROWEST = 6

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? plain(cell) : cell.mark
}

/** Takes cells from the widest columns until the row fits; the narrow ones stay whole. */
function narrowed(widths: readonly number[], available: number): number[] {
  const left = widths.map((width) => Math.min(width, Math.max(available, NARROWEST)))
  let excess = left.reduce((sum, width) => sum + width, 0) + GAP.length * (left.length - 1) - available
  while (excess > 0) {
    const widest = Math.max(...left)
    if (widest <= NARROWEST) break
    left[left.indexOf(widest)] = widest - 1
    excess -= 1
  }
  return left
}

/**
 * An aligned table with its header.
 *
 * @param options.columns terminal cells a line may take; a narrower terminal cuts the widest columns
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  options: { columns?: number; style?: Style } = {}
): string {
  const style = options.style ?? noStyle
  const titles = columns.map(({ title }) => plain(title))
  const texts = rows.map((row) => columns.map((_, index) => textOf(row[index] ?? '')))
  const natural = titles.map((title, index) =>
    Math.max(widthOf(title), ...texts.map((row) => widthOf(row[index] ?? '')))
  )
  const widths = options.columns === undefined ? natural : narrowed(natural, options.columns)
  const line = (cells: readonly string[], paint: (text: string, index: number) => string) =>
    cells
      .map((text, index) => {
        const width = widths[index] ?? 0
        const pad = columns[index]?.align === 'right' ? padStart : padEnd
        const padded = pad(cut(text, width), width)
        return paint(padded, index)
      })
      .join(GAP)
      .trimEnd()
  return [
    line(titles, (text) => style.bold(text)),
    line(
      widths.map((width) => '─'.repeat(width)),
      (text) => style.dim(text)
    ),
    ...texts.map((row, index) =>
      line(row, (text, column) => (typeof rows[index]?.[column] === 'object' ? style.dim(text) : text))
    )
  ].join('\n')
}
