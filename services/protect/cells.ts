import { columnNamed, keyList, pairsOf, travelling, withBins } from '../algorithm/index.ts'
import type { Column } from '../job/index.ts'
import { quoteName } from '../sql/index.ts'
import { aggregateRoles } from './roles.ts'

/** The rows of a query, each with whom it is about. */
export interface UnitRows {
  /** Name of a table. */
  table: string
  /** What the query gives. */
  columns: readonly Column[]
  /** Columns that hold whom a row is about, one for each table that was read. */
  units: readonly string[]
  /** The column that holds a hash of what the row is made of. */
  content: string
}

/** How an aggregate falls into cells, each of which leaves or stays. */
export interface Cells {
  /** SQL of `cell`: one row for each. */
  numbered: string
  /** SQL that gives, for each row and each cell that it counts in, `cell`, the units and the content. */
  tagged: string
  /** The input of the algorithm once `released(cell)` holds the cells that may leave. */
  rows: string
  /** What of the algorithm's state may leave, given its SQL. */
  state: (state: string) => string
  /** Whether the result shows cells without a row too, which must not look like those that stay. */
  grid: boolean
  /** Whether two cells may hold the same row: then one may give another away. */
  overlap: boolean
}

const KEYED = '"dynamos keyed"'
const CELLS = '"dynamos cells"'
export const RELEASED = '"dynamos released"'

/** Statements to run first, and what they make possible. */
export function planCells(
  algorithm: string,
  parameters: Record<string, unknown>,
  rows: UnitRows
): { prepare: string[]; cells: Cells } {
  const roles = aggregateRoles(algorithm, parameters)
  const named = (all: readonly string[] = []): string[] =>
    all.map((name) => quoteName(columnNamed(name, 'parameters', rows.columns).name))
  const values = named(roles?.values)
  const carried = [...rows.units, rows.content].map(quoteName)
  if (algorithm === 'correlation') return { prepare: [], cells: pairCells(rows, values, carried) }
  const present = values.map((value) => `${value} IS NOT NULL`)
  const where = present.length === 0 ? '' : ` WHERE ${present.join(' AND ')}`
  const spare = { value: 'dynamos value', bin: 'dynamos bin' }
  const table = quoteName(rows.table)
  const given = { relation: `${table} AS input`, columns: rows.columns, parameters }
  const histogram = algorithm === 'histogram'
  const source = histogram ? `(${withBins(given, spare)}) AS binned` : table
  const by = histogram ? [...names(parameters.by), spare.bin] : (roles?.keys ?? [])
  const keys = histogram ? [...named(names(parameters.by)), quoteName(spare.bin)] : named(by)
  const keyed = keys.map((key, index) => `, ${key} AS "dynamos key ${index}"`).join('')
  const list = keys.map((_, index) => `dynamos key ${index}`)
  const same = ['TRUE', ...list.map((key) => `k.${quoteName(key)} IS NOT DISTINCT FROM c.${quoteName(key)}`)]
  const order = list.map((key) => `${quoteName(key)} NULLS LAST`).join(', ')
  const groups =
    list.length === 0
      ? `SELECT 1 AS one FROM ${KEYED} LIMIT 1`
      : `SELECT DISTINCT ${list.map(quoteName).join(', ')} FROM ${KEYED}`
  const numbered = `SELECT row_number() OVER (${order === '' ? '' : `ORDER BY ${order}`}) AS cell, * FROM (${groups}) AS g`
  const shown = rows.columns.map(({ name }) => `k.${quoteName(name)}`).join(', ')
  const joined = `FROM ${KEYED} AS k JOIN ${CELLS} AS c ON ${same.join(' AND ')}`
  return {
    prepare: [
      `CREATE TEMP TABLE ${KEYED} AS SELECT *${keyed} FROM ${source}${where}`,
      `CREATE TEMP TABLE ${CELLS} AS ${numbered}`
    ],
    cells: {
      numbered: `SELECT cell FROM ${CELLS}`,
      tagged: `SELECT c.cell, ${carried.map((name) => `k.${name}`).join(', ')} ${joined}`,
      rows: `(SELECT ${shown} ${joined} SEMI JOIN ${RELEASED} AS r ON c.cell = r.cell)`,
      state: (state) => state,
      grid: histogram || algorithm === 'crosstab',
      overlap: false
    }
  }
}

function names(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []
}

/** Each pair of columns is a cell over the rows that hold both. Pairs of two columns come first: they are what is asked for. */
function pairCells(rows: UnitRows, values: readonly string[], carried: readonly string[]): Cells {
  const pairs = pairsOf(values.length).sort(
    ([i, j], [k, l]) => Number(i === j) - Number(k === l) || i - k || j - l
  )
  const each = `SELECT unnest(range(1, ${pairs.length + 1})) AS cell, unnest([${pairs.map(([i]) => i).join(', ')}]) AS i, unnest([${pairs.map(([, j]) => j).join(', ')}]) AS j`
  const table = quoteName(rows.table)
  const held = `[${values.map((value) => `${value} IS NOT NULL`).join(', ')}]`
  const tagged = `SELECT p.cell, ${keyList([...rows.units, rows.content]).replaceAll(/, $/g, '')} FROM (SELECT ${carried.join(', ')}, ${held} AS "dynamos held" FROM ${table}) AS t CROSS JOIN (${each}) AS p WHERE "dynamos held"[p.i] AND "dynamos held"[p.j]`
  const [i, j] = [travelling('i'), travelling('j')].map(quoteName)
  return {
    numbered: `SELECT DISTINCT cell FROM (${tagged}) AS t`,
    tagged,
    rows: `(SELECT ${rows.columns.map(({ name }) => quoteName(name)).join(', ')} FROM ${table})`,
    state: (state) =>
      `SELECT s.* FROM (${state}) AS s JOIN (${each}) AS p ON s.${i} = p.i AND s.${j} = p.j SEMI JOIN ${RELEASED} AS r ON p.cell = r.cell`,
    grid: false,
    overlap: true
  }
}
