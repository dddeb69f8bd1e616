import { isUtf8 } from 'node:buffer'
import { createReadStream, createWriteStream } from 'node:fs'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Failure, nearest } from '../failure/index.ts'
import type { Column, SourceTable } from '../job/index.ts'
import { quoteName, quoteText } from '../sql/index.ts'
import { bindColumns } from './bind-columns.ts'
import { isText } from './infer.ts'
import { SqliteFile } from './sqlite-file.ts'
import {
  type Carrier,
  carried,
  carrierOf,
  declaredInSqlite,
  isLarge,
  misfit,
  type Stored,
  typeOfStored
} from './sqlite-types.ts'

/** What copying a table into the engine needs of it. */
export interface EngineLoader {
  rows(sql: string): Promise<unknown[][]>
  run(sql: string): Promise<unknown>
  load(table: string, columns: readonly Column[], pages: AsyncIterable<readonly Values[]>): Promise<void>
}
type Values = readonly (string | number | bigint | Uint8Array | null)[]

/** SQLite takes 2,000 expressions in one SELECT, and the row's number is one. */
const MOST_COLUMNS = 1900
const COLUMNS_AT_ONCE = 300
const CELLS_AT_ONCE = 100_000
const COPY = '"temp"."dynamos copy"'

interface Found {
  name: string
  declaration: string
}

/**
 * Copies a table or view of a SQLite file into the engine: DuckDB's own reader of SQLite would have to be fetched over the network.
 *
 * @returns the temporary table, its columns, and the bindings that read it
 * @throws {Failure} dataset-malformed, naming file, column and row, and never a value
 */
export async function loadSqlite(
  table: SourceTable,
  scratch: string,
  engine: EngineLoader
): Promise<{ relation: string; columns: Column[]; notes: string[] }> {
  const file = await openFile(table, scratch)
  try {
    const wanted = table.table ?? table.name
    const found = await columnsOf(file, table, wanted)
    const { relation, row } = await numbered(file, wanted, found)
    const types = await typesOf(file, engine, table, relation, found)
    await assertFits(file, table, relation, types)
    const loaded = `dynamos ${Buffer.from(table.name).toString('hex').slice(0, 80)}`
    const carriers = types.map(({ name, type }) => ({ name, type: carrierOf(type) }))
    await engine.load(loaded, carriers, pages(file, table, relation, row, carriers))
    const columns = await settle(engine, loaded, types)
    const notes = types.flatMap(({ name, type, likely }, index) =>
      likely && columns[index]?.type === 'VARCHAR'
        ? [`column "${name}" is declared ${type}, but not all its values are: read as VARCHAR`]
        : []
    )
    return { relation: quoteName(loaded), columns: columns.map(({ name, type }) => ({ name, type })), notes }
  } finally {
    await file.close()
  }
}

/** A file with a log or journal beside it is copied first: to read it, SQLite has to finish what stands there. */
async function openFile({ path, beside = [] }: SourceTable, scratch: string): Promise<SqliteFile> {
  // what SQLite spills belongs to the job's folder and counts there
  process.env.SQLITE_TMPDIR = scratch
  if (beside.length === 0) return await SqliteFile.open(path, { owned: false })
  const copy = join(scratch, 'copy.sqlite')
  // byte by byte: a job may not clone files or change their mode, which a copy by the system does
  for (const from of [path, ...beside]) {
    const to = from === path ? copy : `${copy}${from.slice(from.lastIndexOf('-'))}`
    await pipeline(createReadStream(from), createWriteStream(to))
  }
  return await SqliteFile.open(copy, { owned: true })
}

async function columnsOf(file: SqliteFile, table: SourceTable, wanted: string): Promise<Found[]> {
  const rows = await file.all('SELECT name, type FROM pragma_table_xinfo(?) WHERE hidden <> 1', [wanted])
  if (rows.length > MOST_COLUMNS)
    throw malformed(table, `expected at most ${MOST_COLUMNS} columns, found ${rows.length}`)
  if (rows.length > 0)
    return rows.map(({ name, type }) => ({ name: String(name), declaration: String(type) }))
  const names = await file.all("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")
  const near = nearest(
    wanted,
    names.map(({ name }) => String(name))
  )
  throw malformed(
    table,
    `expected a table or view "${wanted}"${near === undefined ? '' : `, did you mean "${near}"?`}`
  )
}

/** Pages are cut by the row's number; what has none, views say, is copied into a temporary table. */
async function numbered(
  file: SqliteFile,
  wanted: string,
  columns: readonly Found[]
): Promise<{ relation: string; row: string }> {
  const names = new Set(columns.map(({ name }) => name.toLowerCase()))
  const row = ['rowid', '_rowid_', 'oid'].find((name) => !names.has(name))
  const relation = `"main".${quoteName(wanted)}`
  const [about] = await file.all(
    "SELECT type, wr FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE",
    [wanted]
  )
  if (row !== undefined && about?.type === 'table' && about.wr === 0) return { relation, row }
  const list = columns.map(({ name }, index) => `${quoteName(name)} AS c${index}`).join(', ')
  await file.all(`CREATE TABLE ${COPY} AS SELECT ${list} FROM ${relation}`)
  // under the names of the columns, or two that differ in case alone would be one
  const named = columns.map(({ name }, index) => `c${index} AS ${quoteName(name)}`).join(', ')
  return { relation: `(SELECT rowid AS "dynamos row", ${named} FROM ${COPY})`, row: '"dynamos row"' }
}

interface Typed extends Column {
  /** Taken only when all values fit. */
  likely: boolean
}

/** What each column is read as: as the steward declared it, else as SQLite has it declared, else as its values are. */
async function typesOf(
  file: SqliteFile,
  engine: EngineLoader,
  table: SourceTable,
  relation: string,
  found: readonly Found[]
): Promise<Typed[]> {
  const columns = found.map(({ name }) => ({ name, type: 'VARCHAR' }))
  const said = new Map(bindColumns(table, columns).map(({ from, type }) => [from, type]))
  const open = found.filter(
    ({ name, declaration }) => said.get(name) === undefined && declaredInSqlite(declaration) === undefined
  )
  const stored = await storedIn(
    file,
    relation,
    open.map(({ name }) => name)
  )
  return await Promise.all(
    found.map(async ({ name, declaration }) => {
      const type = said.get(name)
      // as the engine spells it: a steward may write INT or TEXT
      if (type !== undefined) return { name, type: await spelled(engine, table, type), likely: false }
      const declared = declaredInSqlite(declaration)
      if (declared !== undefined) return { name, ...declared }
      const counts = stored.get(name)
      return { name, type: counts === undefined ? 'VARCHAR' : typeOfStored(counts), likely: false }
    })
  )
}

async function spelled(engine: EngineLoader, table: SourceTable, type: string): Promise<string> {
  try {
    return String((await engine.rows(`SELECT typeof(CAST(NULL AS ${type}))`))[0]?.[0] ?? type)
  } catch {
    throw malformed(table, `expected a type such as BIGINT, found ${quoteText(type.slice(0, 40))}`)
  }
}

async function storedIn(
  file: SqliteFile,
  relation: string,
  names: readonly string[]
): Promise<Map<string, Stored>> {
  const all = new Map<string, Stored>()
  for (let start = 0; start < names.length; start += COLUMNS_AT_ONCE) {
    const some = names.slice(start, start + COLUMNS_AT_ONCE)
    const counts = some.flatMap((name, index) => {
      const column = quoteName(name)
      const of = (kind: string) => `coalesce(sum(typeof(${column}) = '${kind}'), 0)`
      return [
        `${of('integer')} AS i${index}`,
        `${of('real')} AS r${index}`,
        `${of('text')} AS t${index}`,
        `${of('blob')} AS b${index}`,
        `coalesce(sum(typeof(${column}) = 'integer' AND ${isLarge(column)}), 0) AS l${index}`
      ]
    })
    const [row = {}] = await file.all(`SELECT ${counts.join(', ')} FROM ${relation}`)
    const count = (key: string) => Number(row[key] ?? 0)
    for (const [index, name] of some.entries())
      all.set(name, {
        integer: count(`i${index}`),
        real: count(`r${index}`),
        text: count(`t${index}`),
        blob: count(`b${index}`),
        large: count(`l${index}`)
      })
  }
  return all
}

/** SQLite lets any value into any column: one that is not of the column's type is told by its row. */
async function assertFits(
  file: SqliteFile,
  table: SourceTable,
  relation: string,
  columns: readonly Column[]
): Promise<void> {
  for (let start = 0; start < columns.length; start += COLUMNS_AT_ONCE) {
    const some = columns.slice(start, start + COLUMNS_AT_ONCE)
    const counts = some.map(({ name, type }, index) => `sum(${misfit(quoteName(name), type)}) AS n${index}`)
    const [row = {}] = await file.all(`SELECT ${counts.join(', ')} FROM ${relation}`)
    const index = some.findIndex((_, place) => Number(row[`n${place}`] ?? 0) > 0)
    const column = some[index]
    if (column === undefined) continue
    const [place] = await file.all(
      `SELECT n FROM (SELECT ${misfit(quoteName(column.name), column.type)} AS m, row_number() OVER () AS n FROM ${relation}) WHERE m LIMIT 1`
    )
    throw malformed(
      table,
      `column "${column.name}", row ${place?.n}: expected ${column.type}, found a value of another kind`
    )
  }
}

async function* pages(
  file: SqliteFile,
  table: SourceTable,
  relation: string,
  row: string,
  columns: readonly { name: string; type: Carrier }[]
): AsyncGenerator<Values[]> {
  const limit = Math.max(50, Math.floor(CELLS_AT_ONCE / columns.length))
  const list = columns.map(({ name, type }, index) => `${carried(quoteName(name), type)} AS c${index}`)
  const select = `SELECT CAST(${row} AS TEXT) AS r, ${list.join(', ')} FROM ${relation}`
  const unicode = (await file.all('PRAGMA encoding'))[0]?.encoding === 'UTF-8'
  let last: string | undefined
  let count = 0
  for (;;) {
    const found: Record<string, unknown>[] = await file.all(
      `${select}${last === undefined ? '' : ` WHERE ${row} > CAST(? AS INTEGER)`} ORDER BY ${row} LIMIT ${limit}`,
      last === undefined ? [] : [last]
    )
    const end = found.at(-1)
    if (end === undefined) return
    last = String(end.r)
    for (const [index, one] of found.entries())
      for (const [place, { name }] of columns.entries()) {
        const value = one[`c${place}`]
        // the driver puts this sign in the place of bytes that are no text
        if (typeof value !== 'string' || !value.includes('\uFFFD')) continue
        const [raw] = await file.all(
          `SELECT hex(CAST(${quoteName(name)} AS BLOB)) AS bytes FROM ${relation} WHERE ${row} = CAST(? AS INTEGER)`,
          [String(one.r)]
        )
        if (unicode && !isUtf8(Buffer.from(String(raw?.bytes), 'hex')))
          throw malformed(table, `column "${name}", row ${count + index + 1}: expected text in UTF-8`)
      }
    yield found.map((one) => columns.map(({ type }, place) => handedOver(one[`c${place}`], type)))
    count += found.length
  }
}

function handedOver(value: unknown, carrier: Carrier): Values[number] {
  if (value === null || value === undefined) return null
  if (carrier === 'BIGINT') return BigInt(String(value))
  if (value instanceof Uint8Array) return value
  return carrier === 'DOUBLE' ? Number(value) : String(value)
}

/** A type that is likely is taken when every value has it; one that was declared is a promise. */
async function settle(engine: EngineLoader, loaded: string, columns: readonly Typed[]): Promise<Typed[]> {
  const likely = columns.filter((column) => column.likely)
  if (likely.length === 0) return [...columns]
  const counts = likely.map(({ name, type }) => {
    const column = quoteName(name)
    return `count(*) FILTER (WHERE ${column} IS NOT NULL AND NOT (${isText(column, type)}))`
  })
  const [row = []] = await engine.rows(`SELECT ${counts.join(', ')} FROM ${quoteName(loaded)}`)
  const broken = new Set(likely.filter((_, index) => Number(row[index]) > 0).map(({ name }) => name))
  return columns.map((column) => (broken.has(column.name) ? { ...column, type: 'VARCHAR' } : column))
}

/** The first row of the loaded table whose value is not of the type that its column was declared with. */
export async function misfitIn(
  engine: Pick<EngineLoader, 'rows'>,
  relation: string,
  columns: readonly Column[]
): Promise<string | undefined> {
  for (const { name, type } of columns) {
    const column = quoteName(name)
    const [[row] = []] = await engine.rows(
      `SELECT min(rowid) FROM ${relation} WHERE ${column} IS NOT NULL AND TRY_CAST(${column} AS ${type}) IS NULL`
    )
    if (row !== null && row !== undefined) return `column "${name}", row ${Number(row) + 1}: expected ${type}`
  }
  return undefined
}

function malformed(table: SourceTable, problem: string): Failure {
  return new Failure('dataset-malformed', `${table.path}: ${problem}`, {
    hint: `${basename(table.path)}: ${problem}`
  })
}
