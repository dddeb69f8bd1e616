/** What is to be known of numeric columns at a glance, a row for each. */
import type { Column } from '../../job/index.ts'
import { quoteName, quoteText } from '../../sql/index.ts'
import { type Algorithm, onlyParameters } from '../algorithm.ts'
import { algorithm as average } from '../average/index.ts'
import { columnsNamed, namesOf, numeric, wholeOnly } from '../columns.ts'
import { columnMoments, inUnits, readMoments } from '../moments/index.ts'

const LIMITS = { min: 1, max: 32 }

export const algorithm: Algorithm = ({ relation, columns, parameters, phase }) => {
  onlyParameters(parameters, ['columns'])
  // quartiles are values of the ordered union, which no state short of all values gives
  wholeOnly('describe', phase)
  const names = namesOf(parameters.columns, 'columns', LIMITS)
  const found = columnsNamed(names, 'columns', columns)
  for (const column of found) numeric(column, 'columns')
  const each = found.map((column, index) => facts(relation, column, names[index] ?? column.name, index + 1))
  const moments = readMoments(columnMoments(relation, found, false))
  const sd = `CASE WHEN m.bad > 0 THEN CAST('nan' AS DOUBLE) WHEN m.n > 1 THEN ${inUnits('sqrt(m.xx / (m.n - 1))', 'm.ex', 'm.sx')} END`
  return `SELECT f."column", f."count", f.nulls, f.mean, ${sd} AS sd, f."min", f.quartiles[1] AS q1, f.quartiles[2] AS median, f.quartiles[3] AS q3, f."max" FROM (${each.join(' UNION ALL ')}) AS f LEFT JOIN (${moments}) AS m ON m.i = f.place ORDER BY f.place`

  function facts(from: string, column: Column, name: string, place: number): string {
    const value = `CAST(${quoteName(column.name)} AS DOUBLE)`
    const parts = { relation: from, columns, parameters: { value: column.name }, phase: 'complete' } as const
    const quartiles = (of: string): string => `quantile_cont(${of}, [0.25, 0.5, 0.75])`
    // between two large values of opposite sign lies more than a double holds
    const safe = `CASE WHEN max(abs(${value})) FILTER (WHERE isfinite(${value})) > 8e307 THEN list_transform(${quartiles(`${value} / 4`)}, lambda q: q * 4) ELSE ${quartiles(value)} END`
    return `SELECT ${place} AS place, ${quoteText(name)} AS "column", count(${value}) AS "count", count(*) - count(${value}) AS nulls, (SELECT average FROM (${average(parts)}) AS a) AS mean, min(${value}) AS "min", max(${value}) AS "max", ${safe} AS quartiles FROM ${from}`
  }
}
