import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Contribution } from '../aggregate/index.ts'
import { type Engine, engineError, resourceFailure } from '../engine/index.ts'
import { Failure } from '../failure/index.ts'
import type { Column, Part } from '../job/index.ts'
import { quoteList, quoteName, quoteText, transportType } from '../sql/index.ts'

/** Columns as they are written: under their names, in types that Parquet keeps. */
export function outputList(columns: readonly Column[]): string {
  return columns
    .map(({ name, type }) => {
      const as = transportType(type)
      return as === undefined ? quoteName(name) : `CAST(${quoteName(name)} AS ${as}) AS ${quoteName(name)}`
    })
    .join(', ')
}

/** A SELECT over Parquet files that gives every column the type it had before it was written. */
export async function readFiles(
  engine: Engine,
  paths: readonly string[]
): Promise<{ sql: string; columns: Column[] }> {
  const scan = `read_parquet(${quoteList(paths)})`
  const columns = await engine.describe(`SELECT * FROM ${scan}`)
  const restored = columns.map(({ name, type }) => ({
    name,
    type: type === 'DECIMAL(38,0)' ? 'HUGEINT' : type
  }))
  const list = restored.map(({ name, type }) =>
    type === 'HUGEINT' ? `CAST(${quoteName(name)} AS HUGEINT) AS ${quoteName(name)}` : quoteName(name)
  )
  return { sql: `SELECT ${list.join(', ')} FROM ${scan}`, columns: restored }
}

export interface PartsInput {
  from: string
  paths: readonly string[]
  columns?: readonly Column[] | undefined
}

/**
 * The rows of all parts one party sent, in the order of the parts' names.
 *
 * @throws {Failure} schema-mismatch when parts cannot be read, differ from each other or from what was announced
 */
export async function readParts(
  engine: Engine,
  root: string,
  input: PartsInput
): Promise<Contribution & { rows: number }> {
  const paths = [...input.paths].sort(byNumber).map((path) => join(root, path))
  const relation = input.from
  if (paths.length === 0) throw mismatch(`${input.from} sent no part`)
  let read: Awaited<ReturnType<typeof readFiles>>
  let rows: number
  try {
    read = await readFiles(engine, paths)
    const forms = `SELECT list(name || ' ' || coalesce(duckdb_type, '') ORDER BY name, duckdb_type) AS form FROM parquet_schema(${quoteList(paths)}) GROUP BY file_name`
    const [[count] = []] = await engine.rows(`SELECT count(DISTINCT form) FROM (${forms}) AS f`)
    if (Number(count) > 1) throw mismatch(`${input.from} sent parts whose columns differ from each other`)
    const [[sum] = []] = await engine.rows(
      `SELECT sum(num_rows) FROM parquet_file_metadata(${quoteList(paths)})`
    )
    rows = Number(sum)
  } catch (error) {
    throw error instanceof Failure
      ? error
      : (resourceFailure(error) ??
          mismatch(`${relation} sent a part that is not a readable Parquet file`, error))
  }
  for (const expected of input.columns ?? []) {
    const found = read.columns.find(({ name }) => name === expected.name)
    if (found === undefined) throw mismatch(`${input.from} sent no column "${expected.name}"`)
    if (found.type !== expected.type)
      throw mismatch(
        `column "${found.name}" of ${input.from}: expected ${expected.type}, found ${found.type}`
      )
  }
  return { from: input.from, relation: `(${read.sql})`, columns: read.columns, rows }
}

/** part-2 before part-10. */
function byNumber(a: string, b: string): number {
  const key = (path: string): string => path.replaceAll(/\d+/g, (digits) => digits.padStart(12, '0'))
  const [left, right] = [key(a), key(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

function mismatch(hint: string, cause?: unknown): Failure {
  return new Failure(
    'schema-mismatch',
    cause === undefined ? hint : `${hint}: ${engineError(cause).message}`,
    { hint, cause }
  )
}

/** Writes a relation as Parquet files `out/part-N.parquet` of about `bytes` each; at least one, so that the schema travels. */
export function copyParts(select: string, out: string, bytes: number): { prefix: string; sql: string } {
  const prefix = 'COPY ('
  const options = `FORMAT parquet, COMPRESSION zstd, FILE_SIZE_BYTES ${bytes}, FILENAME_PATTERN 'part-{i}', OVERWRITE_OR_IGNORE true`
  return { prefix, sql: `${prefix}${select}) TO ${quoteText(out)} (${options})` }
}

/** All parts in the out folder, in order. */
export async function describeParts(engine: Engine, root: string): Promise<Part[]> {
  const names = (await readdir(join(root, 'out')))
    .filter((name) => /^part-\d+\.parquet$/.test(name))
    .sort(byNumber)
  const counted = await engine.rows(
    `SELECT parse_filename(file_name), num_rows FROM parquet_file_metadata(${quoteList(names.map((name) => join(root, 'out', name)))})`
  )
  const rows = new Map(counted.map(([name, count]) => [String(name), Number(count)]))
  const parts: Part[] = []
  for (const name of names) parts.push(await describePart(root, `out/${name}`, rows.get(name) ?? 0))
  return parts
}

export async function describePart(root: string, path: string, rows: number): Promise<Part> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(join(root, path), { highWaterMark: 1024 * 1024 }), hash)
  return { path, bytes: (await stat(join(root, path))).size, rows, digest: hash.digest('hex') }
}
