import { basename } from 'node:path'
import { Failure, nearest } from '../failure/index.ts'
import type { Column, SourceTable } from '../job/index.ts'
import { quoteName, quoteText } from '../sql/index.ts'

type Declared = SourceTable['columns'][number]

/** A column of a file, and what it becomes. */
export interface Binding {
  from: string
  name: string
  sql: string
  /** The type to read a CSV column as; still to be inferred when absent. */
  type?: string
}

const TYPE = /^[A-Za-z][A-Za-z0-9_ ]*(\(\s*\d+\s*(,\s*\d+\s*)?\))?(\[\])?$/

/**
 * Binds the columns of a file to what the steward declared of them; others keep their name.
 *
 * @throws {Failure} dataset-malformed, naming file and column
 */
export function bindColumns(table: SourceTable, found: readonly Column[]): Binding[] {
  const declared = new Map<string, Declared>()
  for (const column of table.columns) {
    if (column.type !== undefined && !TYPE.test(column.type)) {
      throw malformed(table, `column "${column.name}": expected a type such as BIGINT`)
    }
    declared.set(inFile(table, column, found), column)
  }
  const bindings = found.map(({ name }) => bind(name, declared.get(name), table.format === 'csv'))
  const names = new Set<string>()
  for (const { name } of bindings) {
    if (names.has(name.toLowerCase())) throw malformed(table, `two columns would be called "${name}"`)
    names.add(name.toLowerCase())
  }
  return bindings
}

function inFile(table: SourceTable, column: Declared, found: readonly Column[]): string {
  const wanted = column.from ?? column.name
  const names = found.map(({ name }) => name)
  const match =
    names.find((name) => name === wanted) ?? names.find((name) => name.toLowerCase() === wanted.toLowerCase())
  if (match !== undefined) return match
  const near = nearest(wanted, names)
  throw malformed(
    table,
    `expected a column "${wanted}"${near === undefined ? '' : `, did you mean "${near}"?`}`
  )
}

function bind(from: string, column: Declared | undefined, csv: boolean): Binding {
  const old = quoteName(from)
  if (column === undefined) return { from, name: from, sql: old }
  const { name, type, values } = column
  const as = ` AS ${quoteName(name)}`
  if (values !== undefined) {
    const mapped = decode(old, values)
    return {
      from,
      name,
      type: 'VARCHAR',
      sql: (type === undefined ? mapped : `CAST(${mapped} AS ${type})`) + as
    }
  }
  if (type === undefined) return { from, name, sql: old + as }
  return { from, name, type, sql: (csv ? old : `CAST(${old} AS ${type})`) + as }
}

/** A code outside the table stays what it is: dropping it would lose rows silently. */
function decode(old: string, values: Readonly<Record<string, string>>): string {
  const text = `CAST(${old} AS VARCHAR)`
  const cases = Object.entries(values).map(
    ([code, meaning]) => ` WHEN ${quoteText(code)} THEN ${quoteText(meaning)}`
  )
  return cases.length === 0 ? text : `CASE ${text}${cases.join('')} ELSE ${text} END`
}

function malformed(table: SourceTable, problem: string): Failure {
  return new Failure('dataset-malformed', `${table.path}: ${problem}`, {
    hint: `${basename(table.path)}: ${problem}`
  })
}
