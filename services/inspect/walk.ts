import { Failure, nearest } from '../failure/index.ts'
import type { TableSchema } from '../job/index.ts'
import { foldName, qualifiedName } from '../sql/index.ts'
import type { StatementFacts, Undistributable } from './facts.ts'
import { functionKind, functionNames, isOperator, isSqlValue } from './functions.ts'
import { EXPRESSIONS, LIMITS, MODIFIERS, OPERATIONS, TYPES } from './limits.ts'
import { characterOffset } from './position.ts'
import { columnUnknown, tableUnknown } from './sql-failure.ts'
import { tablesNamed } from './tables.ts'
import { isTree, locationOf, type Tree, textAt, textsAt, treeAt, treesAt } from './tree.ts'

interface Scope {
  /** How many times a common table expression reads base tables when it is written out, by folded name. */
  ctes: ReadonlyMap<string, number>
  depth: number
}

/**
 * What the engine could take for a file when it finds no table of that name: such a name is never let through on the ground
 * that an expression has it, however the engine scopes expressions.
 */
const FILE_NAME = /[./\\*?[\]:]/

/** Goes through a whole syntax tree; what it does not know it refuses. */
export class TreeWalk implements StatementFacts {
  statement: Tree = {}
  readonly reads = new Set<TableSchema>()
  readonly functions = new Set<string>()
  readonly notDistributable = new Set<Undistributable>()
  readonly perProvider = new Set<'limit' | 'order by'>()
  private readonly columnNames: ReadonlySet<string>
  /** Names without a qualifier that are columns somewhere, and functions wherever they are none. */
  private readonly eitherWay: Tree[] = []
  private renames = false
  private nodes = 0
  private subqueries = 0
  private references = 0
  private expressionLists = 0
  private definitions = 0

  constructor(
    private readonly sql: string,
    private readonly tables: readonly TableSchema[]
  ) {
    this.columnNames = new Set(tables.flatMap(({ columns }) => columns.map(({ name }) => foldName(name))))
  }

  query(node: Tree): void {
    this.statement = node
    this.node(node, { ctes: new Map(), depth: 0 })
    for (const expression of this.eitherWay) this.assertColumn(expression)
  }

  /** A whole query; returns how many base tables it reads when written out. */
  private node(node: Tree, outer: Scope): number {
    this.enter(outer.depth)
    if (++this.subqueries > LIMITS.subqueries) throw this.tooComplex('too many sub-queries')
    const type = textAt(node, 'type')
    if (type === 'RECURSIVE_CTE_NODE') throw this.tooComplex('recursive queries are not run')
    if (type !== 'SELECT_NODE' && type !== 'SET_OPERATION_NODE')
      throw this.invalid(`${type} is not supported`)
    const scope = this.define(node, { ...outer, depth: outer.depth + 1 })
    let readings = this.modifiers(node, scope)
    if (type === 'SET_OPERATION_NODE') {
      this.notDistributable.add('set operation')
      for (const side of this.sides(node)) readings += this.node(side, scope)
    } else readings += this.select(node, scope)
    if (readings > LIMITS.readings) throw this.tooComplex('tables are read too many times')
    return readings
  }

  private sides(node: Tree): Tree[] {
    const pair = [treeAt(node, 'left'), treeAt(node, 'right')].filter((side) => side !== undefined)
    return [...pair, ...treesAt(node, 'children')]
  }

  private define(node: Tree, scope: Scope): Scope {
    const ctes = new Map(scope.ctes)
    for (const entry of treesAt(treeAt(node, 'cte_map') ?? {}, 'map')) {
      if (++this.definitions > LIMITS.ctes) throw this.tooComplex('too many common table expressions')
      const query = treeAt(treeAt(treeAt(entry, 'value') ?? {}, 'query') ?? {}, 'node')
      if (query === undefined) throw this.invalid('only a SELECT can be a common table expression')
      const name = textAt(entry, 'key')
      if (FILE_NAME.test(name))
        throw this.invalid('the name of a common table expression may hold no "." and no part of a path')
      ctes.set(foldName(name), this.node(query, { ...scope, ctes }))
    }
    return { ...scope, ctes }
  }

  private modifiers(node: Tree, scope: Scope): number {
    let readings = 0
    for (const modifier of treesAt(node, 'modifiers')) {
      const type = textAt(modifier, 'type')
      if (!MODIFIERS.has(type)) throw this.invalid(`${type} is not supported`)
      if (type === 'ORDER_MODIFIER') this.perProvider.add('order by')
      else if (type === 'DISTINCT_MODIFIER') this.notDistributable.add('distinct')
      else this.perProvider.add('limit')
      readings += this.within(modifier, scope)
    }
    return readings
  }

  private select(node: Tree, scope: Scope): number {
    if (node.sample !== null && node.sample !== undefined) throw this.sampling(node)
    const columns = treesAt(node, 'select_list')
    if (columns.length > LIMITS.columns) throw this.tooComplex('too many columns')
    const sets = node.group_sets
    if (Array.isArray(sets) && sets.length > LIMITS.sets) throw this.tooComplex('too many grouping sets')
    if (
      treesAt(node, 'group_expressions').length > 0 ||
      textAt(node, 'aggregate_handling') === 'FORCE_AGGREGATES'
    ) {
      this.notDistributable.add('group by')
    }
    let readings = 0
    const from = treeAt(node, 'from_table')
    if (from !== undefined) readings += this.table(from, scope)
    for (const column of columns) readings += this.expression(column, scope)
    for (const group of treesAt(node, 'group_expressions')) readings += this.expression(group, scope)
    for (const key of ['where_clause', 'having', 'qualify']) {
      const clause = treeAt(node, key)
      if (clause !== undefined) readings += this.expression(clause, scope)
    }
    return readings
  }

  private table(table: Tree, outer: Scope): number {
    const scope = { ...outer, depth: outer.depth + 1 }
    this.enter(scope.depth)
    if (table.sample !== null && table.sample !== undefined) throw this.sampling(table)
    switch (textAt(table, 'type')) {
      case 'EMPTY':
        return 0
      case 'BASE_TABLE':
        return this.baseTable(table, scope)
      case 'SUBQUERY':
        return this.node(treeAt(treeAt(table, 'subquery') ?? {}, 'node') ?? {}, scope)
      case 'EXPRESSION_LIST':
        if (++this.expressionLists > LIMITS.tables) throw this.tooComplex('too many tables')
        return this.within(table.values, scope)
      case 'JOIN': {
        const sides = this.sides(table)
        const condition = treeAt(table, 'condition')
        let readings = condition === undefined ? 0 : this.expression(condition, scope)
        for (const side of sides) readings += this.table(side, scope)
        return readings
      }
      case 'TABLE_FUNCTION':
        throw this.notAllowed(textAt(treeAt(table, 'function') ?? {}, 'function_name'), table)
      default:
        throw this.invalid(`${textAt(table, 'type')} is not supported in FROM`)
    }
  }

  private baseTable(table: Tree, scope: Scope): number {
    if (++this.references > LIMITS.tables) throw this.tooComplex('too many tables')
    const name = textAt(table, 'table_name')
    const at = this.place(table)
    const catalog = textAt(table, 'catalog_name')
    const qualifier = textAt(table, 'schema_name')
    if (table.at_clause !== null && table.at_clause !== undefined) throw this.invalid('AT is not supported')
    // a qualified name never means a common table expression
    const written = catalog === '' && qualifier === '' ? scope.ctes.get(foldName(name)) : undefined
    if (written !== undefined) return written
    const meant = catalog === '' ? tablesNamed(qualifier, name, this.tables) : []
    if (meant.length === 0) {
      const full = [catalog, qualifier, name].filter((part) => part !== '').join('.')
      throw tableUnknown(full, this.tables, 'no such table', at)
    }
    if (meant.length > 1) throw this.ambiguous(name, meant, table)
    for (const one of meant) this.reads.add(one)
    if (textsAt(table, 'column_name_alias').length > 0) this.renames = true
    return 1
  }

  /** Every expression and sub-query anywhere below a value. */
  private within(value: unknown, scope: Scope): number {
    if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + this.within(item, scope), 0)
    if (!isTree(value)) return 0
    if (typeof value.class === 'string') return this.expression(value, scope)
    let readings = 0
    for (const child of Object.values(value)) readings += this.within(child, scope)
    return readings
  }

  private expression(expression: Tree, outer: Scope): number {
    const scope = { ...outer, depth: outer.depth + 1 }
    this.enter(scope.depth)
    const kind = textAt(expression, 'class')
    if (!EXPRESSIONS.has(kind))
      throw this.invalid(`${kind || 'this expression'} is not supported`, expression)
    switch (kind) {
      case 'CONSTANT':
        return 0
      case 'COLUMN_REF':
        this.column(expression)
        return 0
      case 'SUBQUERY': {
        const query = treeAt(treeAt(expression, 'subquery') ?? {}, 'node') ?? {}
        const child = treeAt(expression, 'child')
        return this.node(query, scope) + (child === undefined ? 0 : this.expression(child, scope))
      }
      case 'STAR':
        return this.star(expression, scope)
      case 'CAST':
        this.castType(treeAt(expression, 'cast_type'), expression)
        break
      case 'OPERATOR':
        if (!OPERATIONS.has(textAt(expression, 'type')))
          throw this.notAllowed(textAt(expression, 'type'), expression)
        break
      case 'FUNCTION':
      case 'WINDOW':
        this.call(expression, kind)
        break
    }
    let readings = 0
    for (const [key, child] of Object.entries(expression))
      if (key !== 'cast_type') readings += this.within(child, scope)
    return readings
  }

  private column(expression: Tree): void {
    const names = textsAt(expression, 'column_names')
    const [name = ''] = names
    const folded = foldName(names.at(-1) ?? '')
    const known = this.columnNames.has(folded)
    if (names.length === 1 && isSqlValue(folded)) {
      if (!known) throw this.notAllowed(name, expression)
      this.eitherWay.push(expression)
    }
    if (!known && folded === 'rowid')
      throw columnUnknown('rowid', this.tables, 'rowid', this.place(expression))
  }

  /** Certain without binding only where every relation is a table that has the column under its own name. */
  private assertColumn(expression: Tree): void {
    const [name = ''] = textsAt(expression, 'column_names')
    const plain = this.subqueries === 1 && !this.renames && this.reads.size > 0
    const everywhere = [...this.reads].every(({ columns }) =>
      columns.some((column) => foldName(column.name) === foldName(name))
    )
    if (plain && everywhere) return
    throw this.invalid(
      `"${name.slice(0, 128)}" is a function of SQL too: write TABLE."${name.slice(0, 128)}"`,
      expression
    )
  }

  private star(expression: Tree, scope: Scope): number {
    let readings = this.within(expression.replace_list, scope)
    const chosen = treeAt(expression, 'expr')
    if (chosen === undefined) return readings
    // COLUMNS(c -> …) is a filter over the names of columns
    const [star, lambda] =
      textAt(chosen, 'function_name') === 'list_filter' ? treesAt(chosen, 'children') : []
    if (
      star !== undefined &&
      lambda !== undefined &&
      textAt(star, 'class') === 'STAR' &&
      textAt(lambda, 'class') === 'LAMBDA'
    ) {
      readings += this.expression(star, scope)
      return readings + this.within(lambda.expr, scope)
    }
    return readings + this.expression(chosen, scope)
  }

  private castType(type: Tree | undefined, expression: Tree): void {
    const id = type === undefined ? '' : textAt(type, 'id')
    const named = type === undefined ? '' : textAt(treeAt(type, 'type_info') ?? {}, 'name')
    if (TYPES.has(id) || id.startsWith('TIMESTAMP')) return
    throw this.invalid(`the type ${named || id} is not supported in a CAST`, expression)
  }

  private call(expression: Tree, kind: 'FUNCTION' | 'WINDOW'): void {
    const name = foldName(textAt(expression, 'function_name'))
    const schema = textAt(expression, 'schema')
    // what the parser writes itself (extract, [1, 2]) carries the schema main
    const qualified = textAt(expression, 'catalog') !== '' || (schema !== '' && schema !== 'main')
    const known = qualified ? undefined : functionKind(name)
    if (known === undefined) throw this.notAllowed(name, expression)
    if (!isOperator(name)) this.functions.add(name)
    if (kind === 'WINDOW') this.notDistributable.add('window')
    else if (known === 'aggregate') this.notDistributable.add('aggregate')
    if (expression.distinct === true) this.notDistributable.add('distinct')
  }

  private enter(depth: number): void {
    if (++this.nodes > LIMITS.nodes) throw this.tooComplex('too many expressions')
    if (depth > LIMITS.depth) throw this.tooComplex('nested too deeply')
  }

  private place(tree: Tree): { position?: number } {
    const position = characterOffset(this.sql, locationOf(tree))
    return position === undefined ? {} : { position }
  }

  private tooComplex(why: string): Failure {
    return new Failure('sql-too-complex', why, { hint: why })
  }

  private invalid(why: string, tree: Tree = {}): Failure {
    return new Failure('sql-invalid', why, { ...this.place(tree), hint: why })
  }

  private ambiguous(name: string, meant: readonly TableSchema[], tree: Tree): Failure {
    const ways = meant.flatMap((table) => qualifiedName(table) ?? [])
    const several = `table "${name.slice(0, 128)}" is in several datasets`
    return this.invalid(ways.length === 0 ? several : `${several}: write ${ways.join(' or ')}`, tree)
  }

  private sampling(tree: Tree): Failure {
    return this.invalid('sampling would give another result each time', tree)
  }

  private notAllowed(name: string, tree: Tree): Failure {
    const near = nearest(name, functionNames())
    const hint = `"${name.slice(0, 128)}" is not among the functions that may be used${near === undefined || near === name ? '' : `, did you mean "${near}"?`}`
    return new Failure('sql-function-not-allowed', `function ${name}`, { ...this.place(tree), hint })
  }
}
