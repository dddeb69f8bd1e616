import { basename, join } from 'node:path'
import { Failure } from '../failure/index.ts'
import type { SourceTable } from '../job/index.ts'
import { quoteList, quoteName, quoteText } from '../sql/index.ts'
import { inferTypes, type RowReader } from './infer.ts'

/** What the engine writes, as others do, for a partition of NULL; hidden from a column's values by the engine itself. */
const PARTITION = /^([^=/]+)=/

/**
 * A scan of one Parquet file, or of many that have the same columns; folders called `key=value` between them are columns too.
 *
 * @returns `types` of the columns that folders are, found like those of text files: digits with leading zeros stay text
 * @throws {Failure} dataset-malformed, naming the first file that differs
 */
export async function openParquet(
  table: SourceTable,
  engine: RowReader
): Promise<{ scan: string; types: Map<string, string> }> {
  const { path, files } = table
  if (files === undefined) return { scan: `read_parquet(${quoteText(path)})`, types: new Map() }
  if (files.length === 0) throw malformed(table, 'expected Parquet files, found none')
  const keys = partitionsOf(table, files)
  const paths = files.map((file) => join(path, file))
  await assertAlike(table, files, engine)
  const hive = `hive_partitioning = ${keys.length > 0}${keys.length > 0 ? ', hive_types_autocast = false' : ''}`
  const scan = `read_parquet(${quoteList(paths)}, ${hive})`
  if (keys.length === 0) return { scan, types: new Map() }
  // each folder's value once, not once a row
  const values = `(SELECT DISTINCT ${keys.map(quoteName).join(', ')} FROM ${scan})`
  return { scan, types: await inferTypes(engine, values, keys, '.') }
}

function partitionsOf(table: SourceTable, files: readonly string[]): string[] {
  const keysOf = (file: string): string[] =>
    file
      .split('/')
      .slice(0, -1)
      .flatMap((folder) => PARTITION.exec(folder)?.[1] ?? [])
  const [first = '', ...others] = files
  const keys = keysOf(first)
  const odd = others.find((file) => keysOf(file).join('/') !== keys.join('/'))
  if (odd !== undefined)
    throw malformed(table, `expected ${odd} in folders of ${keys.join(', ') || 'no key'}, as ${first}`)
  return keys
}

/** The engine would take the first file's types for all, and cast. */
async function assertAlike(table: SourceTable, files: readonly string[], engine: RowReader): Promise<void> {
  const paths = files.map((file) => join(table.path, file))
  const forms = `SELECT file_name, list(coalesce(name, '') || ' ' || coalesce(duckdb_type, '') || ' ' || coalesce(num_children, 0) ORDER BY column_id)[2:] AS form FROM parquet_schema(${quoteList(paths)}) GROUP BY file_name`
  const [[count] = []] = await engine.rows(`SELECT count(DISTINCT list_sort(form)) FROM (${forms}) AS f`)
  if (Number(count) <= 1) return
  const found = await engine.rows(`SELECT file_name, to_json(list_sort(form)) FROM (${forms}) AS f`)
  const formOf = new Map(found.map(([file, form]) => [String(file), String(form)]))
  const usual = formOf.get(paths[0] ?? '')
  const index = paths.findIndex((path) => formOf.get(path) !== usual)
  throw malformed(table, `${files[index]} has other columns or types than ${files[0]}`)
}

function malformed(table: SourceTable, problem: string): Failure {
  return new Failure('dataset-malformed', `${table.path}: ${problem}`, {
    hint: `${basename(table.path)}: ${problem}`
  })
}
