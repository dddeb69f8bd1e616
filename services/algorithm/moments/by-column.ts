import type { Column } from '../../job/index.ts'
import { quoteName } from '../../sql/index.ts'
import { decimalPlaces } from '../columns.ts'
import { exponent, type Pair, pairsOf, parts, send, sumOf, timesPower } from './state.ts'

const BASE = '"moments base"'
const RANGES = '"moments ranges"'
const MEANS = '"moments means"'

/**
 * The same state where each column has one set of rows, which takes fewer sums than one set for each pair: each column with
 * itself over the rows that hold its value, or with `together` every pair over the rows that hold a value of every column.
 */
export function columnMoments(relation: string, columns: readonly Column[], together: boolean): string {
  const places = columns.map((_, index) => index + 1)
  const pairs: Pair[] = together ? pairsOf(columns.length) : places.map((k): Pair => [k, k])
  const lists = (of: (k: number) => string): string => places.map(of).join(', ')
  const values = columns.map((column, index) => {
    const [high, low] = parts(column)
    return `${high} AS v${index + 1}, ${low} AS w${index + 1}`
  })
  const whole = together
    ? ` WHERE ${columns.map(({ name }) => `${quoteName(name)} IS NOT NULL`).join(' AND ')}`
    : ''
  const given = `SELECT ${values.join(', ')} FROM ${relation}${whole}`
  const every = places.map((k) => `isfinite(v${k})`).join(' AND ')
  const finite = (k: number): string => (together ? every : `isfinite(v${k})`)
  const base = `SELECT ${lists((k) => `v${k} IS NOT NULL AS h${k}, CASE WHEN ${finite(k)} THEN v${k} END AS x${k}, w${k} AS u${k}`)} FROM (${given}) AS g`
  const ranges = `SELECT ${lists((k) => `count(*) FILTER (WHERE h${k}) AS n${k}, count(x${k}) AS k${k}, min(x${k}) AS l${k}, max(x${k}) AS g${k}, max(abs(u${k})) AS u${k}`)} FROM ${BASE}`
  const middles = `SELECT *, ${lists((k) => `l${k} / 2 + g${k} / 2 AS c${k}`)} FROM (${ranges}) AS r`
  const scaled = `SELECT *, ${lists((k) => `${exponent(`greatest(g${k} - c${k}, c${k} - l${k}) + u${k}`)} AS e${k}`)} FROM (${middles}) AS r`
  const power = (k: number): string => `coalesce(c.e${k}, 0)`
  // scaled before it is subtracted: a difference of two doubles may be none
  const deviation = (k: number): string =>
    `${timesPower(`b.x${k}`, `-${power(k)}`)} - ${timesPower(`c.c${k}`, `-${power(k)}`)} + ${timesPower(`b.u${k}`, `-${power(k)}`)}`
  const deviations = (centres: string): string =>
    `SELECT ${lists((k) => `${deviation(k)} AS d${k}`)} FROM ${BASE} AS b CROSS JOIN ${centres} AS c`
  const offsets = `SELECT ${lists((k) => `${sumOf(`d${k}`)} AS t${k}`)} FROM (${deviations(RANGES)}) AS d`
  // from the middle to the mean, as a double of the column's own size
  const mean = (k: number): string =>
    timesPower(`${timesPower(`c.c${k}`, `-${power(k)}`)} + o.t${k} / c.k${k}`, power(k))
  const means = `SELECT ${lists((k) => `c.n${k}, c.k${k}, c.e${k}, ${mean(k)} AS c${k}`)} FROM ${RANGES} AS c CROSS JOIN (${offsets}) AS o`
  const products = pairs.map(([i, j], index) => `${sumOf(`d${i} * d${j}`)} AS p${index + 1}`)
  const sums = `SELECT ${lists((k) => `${sumOf(`d${k}`)} AS t${k}`)}, ${products.join(', ')} FROM (${deviations(MEANS)}) AS d`
  const square = (k: number): number => pairs.findIndex(([i, j]) => i === k && j === k) + 1
  const about = (i: number, j: number, index: number): string => `s.p${index} - s.t${i} * s.t${j} / c.k${i}`
  const rows = pairs.map(([i, j], index) => {
    const [first, second] = [columns[i - 1], columns[j - 1]]
    const decimals = [first, second].map((column) => (column === undefined ? 0 : decimalPlaces(column)))
    return `{'i': ${i}, 'j': ${j}, 'n': c.n${i}, 'bad': c.n${i} - c.k${i}, 'cx': c.c${i}, 'cy': c.c${j}, 'ex': c.e${i}, 'ey': c.e${j}, 'mx': s.t${i} / c.k${i}, 'my': s.t${j} / c.k${j}, 'xx': ${about(i, i, square(i))}, 'yy': ${about(j, j, square(j))}, 'xy': ${about(i, j, index + 1)}, 'sx': ${decimals[0]}, 'sy': ${decimals[1]}}`
  })
  const state = `SELECT unnest([${rows.join(', ')}], recursive := true) FROM ${MEANS} AS c CROSS JOIN (${sums}) AS s`
  return `WITH ${BASE} AS NOT MATERIALIZED (${base}), ${RANGES} AS MATERIALIZED (${scaled}), ${MEANS} AS MATERIALIZED (${means}) SELECT ${send()} FROM (${state}) AS s WHERE n > 0 ORDER BY i, j`
}
