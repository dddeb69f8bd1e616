import type { Column } from '../../job/index.ts'
import { algorithmRefused } from '../algorithm.ts'
import { exponent, receive, STATE, send, timesPower, travelling } from './state.ts'

const OWN = '"moments own"'
const ORIGIN = '"moments origin"'

/** The state over all parties' rows. @throws {Failure} algorithm-parameters, for what are no states */
export function mergeMoments(relation: string, columns: readonly Column[], algorithm: string): string {
  const missing = STATE.some((name) => !columns.some((column) => column.name === travelling(name)))
  if (missing) throw algorithmRefused(`merge: expected states of "${algorithm}"`)
  const own = `SELECT ${receive()} FROM ${relation}`
  const order = STATE.slice(2).join(', ')
  const first = (name: string): string => `first(${name} ORDER BY ${order}) FILTER (WHERE n > bad)`
  const origin = `SELECT i, j, sum(n) AS n, sum(bad) AS bad, ${first('cx')} AS ox, ${first('cy')} AS oy, max(ex) AS ex, max(ey) AS ey, max(sx) AS sx, max(sy) AS sy FROM ${OWN} GROUP BY i, j`
  const apart = (c: string, o: string): string => exponent(`abs(p.${c} / 2 - q.${o} / 2)`)
  const power = (e: string, c: string, o: string): string =>
    `coalesce(greatest(max(q.${e}), max(${apart(c, o)}) + 1), 0)`
  const wide = `SELECT p.i, p.j, ${power('ex', 'cx', 'ox')} AS gx, ${power('ey', 'cy', 'oy')} AS gy FROM ${OWN} AS p JOIN ${ORIGIN} AS q ON p.i = q.i AND p.j = q.j WHERE p.n > p.bad GROUP BY p.i, p.j`
  const down = (term: string, by: string): string => `coalesce(${timesPower(`p.${term}`, by)}, 0)`
  const shifted = (c: string, o: string, e: string, g: string, m: string): string =>
    `${timesPower(`p.${c}`, `-w.${g}`)} - ${timesPower(`q.${o}`, `-w.${g}`)} + ${down(m, `p.${e} - w.${g}`)}`
  const parties = `SELECT p.i, p.j, CAST(p.n - p.bad AS DOUBLE) AS k, ${shifted('cx', 'ox', 'ex', 'gx', 'mx')} AS dx, ${shifted('cy', 'oy', 'ey', 'gy', 'my')} AS dy, ${down('xx', '2 * (p.ex - w.gx)')} AS xx, ${down('yy', '2 * (p.ey - w.gy)')} AS yy, ${down('xy', '(p.ex - w.gx) + (p.ey - w.gy)')} AS xy, w.gx, w.gy FROM ${OWN} AS p JOIN ${ORIGIN} AS q ON p.i = q.i AND p.j = q.j JOIN (${wide}) AS w ON p.i = w.i AND p.j = w.j WHERE p.n > p.bad`
  const listed = `SELECT i, j, any_value(gx) AS gx, any_value(gy) AS gy, list({'k': k, 'dx': dx, 'dy': dy, 'xx': xx, 'yy': yy, 'xy': xy} ORDER BY k, dx, dy, xx, yy, xy) AS p FROM (${parties}) AS p GROUP BY i, j`
  const total = (term: string): string => `list_sum(list_transform(p, lambda e: ${term}))`
  const means = `SELECT *, ${total('e.k * e.dx')} / ${total('e.k')} AS mx, ${total('e.k * e.dy')} / ${total('e.k')} AS my FROM (${listed}) AS l`
  const sums = `SELECT *, ${total('e.xx + e.k * (e.dx - mx) * (e.dx - mx)')} AS xx, ${total('e.yy + e.k * (e.dy - my) * (e.dy - my)')} AS yy, ${total('e.xy + e.k * (e.dx - mx) * (e.dy - my)')} AS xy FROM (${means}) AS m`
  const state = `SELECT q.i, q.j, q.n, q.bad, q.ox AS cx, q.oy AS cy, t.gx AS ex, t.gy AS ey, t.mx, t.my, t.xx, t.yy, t.xy, q.sx, q.sy FROM ${ORIGIN} AS q LEFT JOIN (${sums}) AS t ON q.i = t.i AND q.j = t.j`
  return `WITH ${OWN} AS MATERIALIZED (${own}), ${ORIGIN} AS MATERIALIZED (${origin}) SELECT ${send()} FROM (${state}) AS s`
}

/**
 * The same state in units of its own standard deviations: the power of two that it is scaled by otherwise tells how far the
 * outermost value lies.
 */
export function withoutRanges(state: string): string {
  const own = `SELECT ${receive()} FROM (${state}) AS s`
  const shift = (square: string, e: string): string =>
    `CASE WHEN ${square} > 0 THEN ${exponent(`sqrt(${square} / (n - bad))`)} ELSE -coalesce(${e}, 0) END`
  const shifted = `SELECT *, ${shift('xx', 'ex')} AS fx, ${shift('yy', 'ey')} AS fy FROM (${own}) AS o`
  const power = (square: string, e: string, f: string): string =>
    `CASE WHEN ${square} > 0 THEN coalesce(${e}, 0) + ${f} END AS ${e}`
  const down = (term: string, by: string): string => `${timesPower(term, `-(${by})`)} AS ${term}`
  const replaced = [
    power('xx', 'ex', 'fx'),
    power('yy', 'ey', 'fy'),
    down('mx', 'fx'),
    down('my', 'fy'),
    down('xx', '2 * fx'),
    down('yy', '2 * fy'),
    down('xy', 'fx + fy')
  ]
  return `SELECT ${send()} FROM (SELECT * REPLACE (${replaced.join(', ')}) FROM (${shifted}) AS f) AS s`
}

/**
 * What a state says of each pair: i, j, n; how many rows are `bad`; Pearson's r; xx, ex and sx of the first column, whose
 * standard deviation is `sqrt(xx / (n - 1)) * 2^ex / 10^sx`; and its mean, divided by `2^ex / 10^sx`.
 */
export function readMoments(state: string): string {
  const own = `SELECT * REPLACE (coalesce(ex, 0) AS ex) FROM (SELECT ${receive()} FROM (${state}) AS s) AS o`
  const r = 'CASE WHEN i = j THEN 1 ELSE greatest(-1, least(1, xy / sqrt(xx * yy))) END'
  return `SELECT i, j, n, bad, ex, sx, xx, CASE WHEN bad > 0 THEN CAST('nan' AS DOUBLE) WHEN xx > 0 AND yy > 0 THEN ${r} END AS r, ${timesPower('cx', '-ex')} + mx AS mean FROM (${own}) AS o`
}

/** SQL of `value * 2^power / 10^places`. */
export function inUnits(value: string, power: string, places: string): string {
  return `${timesPower(value, power)} / pow(10.0, ${places})`
}
