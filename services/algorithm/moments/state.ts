import type { Column } from '../../job/index.ts'
import { isDouble, quoteName } from '../../sql/index.ts'
import { unscaled } from '../columns.ts'
import { asDouble } from '../exact-sum/index.ts'

/** Columns by their place in a list, from 1. */
export type Pair = readonly [number, number]

/** Every pair of `count` columns, each column with itself too. */
export function pairsOf(count: number): Pair[] {
  const places = Array.from({ length: count }, (_, index) => index + 1)
  return places.flatMap((i) => places.slice(i - 1).map((j): Pair => [i, j]))
}

/**
 * A pair i, j of columns: n rows, of which `bad` hold NaN or an infinity and are in none of the sums; centre c and exponent e of
 * each column, e NULL when all its values are equal; mean m, and sums of squares and products xx, yy, xy about the mean, of
 * (value - c) / 2^e; decimal places s of values that were taken as whole numbers.
 */
export const STATE = ['i', 'j', 'n', 'bad', 'cx', 'cy', 'ex', 'ey', 'mx', 'my', 'xx', 'yy', 'xy', 'sx', 'sy']

/** How a state's columns are called on their way, so that they are recognised. */
export const travelling = (name: string): string => `moments.${name}`

/** The columns of a state, to be sent. */
export function send(): string {
  return STATE.map((name) => `CAST(${name} AS ${typeOf(name)}) AS ${quoteName(travelling(name))}`).join(', ')
}

/** The columns of a state that came, by their short names. */
export function receive(): string {
  return STATE.map((name) => `${quoteName(travelling(name))} AS ${name}`).join(', ')
}

function typeOf(name: string): string {
  if (name === 'n' || name === 'bad') return 'BIGINT'
  return ['i', 'j', 'ex', 'ey', 'sx', 'sy'].includes(name) ? 'INTEGER' : 'DOUBLE'
}

/** A value as a double, and what that rounds away. */
export function parts(column: Column): [high: string, low: string] {
  if (isDouble(column.type)) return [`CAST(${quoteName(column.name)} AS DOUBLE)`, 'CAST(0 AS DOUBLE)']
  const whole = unscaled(column)
  const high = asDouble(whole)
  return [high, `CAST(${whole} - CAST(${high} AS HUGEINT) AS DOUBLE)`]
}

/** `term * 2^power` without a factor that is no normal double. */
export function timesPower(term: string, power: string): string {
  return `(${term}) * pow(2.0, (${power}) // 2) * pow(2.0, (${power}) - (${power}) // 2)`
}

/** The power of two above a width; NULL for a width of 0, which is small beside any other. */
export function exponent(width: string): string {
  return `CASE WHEN (${width}) > 0 THEN CAST(floor(log2(${width})) AS INTEGER) + 1 END`
}

/** The sum of what is about 1 in size, as a whole number of 2^-88: no order of rows changes a bit of it. */
export function sumOf(term: string): string {
  return `${asDouble(`sum(CAST((${term}) * pow(2.0, 88) AS HUGEINT))`)} / pow(2.0, 88)`
}
