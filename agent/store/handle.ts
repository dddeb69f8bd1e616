import sqlite3 from 'sqlite3'
import { storeError } from './errors.ts'

export type Value = string | number | Uint8Array | null

/** One open database file. The package's callbacks as promises, its errors as ours. */
export class Handle {
  readonly #database: sqlite3.Database
  readonly #file: string

  private constructor(database: sqlite3.Database, file: string) {
    this.#database = database
    this.#file = file
  }

  static async open(file: string, mode: 'write' | 'read'): Promise<Handle> {
    const flags = mode === 'read' ? sqlite3.OPEN_READONLY : sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE
    return await new Promise((resolve, reject) => {
      const database = new sqlite3.Database(file, flags, (error) => {
        if (error !== null) {
          reject(storeError(error, file))
          return
        }
        // Left to itself the package runs statements on several threads, in any order.
        database.serialize()
        resolve(new Handle(database, file))
      })
    })
  }

  async run(sql: string, values: readonly Value[] = []): Promise<number> {
    const file = this.#file
    return await new Promise((resolve, reject) => {
      this.#database.run(sql, values.map(bindable), function (error) {
        if (error === null) resolve(this.changes)
        else reject(storeError(error, file))
      })
    })
  }

  async all(sql: string, values: readonly Value[] = []): Promise<unknown[]> {
    return await new Promise((resolve, reject) => {
      this.#database.all<unknown>(sql, values.map(bindable), (error, rows) => {
        if (error === null) resolve(rows)
        else reject(storeError(error, this.#file))
      })
    })
  }

  /** Statements without values, separated by semicolons. */
  async execute(sql: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#database.exec(sql, (error) => {
        if (error === null) resolve()
        else reject(storeError(error, this.#file))
      })
    })
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#database.close((error) => {
        if (error === null) resolve()
        else reject(storeError(error, this.#file))
      })
    })
  }
}

/** The binding knows Buffers only: another view on bytes would be stored as a text. */
function bindable(value: Value): string | number | Buffer | null {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value
}
