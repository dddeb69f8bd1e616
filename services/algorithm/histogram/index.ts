/** How many values lie in each bin, over all rows or per group. */
import type { Column } from '../../job/index.ts'
import { foldName, isDouble, quoteList, quoteName } from '../../sql/index.ts'
import { type Algorithm, type AlgorithmInput, algorithmRefused, onlyParameters } from '../algorithm.ts'
import {
  atMostCells,
  columnsNamed,
  decimalPlaces,
  emptyCell,
  keyList,
  namesOf,
  numeric,
  oneColumn,
  orderBy,
  unscaled
} from '../columns.ts'
import { type Edge, edgesOf, thresholds } from './edges.ts'

const BIN = 'histogram.bin'
const COUNT = 'histogram.count'
const RESULT = new Set(['bin', 'from', 'to', 'count', BIN, COUNT])
const COUNTS = '"histogram counts"'
const GROUPS = '"histogram groups"'

export const algorithm: Algorithm = ({ relation, columns, parameters, phase }) => {
  onlyParameters(parameters, ['value', 'edges', 'from', 'to', 'bins', 'by'])
  const names = namesOf(parameters.by ?? [], 'by', { min: 0, max: 32 })
  const by = columnsNamed(names, 'by', columns).map(({ name }) => name)
  const clash = by.find((name) => RESULT.has(foldName(name)))
  if (clash !== undefined) throw algorithmRefused(`by: "${clash}" would be a column of the result twice`)
  const edges = edgesOf(parameters)
  if (phase === 'merge') return finish(merged(relation, columns, by), edges, by, emptyCell(relation, COUNT))
  const value = numeric(oneColumn(parameters.value, 'value', columns), 'value')
  const counts = countsOf(relation, value, edges, by)
  if (phase === 'complete') return finish(counts, edges, by)
  const sent = `${by.map((name, index) => `k${index} AS ${quoteName(name)}, `).join('')}bin AS ${quoteName(BIN)}, n AS ${quoteName(COUNT)}`
  return `SELECT ${sent} FROM (${counts}) AS c ${orderBy([...keysOf(by), 'bin'], 'c')}`
}

/** Group columns go by their place meanwhile, so that none is mistaken for one of ours. */
const keysOf = (by: readonly string[]): string[] => by.map((_, index) => `k${index}`)

function countsOf(relation: string, value: Column, edges: readonly Edge[], by: readonly string[]): string {
  const keys = keyList(keysOf(by))
  const named = by.map((name, index) => `${quoteName(name)} AS k${index}, `).join('')
  const rows = `SELECT ${named}${termOf(value)} AS v FROM ${relation}`
  return `SELECT ${keys}bin, count(*) AS n FROM (${located(rows, value, edges, 'v', 'bin')}) AS l GROUP BY ${keys}bin`
}

/** The rows with the bin of each in one column more; `spare` names two columns that the rows have not. */
export function withBins(
  { relation, columns, parameters }: Omit<AlgorithmInput, 'phase'>,
  spare: { value: string; bin: string }
): string {
  const value = numeric(oneColumn(parameters.value, 'value', columns), 'value')
  const named = quoteName(spare.value)
  const rows = `SELECT *, ${termOf(value)} AS ${named} FROM ${relation}`
  return located(rows, value, edgesOf(parameters), named, quoteName(spare.bin))
}

function termOf(value: Column): string {
  return isDouble(value.type) ? `CAST(${quoteName(value.name)} AS DOUBLE)` : unscaled(value)
}

function located(rows: string, value: Column, edges: readonly Edge[], v: string, bin: string): string {
  const double = isDouble(value.type)
  const least = quoteList(thresholds(edges, double ? undefined : decimalPlaces(value)))
  const steps = `SELECT unnest(range(1, ${edges.length + 1})) AS place, unnest(CAST(${least} AS ${double ? 'DOUBLE' : 'HUGEINT'}[])) AS least`
  const nowhere = double ? `${v} IS NULL OR isnan(${v})` : `${v} IS NULL`
  return `SELECT r.*, CASE WHEN ${nowhere} THEN NULL ELSE coalesce(e.place, 0) END AS ${bin} FROM (${rows}) AS r ASOF LEFT JOIN (${steps}) AS e ON r.${v} >= e.least`
}

function merged(relation: string, columns: readonly Column[], by: readonly string[]): string {
  if (![BIN, COUNT].every((name) => columns.some((column) => column.name === name)))
    throw algorithmRefused('merge: expected states of "histogram"')
  const named = by.map((name, index) => `${quoteName(name)} AS k${index}, `).join('')
  const own = `SELECT ${named}${quoteName(BIN)} AS bin, ${quoteName(COUNT)} AS n FROM ${relation}`
  const keys = keyList(keysOf(by))
  return `SELECT ${keys}bin, sum(n) AS n FROM (${own}) AS o WHERE n IS NOT NULL GROUP BY ${keys}bin`
}

function finish(counts: string, edges: readonly Edge[], by: readonly string[], empty = '0'): string {
  const keys = keysOf(by)
  const groups = by.length === 0 ? 'SELECT 1 AS one' : `SELECT DISTINCT ${keys.join(', ')} FROM ${COUNTS}`
  const size = `(SELECT count(*) FROM ${GROUPS}) * ${edges.length + 1}`
  const places = `SELECT unnest(range(0, ${edges.length + 1})) AS bin WHERE ${atMostCells('histogram', size)}`
  const same = ['g.bin = c.bin', ...keys.map((key) => `g.${key} IS NOT DISTINCT FROM c.${key}`)].join(' AND ')
  const list = keys.map((key) => `g.${key}, `).join('')
  const grid = `SELECT ${list}g.bin, coalesce(c.n, ${empty}) AS n FROM (SELECT * FROM ${GROUPS} CROSS JOIN (${places}) AS p) AS g LEFT JOIN ${COUNTS} AS c ON ${same}`
  const nowhere = `SELECT ${keyList(keys)}bin, n FROM ${COUNTS} WHERE bin IS NULL`
  const doubles = `CAST(${quoteList(edges.map(({ double }) => String(double)))} AS DOUBLE[])`
  const shown = by.map((name, index) => `k${index} AS ${quoteName(name)}, `).join('')
  return `WITH ${COUNTS} AS MATERIALIZED (${counts}), ${GROUPS} AS MATERIALIZED (${groups}) SELECT ${shown}CAST(bin AS BIGINT) AS bin, ${doubles}[bin] AS "from", ${doubles}[bin + 1] AS "to", CAST(n AS BIGINT) AS "count" FROM (${grid} UNION ALL ${nowhere}) AS b ${orderBy([...keys, 'bin'], 'b')}`
}
