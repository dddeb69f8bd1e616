import type { Column, TableSchema } from '../job/index.ts'
import { foldName } from '../sql/index.ts'
import type { StatementFacts } from './facts.ts'
import type { Origin } from './origins.ts'
import { characterOffset } from './position.ts'
import { tablesNamed } from './tables.ts'
import { isTree, locationOf, type Tree, textAt, textsAt, treeAt, treesAt } from './tree.ts'

/** The column that tells whom the rows of a table are about; null: of nobody who is protected. */
export interface UnitColumn {
  dataset?: string | undefined
  table: string
  column: string | null
}

/** One place in FROM at which a table is read. */
export interface Reading {
  /** What its columns may be qualified by. */
  alias: string
  table: TableSchema
  unit: string | null
}

/** Why it cannot be told whom each row of a statement is about, or why that is asked for itself. */
export interface UnitProblem {
  reason: string
  /** Character offset in the statement. */
  position?: number
}

/**
 * Where a statement reads whose rows. Its rows must be rows of tables and of joins of them, each of which is about the units of
 * every table that it joins; and nothing but a join may depend on who a unit is. Whatever is not certain is a problem: a
 * refusal is better than a wrong count.
 */
export function unitReadings(
  sql: string,
  facts: StatementFacts,
  tables: readonly TableSchema[],
  units: readonly UnitColumn[]
): { readings: Reading[] } | { problem: UnitProblem } {
  const lineage = new UnitLineage(sql, tables, units)
  try {
    return { readings: lineage.read(facts) }
  } catch (error) {
    if (error instanceof Undetermined) return { problem: error.problem }
    throw error
  }
}

class Undetermined extends Error {
  readonly problem: UnitProblem
  constructor(problem: UnitProblem) {
    super(problem.reason)
    this.problem = problem
  }
}

class UnitLineage {
  readonly #sql: string
  readonly #tables: readonly TableSchema[]
  readonly #units: readonly UnitColumn[]
  readonly #readings: Reading[] = []
  /** Names by which a unit can be called, folded. */
  readonly #unitNames: Set<string>
  readonly #columnNames: Set<string>

  constructor(sql: string, tables: readonly TableSchema[], units: readonly UnitColumn[]) {
    this.#sql = sql
    this.#tables = tables
    this.#units = units
    this.#unitNames = new Set(units.flatMap(({ column }) => (column === null ? [] : foldName(column))))
    this.#columnNames = new Set(tables.flatMap(({ columns }) => columns.map(({ name }) => foldName(name))))
  }

  read({ statement, notDistributable, perProvider }: StatementFacts): Reading[] {
    const [own] = notDistributable
    if (own !== undefined)
      throw this.#no(`the query uses ${own}: groups are made by the algorithm alone, at one level`)
    if (perProvider.has('limit')) throw this.#no('the query uses LIMIT, which could pick single rows')
    if (textAt(statement, 'type') !== 'SELECT_NODE') throw this.#no('expected one SELECT over tables')
    if (treesAt(treeAt(statement, 'cte_map') ?? {}, 'map').length > 0)
      throw this.#no('a query inside the query hides whom its rows are about')
    const from = treeAt(statement, 'from_table')
    if (from === undefined || textAt(from, 'type') === 'EMPTY') throw this.#no('the query reads no table')
    else this.#from(from)
    const items = treesAt(statement, 'select_list')
    this.#learnAliases(items)
    for (const item of items) this.#item(item)
    const where = treeAt(statement, 'where_clause')
    if (where !== undefined) this.#condition(where)
    const { select_list: _items, from_table: _from, where_clause: _where, ...rest } = statement
    this.#expressions(rest)
    return this.#readings
  }

  #from(table: Tree): void {
    if (textsAt(table, 'column_name_alias').length > 0)
      throw this.#no('columns may not be renamed in FROM: rename them in the SELECT list', table)
    switch (textAt(table, 'type')) {
      case 'BASE_TABLE':
        this.#base(table)
        return
      case 'JOIN':
        this.#join(table)
        return
      default:
        throw this.#no('a query inside the query hides whom its rows are about', table)
    }
  }

  #base(node: Tree): void {
    const name = textAt(node, 'table_name')
    const [table, ...more] = tablesNamed(textAt(node, 'schema_name'), name, this.#tables)
    if (table === undefined || more.length > 0) throw this.#no(`table "${name}" is not one table`, node)
    const alias = textAt(node, 'alias') || name
    if (this.#readings.some((other) => foldName(other.alias) === foldName(alias)))
      throw this.#no(`"${alias}" is read twice: give each its own name with AS`, node)
    const unit = this.#units.find((one) => one.table === table.name && one.dataset === table.dataset)
    if (unit === undefined)
      throw this.#no(`table "${table.name}" has no column that tells whom its rows are about`, node)
    this.#readings.push({ alias, table, unit: unit?.column ?? null })
  }

  #join(join: Tree): void {
    const [left, right] = [treeAt(join, 'left'), treeAt(join, 'right')]
    const plain = ['REGULAR', 'CROSS'].includes(textAt(join, 'ref_type'))
    if (left === undefined || right === undefined || !plain)
      throw this.#no('expected tables joined by JOIN or LEFT JOIN with ON or USING', join)
    if (!['INNER', 'LEFT'].includes(textAt(join, 'join_type')))
      throw this.#no('expected JOIN or LEFT JOIN: other joins hide whom a row is about', join)
    this.#from(left)
    this.#from(right)
    for (const name of textsAt(join, 'using_columns')) {
      const types = this.#readings.flatMap(({ table }) => columnOf(table, name)?.type ?? [])
      // between other types a value is converted, which may fail and tells of it
      if (new Set(types).size > 1)
        throw this.#no(`"${name}" has several types: join by columns of one type`, join)
    }
    const condition = treeAt(join, 'condition')
    if (condition !== undefined) this.#condition(condition)
  }

  #condition(condition: Tree): void {
    for (const part of conjuncts(condition)) if (!this.#joinsUnits(part)) this.#expressions(part)
  }

  /** `a.unit = b.unit`: rows of one unit meet, whoever it is. */
  #joinsUnits(condition: Tree): boolean {
    if (textAt(condition, 'type') !== 'COMPARE_EQUAL') return false
    const sides = [treeAt(condition, 'left'), treeAt(condition, 'right')]
    return sides.every((side) => {
      if (side === undefined || textAt(side, 'class') !== 'COLUMN_REF') return false
      const names = textsAt(side, 'column_names')
      const own = this.#readings.find(({ alias }) => foldName(alias) === foldName(names.at(-2) ?? ''))
      return own?.unit != null && foldName(own.unit) === foldName(names.at(-1) ?? '')
    })
  }

  /** An alias of a unit is one more name of it: the engine lets WHERE use it. */
  #learnAliases(items: readonly Tree[]): void {
    let known = -1
    // an alias may stand for another one
    while (known < this.#unitNames.size) {
      known = this.#unitNames.size
      for (const item of items) {
        const alias = foldName(textAt(item, 'alias'))
        if (alias === '') continue
        this.#columnNames.add(alias)
        if (textAt(item, 'class') === 'COLUMN_REF' && this.#isUnit(item)) this.#unitNames.add(alias)
      }
    }
  }

  #item(item: Tree): void {
    const kind = textAt(item, 'class')
    if (kind === 'COLUMN_REF') {
      this.#known(item)
      return
    }
    if (kind === 'STAR') {
      const plain =
        item.columns !== true &&
        !isTree(item.expr) &&
        treesAt(item, 'replace_list').length + treesAt(item, 'rename_list').length === 0
      if (!plain) throw this.#no('expected * or TABLE.*, without REPLACE, RENAME or COLUMNS', item)
      return
    }
    if (textAt(item, 'alias') === '') throw this.#no('an expression needs a name: give it one with AS', item)
    this.#expressions(item)
  }

  #isUnit(reference: Tree): boolean {
    return textsAt(reference, 'column_names').some((name) => this.#unitNames.has(foldName(name)))
  }

  /** A name that is no column may stand for a whole row, the unit in it. */
  #known(reference: Tree): void {
    const name = textsAt(reference, 'column_names').at(-1) ?? ''
    if (!this.#columnNames.has(foldName(name))) throw this.#no(`"${name}" is no column of a table`, reference)
  }

  #expressions(value: unknown): void {
    if (Array.isArray(value)) {
      for (const item of value) this.#expressions(item)
      return
    }
    if (!isTree(value)) return
    switch (textAt(value, 'class')) {
      case 'COLUMN_REF':
        if (this.#isUnit(value))
          throw this.#no(
            `"${textsAt(value, 'column_names').at(-1) ?? ''}" tells whom a row is about: the query may join by it and no more`,
            value
          )
        this.#known(value)
        return
      case 'SUBQUERY':
        throw this.#no('a query inside the query hides whom its rows are about', value)
      case 'STAR':
      case 'POSITIONAL_REFERENCE':
        throw this.#no('expected columns by their names', value)
    }
    for (const child of Object.values(value)) this.#expressions(child)
  }

  #no(reason: string, at: Tree = {}): Undetermined {
    const position = characterOffset(this.#sql, locationOf(at))
    return new Undetermined(position === undefined ? { reason } : { reason, position })
  }
}

/**
 * What a column of the result is: a unit, another plain column, an expression that reads no unit, or none of these for certain.
 */
export type OutputKind = 'unit' | 'plain' | 'computed' | 'unknown'

/** @param origins of the columns, of a statement that {@link unitReadings} found in order */
export function outputKinds(
  { statement }: StatementFacts,
  columns: readonly Column[],
  origins: readonly (Origin | undefined)[],
  units: readonly UnitColumn[]
): OutputKind[] {
  const computed = new Set(
    treesAt(statement, 'select_list')
      .filter((item) => !['COLUMN_REF', 'STAR'].includes(textAt(item, 'class')))
      .map((item) => foldName(textAt(item, 'alias')))
  )
  return columns.map(({ name }, index) => {
    const origin = origins[index]
    if (origin === undefined) return computed.has(foldName(name)) ? 'computed' : 'unknown'
    const unit = units.find((one) => one.table === origin.table && one.dataset === origin.dataset)?.column
    return unit != null && foldName(unit) === foldName(origin.column) ? 'unit' : 'plain'
  })
}

export function columnOf(table: TableSchema, name: string): TableSchema['columns'][number] | undefined {
  return table.columns.find((column) => foldName(column.name) === foldName(name))
}

/** The conditions that all hold. */
export function conjuncts(condition: Tree): Tree[] {
  return textAt(condition, 'type') === 'CONJUNCTION_AND'
    ? treesAt(condition, 'children').flatMap(conjuncts)
    : [condition]
}
