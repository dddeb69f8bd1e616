import { AsyncLocalStorage } from 'node:async_hooks'
import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { hasCode } from '../../protocol/errors/index.ts'
import { type Connection, parseRows } from './connection.ts'
import { isConstraint, StoreFailed, storeError } from './errors.ts'
import { Handle } from './handle.ts'
import { lockState } from './lock.ts'
import { migrate } from './migrate.ts'
import { MIGRATIONS, type Migration } from './migrations/index.ts'
import { Queue } from './queue.ts'
import { LOG_WRITER, type Log, type LogEnd, type Tables, tablesOn } from './tables/index.ts'

declare const inside: unique symbol
/** Everything inside happened or nothing did, and nothing else happened in between. Only {@link Store.transaction} makes one. */
export interface Transaction extends Tables {
  readonly [inside]: true
}

function asTransaction(tables: Tables): Transaction {
  return tables as Transaction
}

/**
 * The state of one agent. When a call that changes something has resolved, the change is on disk and survives a crash of the
 * machine: a message that depends on it may leave.
 */
export interface Store extends Tables {
  /**
   * Several changes as one. They run one after the other over the whole agent, so `work` waits for nothing but the store, and
   * uses the `tx` it is given.
   *
   * @throws what `work` throws, after everything was undone; {StorageFull}, {StateCorrupt}
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  /** Waits for what was begun, then lets go of the file. */
  close(): Promise<void>
}

export interface StoreInit {
  /**
   * FULL: a commit is on disk when it resolves. NORMAL: a crash of the machine may lose the latest ones; for tests and benchmarks.
   *
   * @default FULL
   */
  synchronous?: 'FULL' | 'NORMAL'
  /** How large the file may grow, in pages of 4 KiB. @default as large as the disk */
  maxPages?: number
  /** @default all of them */
  migrations?: readonly Migration[]
}

const BUSY_TIMEOUT_MS = 5000
/** What the write-ahead log shrinks to after a large transaction. */
const MAX_WAL_BYTES = 16 << 20
const PRAGMAS = `PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA journal_size_limit = ${MAX_WAL_BYTES};`

/** @param guard runs each statement, or refuses to */
function connectionOn(
  handle: Handle,
  file: string,
  guard: <T>(statement: () => Promise<T>) => Promise<T>
): Connection {
  const connection: Connection = {
    run: async (sql, values) => await guard(async () => await handle.run(sql, values)),
    all: async (schema, sql, values) =>
      await guard(async () => parseRows(schema, await handle.all(sql, values), file)),
    get: async (schema, sql, values) =>
      await guard(async () => parseRows(schema, await handle.all(sql, values), file)[0]),
    atomically: async (work) => await work(connection)
  }
  return connection
}

/**
 * After a statement failed for another reason than a constraint, SQLite may have undone the transaction by itself, and what
 * followed would be committed piece by piece: so nothing may follow, even if the caller caught the error.
 */
class Scope {
  #running = true
  #failure: unknown

  get running(): boolean {
    return this.#running
  }

  async guard<T>(statement: () => Promise<T>): Promise<T> {
    if (!this.#running) throw new StoreFailed('a transaction was used after its end')
    if (this.#failure !== undefined)
      throw new StoreFailed('a transaction was used after it failed', { cause: this.#failure })
    try {
      return await statement()
    } catch (error) {
      if (!isConstraint(error)) this.#failure = error
      throw error
    }
  }

  close(): void {
    this.#running = false
  }

  /** Before a commit. @throws the failure of an earlier statement */
  end(): void {
    this.close()
    if (this.#failure !== undefined) throw this.#failure
  }
}

/** The transactions that a call stands in, the innermost first; each is of another state. */
interface Within {
  queue: Queue
  scope: Scope
  outer: Within | undefined
}

/** One for all: each of these costs every promise of the process something, for as long as the process runs. */
const within = new AsyncLocalStorage<Within>()

/** The innermost that still runs: what was begun inside one lives on after it. */
function stillRunning(found: Within | undefined): Within | undefined {
  let one = found
  while (one !== undefined && !one.scope.running) one = one.outer
  return one
}

function isWithin(queue: Queue): boolean {
  for (let one = stillRunning(within.getStore()); one !== undefined; one = stillRunning(one.outer))
    if (one.queue === queue) return true
  return false
}

/** Only when it is not there: closing a second descriptor would free SQLite's locks on it (POSIX advisory locks). */
async function makePrivate(file: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await (await open(file, 'ax', 0o600)).close()
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return
    throw storeError(error, file)
  }
}

/**
 * Opens the state of an agent, makes it if there is none, and brings its schema up to date. One process at a time.
 *
 * @throws {StateInUse}, {StateTooNew}, {StateCorrupt}, {StorageFull}
 */
export async function openStore(file: string, init: StoreInit = {}): Promise<Store> {
  await makePrivate(file)
  const opened: { close(): Promise<void> }[] = []
  try {
    const lock = await lockState(file)
    opened.push({ close: lock.release })
    const writer = await Handle.open(file, 'write')
    opened.unshift(writer)
    await writer.execute(
      `${PRAGMAS} PRAGMA journal_mode = WAL; PRAGMA synchronous = ${init.synchronous ?? 'FULL'};`
    )
    await migrate(writer, file, init.migrations ?? MIGRATIONS)
    await writer.execute(LOG_WRITER)
    if (init.maxPages !== undefined) await writer.execute(`PRAGMA max_page_count = ${init.maxPages}`)
    const reader = await Handle.open(file, 'read')
    opened.unshift(reader)
    await reader.execute(`${PRAGMAS} PRAGMA query_only = ON;`)
    return storeOn(file, writer, reader, opened)
  } catch (error) {
    for (const one of opened) await one.close().catch(() => undefined)
    throw error
  }
}

/**
 * The log alone, to read: beside the store that writes it, also from another thread of its process.
 *
 * @throws {StateCorrupt}
 */
export async function openLog(file: string): Promise<{ log: Pick<Log, 'range'>; close(): Promise<void> }> {
  const reader = await Handle.open(file, 'read')
  await reader.execute(`${PRAGMAS} PRAGMA query_only = ON;`)
  const connection = connectionOn(reader, file, async (statement) => await statement())
  return { log: tablesOn(connection).log, close: async () => await reader.close() }
}

function storeOn(
  file: string,
  writer: Handle,
  reader: Handle,
  opened: readonly { close(): Promise<void> }[]
): Store {
  const queue = new Queue()
  let closed = false

  const assertUsable = () => {
    if (closed) throw new StoreFailed('the store is closed')
    // It would wait for itself: the transaction it is called from holds the queue.
    if (isWithin(queue))
      throw new StoreFailed('the store was used inside a transaction; use the transaction itself')
  }

  // As of the last commit; transactions run one after the other, and nobody else writes.
  let logEnd: LogEnd = { last: undefined }
  const transact = async <T>(work: (connection: Connection, end: LogEnd) => Promise<T>): Promise<T> => {
    assertUsable()
    return await queue.enter(async () => {
      const scope = new Scope()
      const connection = connectionOn(writer, file, async (statement) => await scope.guard(statement))
      const end = { ...logEnd }
      await writer.run('BEGIN IMMEDIATE')
      try {
        const outer = stillRunning(within.getStore())
        const result = await within.run({ queue, scope, outer }, async () => await work(connection, end))
        scope.end()
        await writer.run('COMMIT')
        logEnd = end
        return result
      } catch (error) {
        scope.close()
        // Whether a commit that failed was one is for the file to say.
        logEnd = { last: undefined }
        // A full disk has already undone it; then there is nothing left to roll back.
        await writer.run('ROLLBACK').catch(() => undefined)
        throw error
      }
    })
  }

  const committed = connectionOn(reader, file, async (statement) => {
    assertUsable()
    return await statement()
  })
  const outside: Connection = {
    ...committed,
    run: async (sql, values) => await transact(async (connection) => await connection.run(sql, values)),
    atomically: transact
  }
  const tables = tablesOn(outside)
  return {
    ...tables,
    log: {
      ...tables.log,
      insert: async (lines) =>
        await transact(async (connection, end) => await tablesOn(connection, end).log.insert(lines))
    },
    transaction: async (work) =>
      await transact(async (connection, end) => await work(asTransaction(tablesOn(connection, end)))),
    close: async () => {
      if (closed) return
      closed = true
      await queue.idle()
      for (const one of opened) await one.close()
    }
  }
}
