import { dirname, extname, resolve } from 'node:path'
import { z } from 'zod'
import { fields, type ResultTerms, resultTerms } from '../../protocol/documents/index.ts'
import { nearest } from '../../protocol/errors/index.ts'
import { csvOptions, type SourceTable, sourceColumn } from '../../services/job/index.ts'
import { checkSource, problemAt } from './check.ts'
import { filePath } from './fields.ts'
import { readConfigFile } from './file.ts'
import type { Source } from './source.ts'

const { identifier, name, text } = fields

const TYPES = [
  'BOOLEAN',
  'TINYINT',
  'SMALLINT',
  'INTEGER',
  'BIGINT',
  'HUGEINT',
  'UTINYINT',
  'USMALLINT',
  'UINTEGER',
  'UBIGINT',
  'FLOAT',
  'DOUBLE',
  'DECIMAL',
  'VARCHAR',
  'DATE',
  'TIME',
  'TIMESTAMP',
  'TIMESTAMPTZ',
  'UUID'
]
const TYPE = /^([A-Za-z]+)(?:\(\s*(\d{1,2})\s*(?:,\s*(\d{1,2})\s*)?\))?$/

/** A column's type, of the closed list that a file may declare: it becomes SQL in the extract. */
const columnType = z.string().transform((written, context) => {
  const [, base = '', width, scale] = TYPE.exec(written) ?? []
  const upper = base.toUpperCase()
  if (TYPES.includes(upper) && (width === undefined || upper === 'DECIMAL')) {
    return width === undefined ? upper : `${upper}(${width},${scale ?? '0'})`
  }
  const near = nearest(base || written, TYPES)
  context.addIssue(
    `expected one of ${TYPES.join(', ')}, found "${written.slice(0, 40)}"${near === undefined ? '' : `; did you mean "${near}"?`}`
  )
  return z.NEVER
})

/** How a file declares a type that the engine found, where it may: nested types and enumerations cannot be declared. */
export function declaredType(found: string): string | undefined {
  const short = found === 'TIMESTAMP WITH TIME ZONE' ? 'TIMESTAMPTZ' : found
  return columnType.safeParse(short).data
}

const singleCharacter = z.string().length(1, 'expected a single character')
const BOUND = /^-?\d{1,18}(\.\d{1,9})?$/
const bound = z.union([z.number(), z.string()]).transform((written, context) => {
  const text = String(written)
  if (BOUND.test(text)) return text
  context.addIssue(`expected a decimal number such as 120 or "-0.5", found "${text.slice(0, 40)}"`)
  return z.NEVER
})
const columnFile = z.strictObject({
  type: columnType.optional(),
  from: identifier.optional(),
  values: z.record(z.string(), z.string()).optional(),
  unit: text.optional(),
  /** Between what its values lie; where people are protected, sums take what lies outside as the nearest bound. */
  min: bound.optional(),
  max: bound.optional(),
  description: text.optional(),
  sensitive: z.boolean().optional()
})

const tableFile = z.strictObject({
  path: filePath,
  /** In a database, when it has another name there; on a server perhaps with its schema before it. */
  table: z.string().min(1).max(260).optional(),
  format: z.enum(['csv', 'parquet', 'json', 'sqlite', 'postgres']).optional(),
  delimiter: singleCharacter.optional(),
  quote: singleCharacter.optional(),
  encoding: z.enum(['utf-8', 'latin-1', 'utf-16']).optional(),
  decimal: z.enum(['.', ',']).optional(),
  nulls: z.array(z.string()).max(64).optional(),
  subject: identifier.optional(),
  columns: z.record(identifier, columnFile).default({})
})

/** Terms of a result, with their end as people write it. */
const arrivedTerms = resultTerms.extend({
  until: z.iso.datetime({ offset: true }).transform(Date.parse).nullable()
})

/** A dataset as its steward describes it. */
export const datasetFile = z.strictObject({
  id: name,
  title: text.optional(),
  visibility: z.enum(['members', 'parties']).default('members'),
  contact: text.optional(),
  /** Of what a request brought: which one, and the terms that came with it. No agreement about it is wider. */
  madeFrom: z.strictObject({ request: text, contract: text, terms: arrivedTerms }).optional(),
  tables: z.record(identifier, tableFile).refine((tables) => {
    const count = Object.keys(tables).length
    return count > 0 && count <= 64
  }, 'expected 1 to 64 tables')
})

/** `unit`, `description` and `sensitive` are for people and policies; the rest tells a job how to read the column. */
export type DatasetColumn = { name: string } & z.output<typeof columnFile>

export interface DatasetTable {
  name: string
  /** Absolute. */
  path: string
  format: SourceTable['format']
  csv?: NonNullable<SourceTable['csv']>
  /** Its name in a database. */
  table?: string
  /** The column that tells whom a row is about: the unit that limits on groups protect. */
  subject?: string
  /** Only those the steward described. */
  columns: DatasetColumn[]
}

export interface DatasetConfig {
  /** The file it was read from, absolute. */
  file: string
  id: string
  title: string
  visibility: 'members' | 'parties'
  contact?: string
  madeFrom?: { request: string; contract: string; terms: ResultTerms }
  tables: DatasetTable[]
}

const BY_EXTENSION: Readonly<Record<string, SourceTable['format']>> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.parquet': 'parquet',
  '.json': 'json',
  '.ndjson': 'json',
  '.jsonl': 'json',
  '.sqlite': 'sqlite',
  '.sqlite3': 'sqlite',
  '.db': 'sqlite'
}

const SERVER = /\.postgres\.ya?ml$/i

function formatOf(
  table: z.output<typeof tableFile>,
  source: Source,
  tableName: string
): SourceTable['format'] {
  const place = ['tables', tableName, 'format']
  const format =
    table.format ??
    (table.path.endsWith('/')
      ? 'parquet'
      : SERVER.test(table.path)
        ? 'postgres'
        : BY_EXTENSION[extname(table.path).toLowerCase()])
  if (format === undefined)
    throw problemAt(
      source,
      place,
      'expected one of "csv", "parquet", "json", "sqlite", "postgres"; the path does not tell'
    )
  if (format !== 'parquet' && table.path.endsWith('/'))
    throw problemAt(
      source,
      ['tables', tableName, 'path'],
      `expected one file of format ${format}; only Parquet may be many files`
    )
  return format
}

function tableOf(tableName: string, table: z.output<typeof tableFile>, source: Source): DatasetTable {
  const format = formatOf(table, source, tableName)
  const { delimiter, quote, encoding, decimal, nulls } = table
  const given = Object.entries({ delimiter, quote, encoding, decimal, nulls }).filter(
    ([, value]) => value !== undefined
  )
  const option = given[0]?.[0]
  if (format !== 'csv' && option !== undefined) {
    throw problemAt(source, ['tables', tableName, option], `expected with format csv only, found ${format}`)
  }
  if (format !== 'sqlite' && format !== 'postgres' && table.table !== undefined)
    throw problemAt(source, ['tables', tableName, 'table'], `expected with a database only, found ${format}`)
  const result: DatasetTable = {
    name: tableName,
    ...(table.table === undefined ? {} : { table: table.table }),
    path: resolve(dirname(source.file), table.path),
    format,
    columns: Object.entries(table.columns).map(([columnName, column]) => ({ name: columnName, ...column }))
  }
  if (option !== undefined) result.csv = csvOptions.parse(Object.fromEntries(given))
  if (table.subject !== undefined) result.subject = table.subject
  return result
}

/** Names are told apart without regard to case, as SQL does. */
function assertDistinct(names: readonly string[], source: Source, path: readonly string[]): void {
  const seen = new Map<string, string>()
  for (const one of names) {
    const other = seen.get(one.toLowerCase())
    if (other !== undefined)
      throw problemAt(
        source,
        [...path, one],
        `SQL does not tell "${one}" from "${other}"; rename one of them`
      )
    seen.set(one.toLowerCase(), one)
  }
}

export function parseDataset(source: Source): DatasetConfig {
  const file = checkSource(source, datasetFile)
  assertDistinct(Object.keys(file.tables), source, ['tables'])
  for (const [tableName, table] of Object.entries(file.tables))
    assertDistinct(Object.keys(table.columns), source, ['tables', tableName, 'columns'])
  for (const [tableName, { columns }] of Object.entries(file.tables))
    for (const [column, { min, max }] of Object.entries(columns))
      if (min !== undefined && max !== undefined && Number(min) > Number(max))
        throw problemAt(
          source,
          ['tables', tableName, 'columns', column, 'min'],
          `expected at most ${max}, which is its max, found ${min}`
        )
  return {
    file: source.file,
    id: file.id,
    title: file.title ?? file.id,
    visibility: file.visibility,
    ...(file.contact === undefined ? {} : { contact: file.contact }),
    ...(file.madeFrom === undefined ? {} : { madeFrom: file.madeFrom }),
    tables: Object.entries(file.tables).map(([tableName, table]) => tableOf(tableName, table, source))
  }
}

/** @throws {ConfigInvalid} */
export async function loadDatasetFile(path: string): Promise<DatasetConfig> {
  return parseDataset(await readConfigFile(path))
}

/** Strips what is for people only. */
const readColumn = z.object(sourceColumn.shape)

/** The table as a job takes it: without what is for people only. */
export function sourceTableOf(table: DatasetTable): SourceTable {
  return {
    name: table.name,
    path: table.path,
    format: table.format,
    ...(table.table === undefined ? {} : { table: table.table }),
    ...(table.csv === undefined ? {} : { csv: table.csv }),
    columns: table.columns.map((column) => readColumn.parse(column))
  }
}
