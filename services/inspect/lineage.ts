import { Failure } from '../failure/index.ts'
import type { TableSchema } from '../job/index.ts'
import { isTree, type Tree, textAt, treeAt, treesAt } from './tree.ts'

interface Use {
  table: string
  columns: string[]
}

/** Every table and column that a bound plan reads, also those that only a filter, a join or an order needs. */
export function lineageOf(plan: unknown, tables: readonly TableSchema[]): Use[] {
  const used = new Map<string, Set<string>>()
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      value.forEach(visit)
      return
    }
    if (!isTree(value)) return
    const info = treeAt(value, 'extra_info') ?? {}
    if (textAt(info, 'Table') !== '') scanned(info, tables, used)
    else if (textAt(info, 'Function') !== '')
      throw new Failure('sql-function-not-allowed', `scan of ${textAt(info, 'Function')}`)
    treesAt(value, 'children').forEach(visit)
  }
  visit(plan)
  return tables
    .filter(({ name }) => used.has(name))
    .map(({ name, columns }) => ({
      table: name,
      columns: columns.map((column) => column.name).filter((column) => used.get(name)?.has(column))
    }))
}

function scanned(info: Tree, tables: readonly TableSchema[], used: Map<string, Set<string>>): void {
  const full = textAt(info, 'Table')
  const last = full.replace(/^memory\.main\./, '')
  const name = last.startsWith('"') ? last.slice(1, -1).replaceAll('""', '"') : last
  const table =
    tables.find((candidate) => candidate.name === name) ??
    tables.find((candidate) => full.endsWith(candidate.name))
  if (table === undefined) throw new Failure('internal', `the plan reads ${full}`)
  const columns = used.get(table.name) ?? new Set()
  used.set(table.name, columns)
  const projections = typeof info.Projections === 'string' ? [info.Projections] : info.Projections
  for (const projection of Array.isArray(projections) ? projections : []) {
    if (projection === '') continue
    const column = table.columns.find((candidate) => candidate.name === projection)
    // a part of a column (a field of a struct) is written in the engine's own way: then all columns count as read
    for (const { name: read } of column === undefined ? table.columns : [column]) columns.add(read)
  }
}
