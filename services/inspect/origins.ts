import type { Column, TableSchema } from '../job/index.ts'
import { foldName } from '../sql/index.ts'
import { tablesNamed } from './tables.ts'
import { isTree, type Tree, textAt, textsAt, treeAt, treesAt } from './tree.ts'

/** The column of a table that a column of a result is, unchanged. */
export interface Origin {
  dataset?: string
  table: string
  column: string
}

/** `name` is folded; an expression without an alias has none that anything could call it by. */
interface Output {
  name: string | undefined
  origin?: Origin
}

/** What is not known has no origins: a wrong one would put a wrong unit on a result. */
type Outputs = readonly Output[] | undefined

interface From {
  /** What `*` and names without a qualifier mean: columns of USING are there once. */
  shown: Outputs
  named: { alias: string; qualifier?: string; columns: Outputs }[]
}

/** Stars over stars double a list with every step. */
const MOST_COLUMNS = 10_000

/**
 * Which columns of a result are plain columns of tables: through aliases, sub-queries, common table expressions and joins, never
 * through an expression. Read from the syntax tree and held against what the engine says the statement gives.
 *
 * @returns for each column of the result its origin, or nothing
 */
export function originsOf(
  statement: Tree,
  tables: readonly TableSchema[],
  columns: readonly Column[]
): (Origin | undefined)[] {
  const none = columns.map(() => undefined)
  const outputs = new Origins(tables).query(statement, new Map())
  if (outputs?.length !== columns.length) return none
  const same = outputs.every(
    ({ name }, index) => name === undefined || name === foldName(columns[index]?.name ?? '')
  )
  if (!same) return none
  const types = new Map(
    tables.flatMap((table) =>
      table.columns.map(({ name, type }) => [JSON.stringify([table.dataset ?? null, table.name, name]), type])
    )
  )
  return outputs.map(({ origin }, index) => {
    if (origin === undefined) return undefined
    const type = types.get(JSON.stringify([origin.dataset ?? null, origin.table, origin.column]))
    return type === columns[index]?.type ? origin : undefined
  })
}

class Origins {
  constructor(private readonly tables: readonly TableSchema[]) {}

  /** What is ambiguous is no table. */
  private table(qualifier: string, name: string): Outputs {
    const [found, ...more] = tablesNamed(qualifier, name, this.tables)
    if (found === undefined || more.length > 0) return undefined
    const { name: table, dataset } = found
    const of = dataset === undefined ? {} : { dataset }
    return found.columns.map(({ name: column }) => ({
      name: foldName(column),
      origin: { ...of, table, column }
    }))
  }

  query(node: Tree, outer: ReadonlyMap<string, Outputs>): Outputs {
    const ctes = new Map(outer)
    for (const entry of treesAt(treeAt(node, 'cte_map') ?? {}, 'map')) {
      const value = treeAt(entry, 'value') ?? {}
      const query = treeAt(treeAt(value, 'query') ?? {}, 'node') ?? {}
      ctes.set(foldName(textAt(entry, 'key')), renamed(this.query(query, ctes), textsAt(value, 'aliases')))
    }
    if (textAt(node, 'type') === 'SET_OPERATION_NODE') return this.setOperation(node, ctes)
    if (textAt(node, 'type') !== 'SELECT_NODE') return undefined
    const from = this.from(treeAt(node, 'from_table') ?? {}, ctes)
    const outputs: Output[] = []
    for (const item of treesAt(node, 'select_list')) {
      const more = chosen(item, from)
      if (more === undefined || outputs.length + more.length > MOST_COLUMNS) return undefined
      outputs.push(...more)
    }
    return outputs
  }

  /** Rows of several queries: the names are the first one's, the values nobody's. */
  private setOperation(node: Tree, ctes: ReadonlyMap<string, Outputs>): Outputs {
    if (textAt(node, 'setop_type') === 'UNION_BY_NAME') return undefined
    const first = treeAt(node, 'left') ?? treesAt(node, 'children')[0]
    const outputs = first === undefined ? undefined : this.query(first, ctes)
    return outputs?.map(({ name }) => ({ name }))
  }

  private from(table: Tree, ctes: ReadonlyMap<string, Outputs>): From {
    const aliases = textsAt(table, 'column_name_alias')
    switch (textAt(table, 'type')) {
      case 'BASE_TABLE': {
        const name = foldName(textAt(table, 'table_name'))
        const qualifier = foldName(textAt(table, 'schema_name'))
        const cte = qualifier === '' && ctes.has(name)
        const columns = renamed(cte ? ctes.get(name) : this.table(qualifier, name), aliases)
        const alias = foldName(textAt(table, 'alias'))
        const known = alias === '' ? { alias: name, qualifier } : { alias }
        return { shown: columns, named: [{ ...known, columns }] }
      }
      case 'SUBQUERY': {
        const query = treeAt(treeAt(table, 'subquery') ?? {}, 'node') ?? {}
        const columns = renamed(this.query(query, ctes), aliases)
        return { shown: columns, named: [{ alias: foldName(textAt(table, 'alias')), columns }] }
      }
      case 'JOIN': {
        const [left, right] = [treeAt(table, 'left'), treeAt(table, 'right')]
        if (left === undefined || right === undefined) return { shown: undefined, named: [] }
        return joined(table, this.from(left, ctes), this.from(right, ctes))
      }
      default:
        return { shown: undefined, named: [] }
    }
  }
}

function joined(join: Tree, left: From, right: From): From {
  const type = textAt(join, 'join_type')
  if (type === 'SEMI' || type === 'ANTI') return left
  const named = [...left.named, ...right.named]
  if (left.shown === undefined || right.shown === undefined) return { shown: undefined, named }
  if (left.shown.length + right.shown.length > MOST_COLUMNS) return { shown: undefined, named }
  const rights = new Set(right.shown.map(({ name }) => name))
  const natural = textAt(join, 'ref_type') === 'NATURAL'
  const using = new Set(textsAt(join, 'using_columns').map(foldName))
  const merged = ({ name }: Output): boolean =>
    name !== undefined && (natural ? rights.has(name) : using.has(name))
  // in other joins than these a column of USING may be either side's
  const leftHolds = type === 'INNER' || type === 'LEFT'
  const kept = left.shown.map((column) => (merged(column) && !leftHolds ? { name: column.name } : column))
  const taken = new Set(left.shown.filter(merged).map(({ name }) => name))
  return { shown: [...kept, ...right.shown.filter(({ name }) => !taken.has(name))], named }
}

/** What one entry of a select list gives. */
function chosen(item: Tree, from: From): Outputs {
  const kind = textAt(item, 'class')
  const alias = foldName(textAt(item, 'alias')) || undefined
  if (kind === 'STAR') return star(item, from)
  if (kind !== 'COLUMN_REF') return [{ name: alias }]
  const names = textsAt(item, 'column_names').map(foldName)
  const [first, second, third, ...more] = names
  const name = alias ?? names.at(-1)
  if (first === undefined || more.length > 0) return [{ name }]
  if (second !== undefined && third !== undefined) {
    const of = { ...from, named: from.named.filter(({ qualifier }) => qualifier === first) }
    const origin = only(relation(of, second), third)?.origin
    return [{ name, ...(origin === undefined ? {} : { origin }) }]
  }
  const found = second === undefined ? only(from.shown, first) : only(relation(from, first), second)
  return [{ name, ...(found?.origin === undefined ? {} : { origin: found.origin }) }]
}

function star(item: Tree, from: From): Outputs {
  if (item.columns === true || isTree(item.expr) || treesAt(item, 'qualified_exclude_list').length > 0)
    return undefined
  const of = foldName(textAt(item, 'relation_name'))
  const columns = of === '' ? from.shown : relation(from, of)
  const excluded = new Set(textsAt(item, 'exclude_list').map(foldName))
  const replaced = new Set(treesAt(item, 'replace_list').map((entry) => foldName(textAt(entry, 'key'))))
  const names = new Map<string | undefined, string>()
  for (const entry of treesAt(item, 'rename_list')) {
    const key = treeAt(entry, 'key') ?? {}
    if (textAt(key, 'table') !== '') return undefined
    names.set(foldName(textAt(key, 'column')), foldName(textAt(entry, 'value')))
  }
  return columns
    ?.filter(({ name }) => name === undefined || !excluded.has(name))
    .map((column) => {
      const name = names.get(column.name) ?? column.name
      return column.name !== undefined && replaced.has(column.name) ? { name } : { ...column, name }
    })
}

function relation({ named }: From, alias: string): Outputs {
  const found = named.filter((one) => one.alias === alias)
  return found.length === 1 ? found[0]?.columns : undefined
}

function only(columns: Outputs, name: string): Output | undefined {
  const found = columns?.filter((column) => column.name === name) ?? []
  return found.length === 1 ? found[0] : undefined
}

function renamed(columns: Outputs, aliases: readonly string[]): Outputs {
  if (aliases.length === 0) return columns
  return columns?.map((column, index) => {
    const alias = aliases[index]
    return alias === undefined ? column : { ...column, name: foldName(alias) }
  })
}
