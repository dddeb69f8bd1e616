import { createHash } from 'node:crypto'
import {
  DuckDBArrayType,
  DuckDBDecimalType,
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  type DuckDBType
} from '@duckdb/node-api'
import type { Engine } from '../engine/index.ts'
import { isDouble, isInteger, quoteName, quoteText } from '../sql/index.ts'

/** A relation in SQL. */
export interface Rows {
  /** May stand in FROM. */
  sql: string
}

/** A column of a canonical form. */
export interface CanonicalColumn {
  name: string
  family: string
  /** SQL of its canonical text. */
  text: string
}

/** Nested deeper, a value counts as the text that the engine makes of it. */
const MAX_DEPTH = 16
const NULL = "'null'"

/**
 * The canonical form of a result: what two runs of the same steps have in common whatever order their rows came in, in which
 * types their numbers travelled, and what the last digits of a float are. docs/protocol.md §7 has it for other
 * implementations. Columns in the order of their names; every value a text in which nothing but text is quoted.
 */
export async function canonicalColumns(engine: Engine, { sql }: Rows): Promise<CanonicalColumn[]> {
  const result = await engine.result(`SELECT * FROM ${sql} AS q LIMIT 0`)
  const types = result.columnTypes()
  return result
    .columnNames()
    .map((name, index) => {
      const [family, text] = formOf(types[index] ?? null, quoteName(name), 0)
      return { name, family, text }
    })
    .sort((one, other) => Buffer.compare(Buffer.from(one.name), Buffer.from(other.name)))
}

/** SQL of a row as one text. */
export function rowText(columns: readonly CanonicalColumn[]): string {
  return columns.length === 0 ? "''" : `concat_ws(',', ${columns.map(({ text }) => text).join(', ')})`
}

/** What stands before the rows. */
export function headerOf(columns: readonly CanonicalColumn[]): string {
  return columns.map(({ name, family }) => `${quoted(name)} ${family}`).join(',')
}

/** Of a canonical form: sha2-256 over the salt, the header and its rows in the order of their bytes, each ended by a line feed. */
export async function canonicalDigest(engine: Engine, rows: Rows, salt: string): Promise<string> {
  const columns = await canonicalColumns(engine, rows)
  const hash = createHash('sha256')
    .update(Buffer.from(salt, 'hex'))
    .update(`${headerOf(columns)}\n`)
  const result = await engine.stream(`SELECT ${rowText(columns)} AS r FROM ${rows.sql} AS q ORDER BY r`)
  for (;;) {
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) break
    for (const text of chunk.getColumnValues(0)) hash.update(`${String(text)}\n`)
  }
  return hash.digest('hex')
}

/** The family of a type, and SQL of the canonical text of a value. Every value stands once in the text, or is a name. */
function formOf(type: DuckDBType | null, value: string, depth: number): [family: string, text: string] {
  const orNull = (text: string): string => `coalesce(${text}, ${NULL})`
  if (type !== null && depth < MAX_DEPTH) {
    const item = `e${depth}`
    if (type instanceof DuckDBListType || type instanceof DuckDBArrayType) {
      const [family, text] = formOf(type.valueType, item, depth + 1)
      return [`[${family}]`, orNull(`'[' || ${listOf(value, item, text)} || ']'`)]
    }
    if (type instanceof DuckDBMapType) {
      const [key, keyText] = formOf(type.keyType, `${item}.key`, depth + 1)
      const [family, text] = formOf(type.valueType, `${item}.value`, depth + 1)
      const entries = `list_sort(list_transform(map_entries(${value}), lambda ${item}: ${keyText} || ':' || ${text}))`
      return [`<${key}:${family}>`, orNull(`'<' || array_to_string(${entries}, ',') || '>'`)]
    }
    if (type instanceof DuckDBStructType) {
      const fields = type.entryNames
        .map((name, index) => {
          const [family, text] = formOf(
            type.entryTypes[index] ?? null,
            `${value}[${quoteText(name)}]`,
            depth + 1
          )
          return { name, family, text: `${quoteText(`${quoted(name)}:`)} || ${text}` }
        })
        .sort((one, other) => Buffer.compare(Buffer.from(one.name), Buffer.from(other.name)))
      const family = fields.map((field) => `${quoted(field.name)}:${field.family}`).join(',')
      const text = fields.map((field) => field.text).join(" || ',' || ")
      return [`{${family}}`, `CASE WHEN ${value} IS NULL THEN ${NULL} ELSE '{' || ${text} || '}' END`]
    }
  }
  const [family, text] = plainOf(type, value)
  return [family, orNull(text)]
}

function listOf(list: string, item: string, text: string): string {
  return `array_to_string(list_transform(${list}, lambda ${item}: ${text}), ',')`
}

function plainOf(type: DuckDBType | null, value: string): [family: string, text: string] {
  const name = String(type)
  const text = `CAST(${value} AS VARCHAR)`
  if (isInteger(name)) return ['number', text]
  // a scale is no difference of values
  if (type instanceof DuckDBDecimalType)
    return ['number', type.scale === 0 ? text : `rtrim(rtrim(${text}, '0'), '.')`]
  if (isDouble(name)) return ['float', floatText(`CAST(${value} AS DOUBLE)`)]
  if (name === 'BOOLEAN') return ['boolean', text]
  if (name === 'BLOB') return ['bytes', `'"' || lower(hex(${value})) || '"'`]
  const temporal = /^(DATE|TIMESTAMP WITH TIME ZONE|TIMESTAMPTZ|TIMESTAMP|TIME)/.exec(name)?.[1]
  const quotes = `'"' || replace(replace(${text}, '\\', '\\\\'), '"', '\\"') || '"'`
  if (temporal === undefined) return ['text', quotes]
  return [temporal === 'TIMESTAMP WITH TIME ZONE' ? 'timestamptz' : temporal.toLowerCase(), quotes]
}

/** Ten significant digits; there is one zero, one NaN. */
function floatText(value: string): string {
  return `CASE WHEN isnan(${value}) THEN 'NaN' WHEN isinf(${value}) THEN CASE WHEN ${value} > 0 THEN 'Infinity' ELSE '-Infinity' END WHEN ${value} = 0 THEN '0' ELSE format('{:.9e}', ${value}) END`
}

function quoted(name: string): string {
  return `"${name.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
