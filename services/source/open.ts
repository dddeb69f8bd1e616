import { basename, join } from 'node:path'
import { Failure } from '../failure/index.ts'
import type { Column, SourceTable } from '../job/index.ts'
import { quoteName, quoteText } from '../sql/index.ts'
import { type Binding, bindColumns } from './bind-columns.ts'
import { openCopied } from './copied.ts'
import { type CsvFile, openCsv } from './csv.ts'
import { inferTypes, readNatively } from './infer.ts'
import { lookAtJson, readJson, renamedIn } from './json.ts'
import { openParquet } from './parquet.ts'
import { describeCsvProblem } from './ragged.ts'
import { type EngineLoader, loadSqlite, misfitIn } from './sqlite.ts'

/** What opening a source needs of the engine. */
export interface EngineReader extends EngineLoader {
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
  if (table.files !== undefined && table.format !== 'parquet')
    throw new Failure('dataset-malformed', `${table.path}: many files`, {
      hint: `${basename(table.path)}: expected one file of format ${table.format}; only Parquet may be many files`
    })
  if (table.format === 'sqlite') return await openSqlite(table, scratch, engine)
  const csv = table.format === 'csv' ? await openCsv(table, scratch) : undefined
  const explain = (error: unknown): Promise<Failure> => explainSource(table, csv, error)
  try {
    if (csv === undefined) return { ...(await openTyped(table, engine)), explain }
    const texts = scanCsv(csv, ', all_varchar = true, sample_size = 1')
    const names = await engine.describe(`SELECT * FROM ${texts}`)
    const bindings = await inferMissing(engine, table, texts, bindColumns(table, names))
    const sql = selectOf(bindings, scanCsv(csv, csvTypes(bindings)))
    const notes = [...csv.notes, ...headerNotes(names)]
    return { sql, columns: await engine.describe(sql), notes, explain }
  } catch (error) {
    throw error instanceof Failure ? error : await explain(error)
  }
}

/** A file that says the types of its columns. */
async function openTyped(table: SourceTable, engine: EngineReader): Promise<Omit<OpenSource, 'explain'>> {
  if (table.format === 'json') {
    const found = await engine.describe(`SELECT * FROM ${lookAtJson(table)}`)
    const renamed = await renamedIn(table, found, engine)
    if (renamed !== undefined) {
      const name = renamed.replace(/_\d+$/, '')
      throw new Failure('dataset-malformed', `${table.path}: names that differ in case`, {
        hint: `${basename(table.path)}: two columns would be called "${name}"`
      })
    }
    const bindings = bindColumns(table, found)
    const sql = selectOf(bindings, readJson(table, found, bindings))
    return { sql, columns: await engine.describe(sql), notes: headerNotes(found) }
  }
  const { scan, types } = table.copied === undefined ? await openParquet(table, engine) : openCopied(table)
  const found = await engine.describe(`SELECT * FROM ${scan}`)
  const sql = selectOf(typed(bindColumns(table, found), types), scan)
  return { sql, columns: await engine.describe(sql), notes: headerNotes(found) }
}

async function openSqlite(table: SourceTable, scratch: string, engine: EngineReader): Promise<OpenSource> {
  const { relation, columns, notes } = await loadSqlite(table, scratch, engine)
  const types = new Map(columns.map(({ name, type }) => [name, type]))
  const sql = selectOf(typed(bindColumns(table, columns), types), relation)
  const explain = async (error: unknown): Promise<Failure> => {
    const problem = (await misfitIn(engine, relation, columns)) ?? 'cannot be read as declared'
    return new Failure('dataset-malformed', error instanceof Error ? error.message : String(error), {
      hint: `${basename(table.path)}, ${problem}`,
      cause: error
    })
  }
  return { sql, columns: await engine.describe(sql), notes: [...notes, ...headerNotes(columns)], explain }
}

/** Columns without a declared type get the one that was found for them. */
function typed(bindings: readonly Binding[], types: ReadonlyMap<string, string>): Binding[] {
  return bindings.map((binding) => {
    const type = types.get(binding.from)
    if (type === undefined || binding.type !== undefined) return binding
    return { ...binding, sql: `CAST(${quoteName(binding.from)} AS ${type}) AS ${quoteName(binding.name)}` }
  })
}

function selectOf(bindings: readonly Binding[], relation: string): string {
  return `SELECT ${bindings.map((binding) => binding.sql).join(', ')} FROM ${relation}`
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

function scanCsv(csv: CsvFile, reading: string): string {
  return `read_csv(${quoteText(csv.path)}, ${csv.options.join(', ')}${reading})`
}

/** Names taken from a first line that holds values would publish them with the dataset's description. */
function headerNotes(columns: readonly Column[]): string[] {
  const values = columns.filter(({ name }) => /^[-+]?\d+([.,]\d+)?$|^\d{4}-\d\d-\d\d|@/.test(name)).length
  return values === 0
    ? []
    : [`the first line looks like data, not like column names (${values} of ${columns.length})`]
}

async function explainSource(table: SourceTable, csv: CsvFile | undefined, error: unknown): Promise<Failure> {
  const message = error instanceof Error ? error.message : String(error)
  // of many files the engine names the one that it could not read
  const among = table.files?.find((name) => message.includes(join(table.path, name)))
  const file = among ?? basename(table.path)
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
