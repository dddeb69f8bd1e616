import type { Column } from '../../job/index.ts'
import { decimalPlaces } from '../columns.ts'
import { exponent, type Pair, parts, send, sumOf, timesPower } from './state.ts'

const SCALED = '"moments scaled"'
const CENTRED = '"moments centred"'

/** One row for each pair of columns that any row holds both values of; for each pair over those rows. */
export function pairMoments(relation: string, columns: readonly Column[], pairs: readonly Pair[]): string {
  const values = columns.map(parts)
  const lists = `SELECT [${values.map(([high]) => high).join(', ')}] AS h, [${values.map(([, low]) => low).join(', ')}] AS l FROM ${relation}`
  const each = `SELECT unnest([${pairs.map(([i]) => i).join(', ')}]) AS i, unnest([${pairs.map(([, j]) => j).join(', ')}]) AS j`
  const paired = `SELECT p.i, p.j, b.h[p.i] AS x, b.l[p.i] AS u, b.h[p.j] AS y, b.l[p.j] AS v FROM (${lists}) AS b CROSS JOIN (${each}) AS p WHERE b.h[p.i] IS NOT NULL AND b.h[p.j] IS NOT NULL`
  const finite = 'isfinite(x) AND isfinite(y)'
  const range = (of: string, low: string): string =>
    `min(${of}) FILTER (WHERE ${finite}) AS ${of}0, max(${of}) FILTER (WHERE ${finite}) AS ${of}1, max(abs(${low})) FILTER (WHERE ${finite}) AS ${low}1`
  const ranges = `SELECT i, j, count(*) AS n, count(*) FILTER (WHERE NOT (${finite})) AS bad, ${range('x', 'u')}, ${range('y', 'v')} FROM (${paired}) AS r GROUP BY i, j`
  const middles = `SELECT *, x0 / 2 + x1 / 2 AS cx, y0 / 2 + y1 / 2 AS cy FROM (${ranges}) AS r`
  const scaled = `SELECT *, ${exponent('greatest(x1 - cx, cx - x0) + u1')} AS ex, ${exponent('greatest(y1 - cy, cy - y0) + v1')} AS ey FROM (${middles}) AS m`
  const dx = deviation('x', 'u', 'cx', 'ex')
  const dy = deviation('y', 'v', 'cy', 'ey')
  const rows = (centres: string, sums: string): string =>
    `SELECT r.i, r.j, ${sums} FROM (${paired}) AS r JOIN ${centres} AS c ON r.i = c.i AND r.j = c.j WHERE ${finite} GROUP BY r.i, r.j`
  const means = rows(SCALED, `(${sumOf(dx)}) AS tx, (${sumOf(dy)}) AS ty`)
  // from the middle to the mean, as a double of the column's own size
  const moved = (c: string, e: string, t: string): string => {
    const power = `coalesce(s.${e}, 0)`
    return timesPower(`${timesPower(`s.${c}`, `-${power}`)} + t.${t} / (s.n - s.bad)`, power)
  }
  const centred = `SELECT s.i, s.j, s.ex, s.ey, ${moved('cx', 'ex', 'tx')} AS cx, ${moved('cy', 'ey', 'ty')} AS cy FROM ${SCALED} AS s JOIN (${means}) AS t ON s.i = t.i AND s.j = t.j`
  const products = rows(
    CENTRED,
    `any_value(c.cx) AS cx, any_value(c.cy) AS cy, (${sumOf(dx)}) AS tx, (${sumOf(dy)}) AS ty, (${sumOf(`${dx} * ${dx}`)}) AS xx, (${sumOf(`${dy} * ${dy}`)}) AS yy, (${sumOf(`${dx} * ${dy}`)}) AS xy`
  )
  const good = '(s.n - s.bad)'
  const mean = `p.tx / ${good} AS mx, p.ty / ${good} AS my`
  const about = `p.xx - p.tx * p.tx / ${good} AS xx, p.yy - p.ty * p.ty / ${good} AS yy, p.xy - p.tx * p.ty / ${good} AS xy`
  const places = `[${columns.map(decimalPlaces).join(', ')}]`
  const state = `SELECT s.i, s.j, s.n, s.bad, p.cx, p.cy, s.ex, s.ey, ${mean}, ${about}, ${places}[s.i] AS sx, ${places}[s.j] AS sy FROM ${SCALED} AS s LEFT JOIN (${products}) AS p ON s.i = p.i AND s.j = p.j`
  return `WITH ${SCALED} AS MATERIALIZED (${scaled}), ${CENTRED} AS MATERIALIZED (${centred}) SELECT ${send()} FROM (${state}) AS s ORDER BY i, j`
}

/** Scaled before it is subtracted: a difference of two doubles may be none. */
function deviation(x: string, low: string, centre: string, power: string): string {
  const scaled = (term: string): string => timesPower(term, `-coalesce(c.${power}, 0)`)
  return `(${scaled(`r.${x}`)} - ${scaled(`c.${centre}`)} + ${scaled(`r.${low}`)})`
}
