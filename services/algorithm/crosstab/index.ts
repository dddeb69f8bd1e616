/** How often each value of one column meets each of another, with what independence would let expect and Pearson's chi-squared. */
import type { Column } from '../../job/index.ts'
import { quoteName } from '../../sql/index.ts'
import { type Algorithm, algorithmRefused, onlyParameters } from '../algorithm.ts'
import { atMostCells, emptyCell, oneColumn } from '../columns.ts'
import { withChiSquaredTail } from '../tails/index.ts'

const ROW = quoteName('crosstab.row')
const COLUMN = quoteName('crosstab.column')
const COUNT = quoteName('crosstab.count')

const CELLS = '"crosstab cells"'
const ROWS = '"crosstab rows"'
const COLUMNS = '"crosstab columns"'

export const algorithm: Algorithm = ({ relation, columns, parameters, phase }) => {
  onlyParameters(parameters, ['rows', 'columns'])
  if (phase === 'merge') return finish(merged(relation, columns), emptyCell(relation, 'crosstab.count'))
  const row = quoteName(oneColumn(parameters.rows, 'rows', columns).name)
  const column = quoteName(oneColumn(parameters.columns, 'columns', columns).name)
  const state = `SELECT ${row} AS ${ROW}, ${column} AS ${COLUMN}, count(*) AS ${COUNT} FROM ${relation} GROUP BY ${row}, ${column}`
  return phase === 'partial' ? `${state} ORDER BY ${ROW} NULLS LAST, ${COLUMN} NULLS LAST` : finish(state)
}

function merged(relation: string, columns: readonly Column[]): string {
  const missing = [ROW, COLUMN, COUNT].some((name) => !columns.some((one) => quoteName(one.name) === name))
  if (missing) throw algorithmRefused('merge: expected states of "crosstab"')
  return `SELECT ${ROW}, ${COLUMN}, sum(${COUNT}) AS ${COUNT} FROM ${relation} WHERE ${COUNT} IS NOT NULL GROUP BY ${ROW}, ${COLUMN}`
}

/** @param empty what a cell without a count shows; where it is NULL, totals and what rests on them are unknown too */
function finish(state: string, empty = '0'): string {
  const cells = `SELECT ${ROW} AS r, ${COLUMN} AS c, CAST(${COUNT} AS HUGEINT) AS o FROM (${state}) AS s`
  const rows = `SELECT r, sum(o) + ${empty} AS total FROM ${CELLS} GROUP BY r`
  const columns = `SELECT c, sum(o) + ${empty} AS total FROM ${CELLS} GROUP BY c`
  const sizes = `(SELECT count(*) FROM ${ROWS}) * (SELECT count(*) FROM ${COLUMNS})`
  const grid = `SELECT r.r, c.c, r.total AS rt, c.total AS ct, (SELECT sum(o) FROM ${CELLS}) AS n FROM ${ROWS} AS r CROSS JOIN ${COLUMNS} AS c WHERE ${atMostCells('crosstab', sizes)}`
  const filled = `SELECT g.*, coalesce(x.o, ${empty}) AS o FROM (${grid}) AS g LEFT JOIN ${CELLS} AS x ON g.r IS NOT DISTINCT FROM x.r AND g.c IS NOT DISTINCT FROM x.c`
  // whole numbers up to the division, so that what is expected exactly differs by nothing
  const term = 'pow(CAST(o * n - rt * ct AS DOUBLE), 2) / (CAST(n AS DOUBLE) * CAST(rt * ct AS DOUBLE))'
  const terms = `SELECT *, ${term} AS term FROM (${filled}) AS f`
  const df = `((SELECT count(*) FROM ${ROWS}) - 1) * ((SELECT count(*) FROM ${COLUMNS}) - 1) + ${empty}`
  const test = `SELECT list_sum(list(term ORDER BY term)) AS chi2, ${df} AS df FROM "crosstab terms"`
  const tested = withChiSquaredTail(
    `SELECT CASE WHEN df > 0 THEN chi2 END AS chi2, df FROM (${test}) AS t`,
    'chi2',
    'df',
    'p'
  )
  const order = 'ORDER BY r NULLS LAST, c NULLS LAST'
  return `WITH ${CELLS} AS MATERIALIZED (${cells}), ${ROWS} AS MATERIALIZED (${rows}), ${COLUMNS} AS MATERIALIZED (${columns}), "crosstab terms" AS MATERIALIZED (${terms}) SELECT r AS "row", c AS "column", CAST(o AS BIGINT) AS "count", CAST(rt * ct AS DOUBLE) / n AS expected, chi2, df, p FROM "crosstab terms" CROSS JOIN (${tested}) AS t ${order}`
}
