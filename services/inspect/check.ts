import type { Engine } from '../engine/index.ts'
import { Failure } from '../failure/index.ts'
import type { TableSchema } from '../job/index.ts'
import type { StatementFacts } from './facts.ts'
import { characterOffset } from './position.ts'
import { isTree, type Tree, textAt, treeAt, treesAt } from './tree.ts'
import { TreeWalk } from './walk.ts'

const MAX_TEXT = 65_536

/**
 * Checks that a text is one SELECT over `tables` that calls and nests only what is allowed, without binding it.
 *
 * @throws {Failure} sql-syntax, sql-not-select, sql-function-not-allowed, sql-table-unknown, sql-column-unknown,
 * sql-too-complex, sql-invalid
 */
export async function checkStatement(
  engine: Engine,
  sql: string,
  tables: readonly TableSchema[]
): Promise<StatementFacts> {
  if (sql.trim() === '')
    throw new Failure('sql-syntax', 'the statement is empty', { position: 0, hint: 'expected a SELECT' })
  if (Buffer.byteLength(sql) > MAX_TEXT)
    throw new Failure('sql-too-complex', 'text too long', { hint: 'the statement is longer than 64 KiB' })
  // the engine reads a statement as a C string
  if (sql.includes('\0'))
    throw new Failure('sql-syntax', 'NUL in the statement', { position: sql.indexOf('\0') })
  const node = selectNode(
    sql,
    parsed((await engine.rows('SELECT json_serialize_sql($1::VARCHAR)', [sql]))[0]?.[0])
  )
  const walk = new TreeWalk(sql, tables)
  walk.query(node)
  return walk
}

function parsed(serialised: unknown): Tree {
  const value: unknown = typeof serialised === 'string' ? JSON.parse(serialised) : undefined
  if (!isTree(value)) throw new Failure('internal', 'the engine gave no syntax tree')
  return value
}

function selectNode(sql: string, tree: Tree): Tree {
  if (tree.error !== false) {
    const message = textAt(tree, 'error_message')
    const position = characterOffset(sql, tree.position === undefined ? undefined : Number(tree.position))
    if (textAt(tree, 'error_type') !== 'parser') throw notSelect(message)
    throw new Failure('sql-syntax', message, position === undefined ? {} : { position })
  }
  const statements = treesAt(tree, 'statements')
  const [first] = statements
  if (first === undefined)
    throw new Failure('sql-syntax', 'no statement', { position: 0, hint: 'expected a SELECT' })
  if (statements.length > 1) throw notSelect('several statements')
  if (treesAt(first, 'named_param_map').length > 0) {
    throw new Failure('sql-invalid', 'parameters', { hint: 'parameters such as $1 or ? have no value here' })
  }
  const node = treeAt(first, 'node')
  if (node === undefined) throw new Failure('internal', 'the engine gave a statement without a node')
  return node
}

function notSelect(message: string): Failure {
  return new Failure('sql-not-select', message, { hint: 'expected exactly one SELECT statement' })
}
