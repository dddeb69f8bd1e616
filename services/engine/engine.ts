import {
  BIGINT,
  BLOB,
  blobValue,
  DOUBLE,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBResult,
  VARCHAR
} from '@duckdb/node-api'
import type { Column } from '../job/index.ts'
import { quoteList, quoteName, quoteText } from '../sql/index.ts'

export interface EngineSettings {
  /** bytes */
  memory: number
  threads: number
  /** bytes that spilled data may take */
  spill: number
  /** Where it spills; must exist. */
  scratch: string
  /** Folders in which it may read and write. */
  folders: readonly string[]
  /** Single files that it may read. */
  files: readonly string[]
}

/** In which types values from elsewhere are handed to the engine. */
const CARRIERS = { BIGINT, BLOB, DOUBLE, VARCHAR }
const ROWS_OF_CHUNK = 2048

/** One in-memory database with one connection. */
export class Engine {
  private constructor(private readonly connection: DuckDBConnection) {}

  static async open(): Promise<Engine> {
    const instance = await DuckDBInstance.create(':memory:', {
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      allow_community_extensions: 'false'
    })
    const engine = new Engine(await instance.connect())
    await engine.run(
      "SET errors_as_json = true; SET TimeZone = 'UTC'; SET Calendar = 'gregorian'; SET enable_progress_bar = false"
    )
    return engine
  }

  /** Restricts the engine to its folders and limits; nothing can be set afterwards. */
  async confine(settings: EngineSettings): Promise<void> {
    await this.run(
      [
        `SET memory_limit = '${Math.floor(settings.memory)}B'`,
        `SET threads = ${Math.max(1, Math.floor(settings.threads))}`,
        `SET temp_directory = ${quoteText(settings.scratch)}`,
        `SET max_temp_directory_size = '${Math.floor(settings.spill)}B'`,
        `SET allowed_directories = ${quoteList(settings.folders)}`,
        `SET allowed_paths = ${quoteList(settings.files)}`,
        'SET enable_external_access = false',
        'SET lock_configuration = true'
      ].join('; ')
    )
  }

  /** Runs one or more statements of ours; gives the first value of the last one, which for a write is its number of rows. */
  async run(sql: string): Promise<unknown> {
    const reader = await this.connection.runAndReadAll(sql)
    return reader.getRows()[0]?.[0]
  }

  async rows(sql: string, values?: string[]): Promise<unknown[][]> {
    const reader = await this.connection.runAndReadAll(sql, values)
    return reader.getRows()
  }

  /** The result itself, for values that keep their engine type. */
  async result(sql: string): Promise<DuckDBResult> {
    return await this.connection.run(sql)
  }

  /** The result as it is made, a chunk at a time: for more rows than memory holds. */
  async stream(sql: string): Promise<DuckDBResult> {
    return await this.connection.stream(sql)
  }

  /** A temporary table of values from elsewhere, a page of rows at a time. */
  async load(
    table: string,
    columns: readonly { name: string; type: keyof typeof CARRIERS }[],
    pages: AsyncIterable<readonly (readonly (string | number | bigint | Uint8Array | null)[])[]>
  ): Promise<void> {
    const list = columns.map(({ name, type }) => `${quoteName(name)} ${type}`).join(', ')
    await this.run(`CREATE OR REPLACE TEMP TABLE ${quoteName(table)} (${list})`)
    const appender = await this.connection.createAppender(table)
    const types = columns.map(({ type }) => CARRIERS[type])
    for await (const page of pages)
      for (let start = 0; start < page.length; start += ROWS_OF_CHUNK) {
        const rows = page.slice(start, start + ROWS_OF_CHUNK)
        const chunk = DuckDBDataChunk.create(types)
        chunk.setColumns(
          columns.map((_, index) =>
            rows.map((row) => {
              const value = row[index] ?? null
              return value instanceof Uint8Array ? blobValue(value) : value
            })
          )
        )
        appender.appendDataChunk(chunk)
      }
    appender.closeSync()
  }

  /** How many statements a text holds. */
  async statements(sql: string): Promise<number> {
    const extracted = await this.connection.extractStatements(sql)
    return extracted.count
  }

  /** The columns one statement gives, bound but not run. Names may repeat. */
  async describe(sql: string): Promise<Column[]> {
    const prepared = await this.connection.prepare(sql)
    try {
      return Array.from({ length: prepared.columnCount }, (_, index) => ({
        name: prepared.columnName(index),
        type: String(prepared.columnType(index))
      }))
    } finally {
      prepared.destroySync()
    }
  }
}
