import type { ResultView } from '../../api/index.ts'
import type { Style } from './style.ts'
import { type Cell, table } from './table.ts'
import { plain } from './text.ts'
import { rowsInWords } from './units.ts'

const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|REAL|DECIMAL.*)$/i
const MOST_DECIMALS = 4
const LARGEST_PLAIN = 1e15

/** Decimals that show the column's values, so that points stand under each other. */
function decimalsFor(values: readonly unknown[]): number {
  const needed = values.map((value) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) return 0
    return (String(Number(value.toFixed(MOST_DECIMALS))).split('.')[1] ?? '').length
  })
  return Math.max(0, ...needed)
}

function numberText(value: number, decimals: number): string {
  const size = Math.abs(value)
  const tooSmall = size !== 0 && size < 10 ** -MOST_DECIMALS
  if (tooSmall || size >= LARGEST_PLAIN) return value.toPrecision(6)
  return value.toFixed(decimals)
}

function cellOf(value: unknown, decimals: number): Cell {
  if (value === null || value === undefined) return { mark: 'NULL' }
  if (typeof value === 'number') return numberText(value, decimals)
  if (typeof value === 'string') return value === '' || value === 'NULL' ? JSON.stringify(value) : value
  return JSON.stringify(value)
}

function captionOf(result: ResultView): string[] {
  const count = rowsInWords(result.rowCount)
  const shown = result.truncated ? `${count}, the first ${result.rows.length} shown` : count
  const withheld = result.suppressed
    .filter(({ groups }) => groups > 0)
    .map(
      ({ provider, groups }) => `${plain(provider)} withheld ${groups} small group${groups === 1 ? '' : 's'}`
    )
  return [`${shown} from ${result.from.map(plain).join(', ')}`, ...withheld, ...verifiedIn(result)]
}

/** Who gave the same. */
function verifiedIn({ verified }: ResultView): string[] {
  if (verified === undefined) return []
  const { of, at, digest, again } = verified
  const digits =
    digest === again
      ? `digest ${digest}`
      : `digests ${digest} and ${again}, which differ in the last digits of floats`
  return [`verified: ${plain(at)} ran again what ${plain(of)} ran, and gave the same (${plain(digits)})`]
}

/** `average (EUR)` */
function titleOf(column: string, units: ResultView['units'] = {}): string {
  return Object.hasOwn(units, column) ? `${column} (${units[column]})` : column
}

/** A result as a table; NULL is told apart from the text "NULL" and from an empty text. */
export function renderResult(result: ResultView, options: { columns?: number; style: Style }): string {
  const columns = result.columns.map((title, index) => ({
    title: titleOf(title, result.units),
    align: NUMERIC.test(result.types[index] ?? '') ? ('right' as const) : ('left' as const)
  }))
  const decimals = result.columns.map((_, index) => decimalsFor(result.rows.map((row) => row[index])))
  const rows = result.rows.map((row) => row.map((value, index) => cellOf(value, decimals[index] ?? 0)))
  return `${table(columns, rows, options)}\n${captionOf(result).map(options.style.dim).join('\n')}`
}
