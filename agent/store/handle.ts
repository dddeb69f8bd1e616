import sqlite3 from 'sqlite3'
import { storeError } from './errors.ts'

export type Value = string | number | Uint8Array | null

const MAX_STATEMENTS = 256

/** One open database file. The package's callbacks as promises, its errors as ours. */
export class Handle {
  readonly #database: sqlite3.Database
  readonly #file: string
  /** Compiled once: the package would compile a statement anew, in another turn of its threads, at each call. */
  readonly #statements = new Map<string, Promise<sqlite3.Statement>>()

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
    const statement = await this.#prepared(sql)
    const file = this.#file
    return await new Promise((resolve, reject) => {
      statement.run(values.map(bindable), function (this: sqlite3.RunResult, error: Error | null) {
        if (error === null) resolve(this.changes)
        else reject(storeError(error, file))
      })
    })
  }

  async all(sql: string, values: readonly Value[] = []): Promise<unknown[]> {
    const statement = await this.#prepared(sql)
    return await new Promise((resolve, reject) => {
      statement.all<unknown>(values.map(bindable), (error, rows) => {
        if (error === null) resolve(rows)
        else reject(storeError(error, this.#file))
      })
    })
  }

  #prepared(sql: string): Promise<sqlite3.Statement> {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = new Promise<sqlite3.Statement>((resolve, reject) => {
      const prepared = this.#database.prepare(sql, (error: Error | null) => {
        if (error === null) resolve(prepared)
        else reject(storeError(error, this.#file))
      })
    })
    this.#statements.set(sql, statement)
    statement.catch(() => this.#statements.delete(sql))
    if (this.#statements.size > MAX_STATEMENTS) this.#drop(this.#statements.keys().next().value)
    return statement
  }

  #drop(sql: string | undefined): void {
    if (sql === undefined) return
    const dropped = this.#statements.get(sql)
    this.#statements.delete(sql)
    void dropped?.then(
      (statement) => statement.finalize(),
      () => undefined
    )
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
    for (const sql of [...this.#statements.keys()]) this.#drop(sql)
    await Promise.resolve()
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
