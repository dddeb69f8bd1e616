import { engineError, resourceFailure } from '../engine/index.ts'
import { Failure, nearest } from '../failure/index.ts'
import type { TableSchema } from '../job/index.ts'
import { qualifiedName } from '../sql/index.ts'
import { characterOffset } from './position.ts'

/** The text whose error it is, and what its writer may know. */
export interface SqlContext {
  text: string
  /** Where the text starts in what was run, in bytes. */
  offset: number
  tables: readonly TableSchema[]
}

/** What went wrong with an analyst's statement. A name that is hidden and one that does not exist read alike. */
export function sqlFailure(error: unknown, context: SqlContext): Failure {
  if (error instanceof Failure) return error
  const lacking = resourceFailure(error)
  if (lacking !== undefined) return lacking
  const { type, message, subtype, name, entry, position: bytes } = engineError(error)
  const position = characterOffset(context.text, bytes === undefined ? undefined : bytes - context.offset)
  const at = { cause: error, ...(position === undefined ? {} : { position }) }
  const column = missingColumn(message, subtype, name)
  if (column !== undefined) return columnUnknown(column, context.tables, message, at)
  const table = entry === 'Table' ? name : /^Referenced table "(.+?)" not found/.exec(message)?.[1]
  if (table !== undefined) return tableUnknown(table, context.tables, message, at)
  if (type === 'Parser' || subtype === 'SYNTAX_ERROR') return new Failure('sql-syntax', message, at)
  if (type === 'Binder' || type === 'Catalog' || type === 'Not implemented') {
    const hint = binderHint(message)
    return new Failure('sql-invalid', message, { ...at, ...(hint === undefined ? {} : { hint }) })
  }
  return new Failure('sql-runtime', message, { ...at, hint: runtimeHint(type) })
}

interface Place {
  position?: number
  cause?: unknown
}

export function columnUnknown(
  name: string,
  tables: readonly TableSchema[],
  message: string,
  at: Place
): Failure {
  const near = nearest(
    name,
    tables.flatMap((table) => table.columns.map((column) => column.name))
  )
  return new Failure('sql-column-unknown', message, { ...at, hint: unknown('column', name, near) })
}

export function tableUnknown(
  name: string,
  tables: readonly TableSchema[],
  message: string,
  at: Place
): Failure {
  const near = nearest(
    name,
    tables.flatMap((table) => (name.includes('.') ? (qualifiedName(table) ?? table.name) : table.name))
  )
  return new Failure('sql-table-unknown', message, { ...at, hint: unknown('table', name, near) })
}

function unknown(kind: string, name: string, near: string | undefined): string {
  return `there is no ${kind} "${name.slice(0, 128)}" here${near === undefined ? '' : `, did you mean "${near}"?`}`
}

function missingColumn(
  message: string,
  subtype: string | undefined,
  name: string | undefined
): string | undefined {
  if (subtype === 'COLUMN_NOT_FOUND' && name !== undefined) return name
  const patterns = [
    /does not have a column named "(.+?)"/,
    /^Referenced column "(.+?)" not found/,
    /^Column "(.+?)" in (?:EXCLUDE|REPLACE|RENAME) list/,
    /^Column "(.+?)" does not exist on (?:left|right) side of join/,
    /^No matching columns found that match regex "(.+?)"/
  ]
  for (const pattern of patterns) {
    const found = pattern.exec(message)?.[1]
    if (found !== undefined) return found
  }
  return undefined
}

function binderHint(message: string): string | undefined {
  const ambiguous = /^Ambiguous reference to column name "(.+?)"/.exec(message)?.[1]
  if (ambiguous !== undefined) return `column "${ambiguous}" is in several tables: write TABLE."${ambiguous}"`
  if (message.startsWith('Ambiguous reference to table'))
    return 'two tables of one name stand in FROM: give each a name of its own with AS'
  const ungrouped = /^column "(.+?)" must appear in the GROUP BY clause/.exec(message)?.[1]
  if (ungrouped !== undefined) return `column "${ungrouped}" must be in GROUP BY or inside an aggregate`
  const types = /^No function matches the given name and argument types '([^']{1,200})'/.exec(message)?.[1]
  if (types !== undefined) return `nothing is defined for ${types}: a CAST may be missing`
  return undefined
}

function runtimeHint(type: string): string {
  if (type === 'Conversion')
    return 'a value cannot be converted to the type asked for: TRY_CAST gives NULL instead'
  if (type === 'Out of Range') return 'a value lies outside the range of its type'
  return 'the statement failed while it ran'
}
