import { basename } from 'node:path'
import type { Database } from 'sqlite3'
import { Failure } from '../failure/index.ts'

type Row = Record<string, unknown>

/** A SQLite file that is read and never written: foreign, perhaps broken, perhaps in use by somebody else. */
export class SqliteFile {
  private constructor(
    private readonly database: Database,
    private readonly name: string
  ) {}

  /**
   * Opens a file and begins one read of it. `owned`: the file and what stands beside it (`-wal`, `-journal`) are copies of the
   * job's own, in which SQLite may finish what a writer left open; otherwise the file is taken as it is, without locks: whether
   * somebody wrote to it meanwhile is seen by its version.
   *
   * @throws {Failure} dataset-malformed
   */
  static async open(path: string, { owned }: { owned: boolean }): Promise<SqliteFile> {
    // loaded when it is needed: most jobs read no SQLite
    const { default: sqlite } = await import('sqlite3')
    const where = path.split('/').map(encodeURIComponent).join('/')
    const address = owned ? `file:${where}?mode=rw` : `file:${where}?mode=ro&immutable=1`
    const flags = sqlite.OPEN_URI | (owned ? sqlite.OPEN_READWRITE : sqlite.OPEN_READONLY)
    const database = await new Promise<Database>((resolve, reject) => {
      const opened: Database = new sqlite.Database(address, flags, (error) =>
        error === null ? resolve(opened) : reject(failureOf(error, basename(path)))
      )
    })
    const file = new SqliteFile(database, basename(path))
    try {
      // functions in a foreign file's views and generated columns get no more than they need
      await file.all('PRAGMA trusted_schema = OFF')
      await file.all('PRAGMA cell_size_check = ON')
      await file.all('BEGIN')
      return file
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** @throws {Failure} dataset-malformed, disk-limit, memory-limit */
  async all(sql: string, values: readonly string[] = []): Promise<Row[]> {
    return await new Promise((resolve, reject) => {
      this.database.all<Row>(sql, values, (error, rows) =>
        error === null ? resolve(rows) : reject(failureOf(error, this.name))
      )
    })
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.database.close(() => resolve()))
  }
}

const BROKEN: Readonly<Record<string, string>> = {
  SQLITE_NOTADB: 'is no SQLite database, or is encrypted',
  SQLITE_CORRUPT: 'is a damaged SQLite database',
  SQLITE_CANTOPEN: 'cannot be opened as a SQLite database',
  SQLITE_BUSY: 'is being written; try again when its writer has finished'
}

/** SQLite's own words may quote values, so they stay local. */
function failureOf(error: Error, name: string): Failure {
  const code = 'code' in error ? String(error.code) : ''
  if (code === 'SQLITE_FULL')
    return new Failure('disk-limit', error.message, {
      cause: error,
      hint: 'the job needed more disk than it may use'
    })
  if (code === 'SQLITE_NOMEM')
    return new Failure('memory-limit', error.message, {
      cause: error,
      hint: 'the job needed more memory than it may use'
    })
  const hint = `${name} ${BROKEN[code] ?? 'cannot be read as declared'}`
  return new Failure('dataset-malformed', error.message, { cause: error, hint })
}
