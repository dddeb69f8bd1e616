import { randomBytes } from 'node:crypto'
import type { Engine } from '../engine/index.ts'
import { Failure } from '../failure/index.ts'
import { foldName } from '../sql/index.ts'
import { isTree, type Tree, textAt, textsAt, treeAt, treesAt } from './tree.ts'
import { columnOf, conjuncts, type Reading } from './unit-lineage.ts'

/** The columns that a table has beside those that the statement may see. */
export interface Hidden {
  name: string
  /** How a reading's own is called among the rows. */
  as: (reading: number) => string
}

/**
 * A statement with the same rows that gives hidden columns of every reading first, and where no value makes it fail: what
 * cannot be computed for a row is NULL there. Else an analyst would learn by a failure that somebody's row is there.
 *
 * @param readings of a statement that {@link unitReadings} found in order
 */
export async function carryUnits(
  engine: Engine,
  sql: string,
  readings: readonly Reading[],
  hidden: readonly Hidden[]
): Promise<string> {
  const [[serialised] = []] = await engine.rows('SELECT json_serialize_sql($1::VARCHAR)', [sql])
  const numbers = new Numbers()
  const tree: unknown = JSON.parse(numbers.hide(String(serialised)))
  const node = isTree(tree) ? treeAt(treesAt(tree, 'statements')[0] ?? {}, 'node') : undefined
  if (node === undefined) throw new Failure('internal', 'the engine gave a statement without a node')
  const carried = hidden.flatMap(({ name, as }) =>
    readings.map(({ alias }, index) => reference([alias, name], as(index), numbers.zero))
  )
  const names = hidden.map(({ name }) => name)
  const items = treesAt(node, 'select_list').map((item) => shown(item, names, numbers))
  const where = treeAt(node, 'where_clause')
  const from = treeAt(node, 'from_table')
  const changed = {
    ...node,
    select_list: [...carried, ...items],
    from_table: from === undefined ? null : joined(from, readings, numbers),
    where_clause: where === undefined ? null : tryParts(where, readings, numbers)
  }
  const text = JSON.stringify({
    ...(isTree(tree) ? tree : {}),
    statements: [{ node: changed, named_param_map: [] }]
  })
  const [[written] = []] = await engine.rows('SELECT json_deserialize_sql($1::JSON)', [numbers.show(text)])
  return String(written)
}

/** A tree of the engine holds numbers that JavaScript would round: they go by texts meanwhile. */
class Numbers {
  readonly #mark = `number ${randomBytes(8).toString('hex')} `

  get zero(): string {
    return `${this.#mark}0`
  }

  hide(text: string): string {
    return text.replaceAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
      token.startsWith('"') ? token : `"${this.#mark}${token}"`
    )
  }

  show(text: string): string {
    return text.replaceAll(new RegExp(`"${this.#mark}([^"]*)"`, 'g'), '$1')
  }
}

function reference(names: readonly string[], alias: string, zero: string): Tree {
  return { class: 'COLUMN_REF', type: 'COLUMN_REF', alias, query_location: zero, column_names: [...names] }
}

function tried(expression: Tree, numbers: Numbers): Tree {
  return {
    class: 'OPERATOR',
    type: 'OPERATOR_TRY',
    alias: textAt(expression, 'alias'),
    query_location: numbers.zero,
    children: [{ ...expression, alias: '' }]
  }
}

function shown(item: Tree, hidden: readonly string[], numbers: Numbers): Tree {
  const kind = textAt(item, 'class')
  if (kind === 'COLUMN_REF') return item
  if (kind !== 'STAR') return tried(item, numbers)
  return { ...item, exclude_list: [...textsAt(item, 'exclude_list'), ...hidden] }
}

function joined(table: Tree, readings: readonly Reading[], numbers: Numbers): Tree {
  const [left, right] = [treeAt(table, 'left'), treeAt(table, 'right')]
  if (left === undefined || right === undefined) return table
  const condition = treeAt(table, 'condition')
  return {
    ...table,
    left: joined(left, readings, numbers),
    right: joined(right, readings, numbers),
    condition: condition === undefined ? null : tryParts(condition, readings, numbers)
  }
}

/** Equality of two columns of one type cannot fail, and as it is the engine can join by it. */
function tryParts(condition: Tree, readings: readonly Reading[], numbers: Numbers): Tree {
  const parts = conjuncts(condition).map((part) => (isSafe(part, readings) ? part : tried(part, numbers)))
  const [only, ...more] = parts
  if (only !== undefined && more.length === 0) return only
  return {
    class: 'CONJUNCTION',
    type: 'CONJUNCTION_AND',
    alias: '',
    query_location: numbers.zero,
    children: parts
  }
}

function isSafe(part: Tree, readings: readonly Reading[]): boolean {
  if (textAt(part, 'type') !== 'COMPARE_EQUAL') return false
  const types = [treeAt(part, 'left'), treeAt(part, 'right')].map((side) => {
    const [alias = '', name = '', ...more] = side === undefined ? [] : textsAt(side, 'column_names')
    const own = readings.find((one) => foldName(one.alias) === foldName(alias))
    return more.length > 0 || own === undefined ? undefined : columnOf(own.table, name)?.type
  })
  return types[0] !== undefined && types[0] === types[1]
}
