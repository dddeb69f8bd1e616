import { basename } from 'node:path'
import { Failure } from '../failure/index.ts'
import type { Column, SourceTable } from '../job/index.ts'
import { quoteName, quoteText } from '../sql/index.ts'
import { type Binding, bindColumns } from './bind-columns.ts'
import { type CsvFile, openCsv } from './csv.ts'
import { inferTypes, readNatively } from './infer.ts'
import { describeCsvProblem } from './ragged.ts'

/** What opening a source needs of the engine. */
export interface EngineReader {
  /** Columns that a statement would give. */
  describe(sql: string): Promise<Column[]>
  rows(sql: string): Promise<unknown[][]>
}

export interface OpenSource {
  /** A SELECT of every column, under the names, types and codes that the steward declared. */
  sql: string
  columns: Column[]
  notes: string[]
  /** Says what is wrong with the file when reading it failed. */
  explain(error: unknown): Promise<Failure>
}

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
    const texts = csv === undefined ? '' : ', all_varchar = true, sample_size = 1'
    const names = await engine.describe(`SELECT * FROM ${scan(table, csv, texts)}`)
    const declared = bindColumns(table, names)
    const bindings =
      csv === undefined ? declared : await inferMissing(engine, table, scan(table, csv, texts), declared)
    const sql = `SELECT ${bindings.map((binding) => binding.sql).join(', ')} FROM ${scan(table, csv, csvTypes(bindings))}`
    const notes = [...(csv?.notes ?? []), ...headerNotes(names)]
    return { sql, columns: await engine.describe(sql), notes, explain }
  } catch (error) {
    throw error instanceof Failure ? error : await explain(error)
  }
}

/** Gives columns of a CSV file that have no declared type the one that all their values have. */
async function inferMissing(
  engine: EngineReader,
  table: SourceTable,
  texts: string,
  bindings: readonly Binding[]
): Promise<Binding[]> {
  const open = bindings.filter((binding) => binding.type === undefined).map(({ from }) => from)
  const types = await inferTypes(engine, texts, open, table.csv?.decimal ?? '.')
  return bindings.map((binding) => {
    const type = types.get(binding.from)
    if (type === undefined) return binding
    if (readNatively(type)) return { ...binding, type }
    const sql = `CAST(${quoteName(binding.from)} AS ${type}) AS ${quoteName(binding.name)}`
    return { ...binding, type: 'VARCHAR', sql }
  })
}

function csvTypes(bindings: readonly Binding[]): string {
  const types = bindings.map(({ from, type = 'VARCHAR' }) => `${quoteText(from)}: ${quoteText(type)}`)
  return `, sample_size = 1, types = {${types.join(', ')}}`
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
