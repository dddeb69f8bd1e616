import { basename } from 'node:path'
import { Failure, nearest } from '../failure/index.ts'
import type { Column, SourceTable } from '../job/index.ts'
import { quoteName, quoteText } from '../sql/index.ts'
import { type CsvFile, openCsv } from './csv.ts'
import { describeCsvProblem } from './ragged.ts'

/** What opening a source needs of the engine. */
export interface EngineReader {
  /** Columns that a statement would give. */
  describe(sql: string): Promise<Column[]>
}

export interface OpenSource {
  /** A SELECT of every column, under the names, types and codes that the steward declared. */
  sql: string
  columns: Column[]
  notes: string[]
  /** Says what is wrong with the file when reading it failed. */
  explain(error: unknown): Promise<Failure>
}

const TYPE = /^[A-Za-z][A-Za-z0-9_ ]*(\(\s*\d+\s*(,\s*\d+\s*)?\))?(\[\])?$/

/**
 * Opens one table of the owner: finds its columns, checks the declared ones against the file.
 *
 * @throws {Failure} dataset-missing, dataset-malformed
 */
export async function openSource(
  table: SourceTable,
  scratch: string,
  engine: EngineReader
): Promise<OpenSource> {
  const csv = table.format === 'csv' ? await openCsv(table, scratch) : undefined
  const explain = (error: unknown): Promise<Failure> => explainSource(table, csv, error)
  try {
    const names = await engine.describe(
      `SELECT * FROM ${scan(table, csv, ', all_varchar = true, sample_size = 1')}`
    )
    const bindings = bindColumns(table, names)
    const sql = `SELECT ${bindings.map((binding) => binding.sql).join(', ')} FROM ${scan(table, csv, csvTypes(bindings))}`
    const notes = [...(csv?.notes ?? []), ...headerNotes(names)]
    return { sql, columns: await engine.describe(sql), notes, explain }
  } catch (error) {
    throw error instanceof Failure ? error : await explain(error)
  }
}

interface Binding {
  from: string
  sql: string
  /** The type to read a CSV column as; inferred when absent. */
  type?: string
}

function bindColumns(table: SourceTable, found: readonly Column[]): Binding[] {
  const declared = new Map<string, SourceTable['columns'][number]>()
  for (const column of table.columns) {
    const wanted = column.from ?? column.name
    const match =
      found.find(({ name }) => name === wanted) ??
      found.find(({ name }) => name.toLowerCase() === wanted.toLowerCase())
    if (match === undefined) {
      const near = nearest(
        wanted,
        found.map(({ name }) => name)
      )
      throw new Failure('dataset-malformed', `${table.path} has no column ${wanted}`, {
        hint: `${basename(table.path)}: expected a column "${wanted}"${near === undefined ? '' : `, did you mean "${near}"?`}`
      })
    }
    if (column.type !== undefined && !TYPE.test(column.type)) {
      throw new Failure('dataset-malformed', `type ${column.type}`, {
        hint: `column "${column.name}": expected a type such as BIGINT`
      })
    }
    declared.set(match.name, column)
  }
  return found.map(({ name: from }) => {
    const column = declared.get(from)
    if (column === undefined) return { from, sql: quoteName(from) }
    const type = column.type
    const as = ` AS ${quoteName(column.name)}`
    if (column.values !== undefined) {
      const text = `CAST(${quoteName(from)} AS VARCHAR)`
      const cases = Object.entries(column.values).map(
        ([code, meaning]) => ` WHEN ${quoteText(code)} THEN ${quoteText(meaning)}`
      )
      // a code outside the table stays what it is: dropping it would lose rows silently
      const mapped = cases.length === 0 ? text : `CASE ${text}${cases.join('')} ELSE ${text} END`
      return { from, type: 'VARCHAR', sql: (type === undefined ? mapped : `CAST(${mapped} AS ${type})`) + as }
    }
    if (type === undefined) return { from, sql: quoteName(from) + as }
    return {
      from,
      type,
      sql: (table.format === 'csv' ? quoteName(from) : `CAST(${quoteName(from)} AS ${type})`) + as
    }
  })
}

function csvTypes(bindings: readonly Binding[]): string {
  const types = bindings
    .filter((binding) => binding.type !== undefined)
    .map(({ from, type }) => `${quoteText(from)}: ${quoteText(type ?? '')}`)
  return `, sample_size = -1${types.length === 0 ? '' : `, types = {${types.join(', ')}}`}`
}

function scan(table: SourceTable, csv: CsvFile | undefined, reading: string): string {
  if (csv !== undefined) return `read_csv(${quoteText(csv.path)}, ${csv.options.join(', ')}${reading})`
  return table.format === 'parquet'
    ? `read_parquet(${quoteText(table.path)})`
    : `read_json(${quoteText(table.path)}, sample_size = -1, maximum_object_size = 67108864)`
}

/** Names taken from a first line that holds values would publish them with the dataset's description. */
function headerNotes(columns: readonly Column[]): string[] {
  const values = columns.filter(({ name }) => /^[-+]?\d+([.,]\d+)?$|^\d{4}-\d\d-\d\d|@/.test(name)).length
  return values === 0
    ? []
    : [`the first line looks like data, not like column names (${values} of ${columns.length})`]
}

async function explainSource(table: SourceTable, csv: CsvFile | undefined, error: unknown): Promise<Failure> {
  const file = basename(table.path)
  const message = error instanceof Error ? error.message : String(error)
  if (csv !== undefined) {
    const problem = await describeCsvProblem(csv.path, csv.shape)
    if (problem !== undefined)
      return new Failure('dataset-malformed', message, { hint: `${file}, ${problem}`, cause: error })
  }
  const line = /CSV Error on Line: (\d+)/.exec(message)?.[1]
  const column = /(?:Error when converting column|Column) \\?"([^"\\]+)\\?"/.exec(message)?.[1]
  const type = /to '([A-Z0-9(), ]+)'/.exec(message)?.[1]
  const place = `${file}${line === undefined ? '' : `, line ${line}`}${column === undefined ? '' : `, column "${column}"`}`
  const expected = type === undefined ? '' : `: expected ${type}`
  return new Failure('dataset-malformed', message, {
    hint: `${place}${expected === '' ? ' cannot be read as declared' : expected}`,
    cause: error
  })
}
