import { Failure } from '../failure/index.ts'
import type { TableSchema } from '../job/index.ts'
import { isTree, type Tree, textAt, treeAt, treesAt } from './tree.ts'

interface Use {
  dataset?: string
  table: string
  columns: string[]
}

/** The schema of the empty tables that all names stand for; no dataset has a blank in its name. */
export const SHADOW = 'dynamos shadow'
const SHADOW_TABLE = new RegExp(`^memory\\."${SHADOW}"\\.t(\\d+)$`)

/** The empty table behind the one at an index. */
export function shadowTable(index: number): string {
  return `"${SHADOW}".t${index}`
}

/** What a plan of a SELECT over tables is made of; each shows what it reads from among its children. */
const OPERATORS = new Set(
  `PROJECTION FILTER SEQ_SCAN COLUMN_DATA_SCAN DUMMY_SCAN EMPTY_RESULT CTE CTE_SCAN DELIM_SCAN POSITIONAL_SCAN
  HASH_JOIN NESTED_LOOP_JOIN BLOCKWISE_NL_JOIN PIECEWISE_MERGE_JOIN IE_JOIN ASOF_JOIN CROSS_PRODUCT POSITIONAL_JOIN
  LEFT_DELIM_JOIN RIGHT_DELIM_JOIN UNION HASH_GROUP_BY PERFECT_HASH_GROUP_BY PARTITIONED_AGGREGATE UNGROUPED_AGGREGATE
  WINDOW STREAMING_WINDOW ORDER_BY TOP_N LIMIT STREAMING_LIMIT LIMIT_PERCENT`.split(/\s+/)
)

/** Every table and column that a bound plan reads, also those that only a filter, a join or an order needs. */
export function lineageOf(plan: unknown, tables: readonly TableSchema[]): Use[] {
  const used = new Map<TableSchema, Set<string>>()
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      value.forEach(visit)
      return
    }
    if (!isTree(value)) return
    const operator = textAt(value, 'name').trim()
    if (!OPERATORS.has(operator)) {
      throw new Failure('sql-invalid', `the plan has ${operator}`, {
        hint: 'this statement is understood by the engine, and not by those who must know what it reads'
      })
    }
    const info = treeAt(value, 'extra_info') ?? {}
    if (textAt(info, 'Table') !== '') scanned(info, tables, used)
    else if (textAt(info, 'Function') !== '')
      throw new Failure('sql-function-not-allowed', `scan of ${textAt(info, 'Function')}`)
    treesAt(value, 'children').forEach(visit)
  }
  visit(plan)
  return tables
    .filter((table) => used.has(table))
    .map((table) => ({
      ...(table.dataset === undefined ? {} : { dataset: table.dataset }),
      table: table.name,
      columns: table.columns.map((column) => column.name).filter((column) => used.get(table)?.has(column))
    }))
}

function scanned(info: Tree, tables: readonly TableSchema[], used: Map<TableSchema, Set<string>>): void {
  const full = textAt(info, 'Table')
  const table = tables[Number(SHADOW_TABLE.exec(full)?.[1] ?? -1)]
  if (table === undefined) throw new Failure('internal', `the plan reads ${full}`)
  const columns = used.get(table) ?? new Set()
  used.set(table, columns)
  const projections = typeof info.Projections === 'string' ? [info.Projections] : info.Projections
  for (const projection of Array.isArray(projections) ? projections : []) {
    if (projection === '') continue
    const column = table.columns.find((candidate) => candidate.name === projection)
    // a part of a column (a field of a struct) is written in the engine's own way: then all columns count as read
    for (const { name: read } of column === undefined ? table.columns : [column]) columns.add(read)
  }
}
