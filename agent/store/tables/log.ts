import { z } from 'zod'
import { type Connection, storedBytes, storedInteger } from '../connection.ts'

const row = z.object({
  sequence: storedInteger,
  head: z.string(),
  kind: z.string(),
  request: z.string().nullable(),
  contract: z.string().nullable(),
  salt: storedBytes.nullable(),
  entry: storedBytes
})
/**
 * A line of the log. `entry` is canonical bytes; `head` is the hash of the chain up to and with it; `salt` is null in lines that
 * were written before there were any. See agent/audit.
 */
export type StoredLine = z.infer<typeof row>

/** A line to be written, with what lies beside it. */
export interface NewLine extends StoredLine {
  beside?: { salt: Uint8Array; content: Uint8Array; at: number }
}

/**
 * A line and what lies beside it are one statement. Two could not be under way at once: of a full disk SQLite undoes the whole
 * transaction at the first, and would keep the second by itself.
 */
export const LOG_WRITER = `
CREATE TEMP VIEW new_lines AS SELECT NULL AS sequence, NULL AS head, NULL AS kind, NULL AS request, NULL AS contract,
  NULL AS salt, NULL AS entry, NULL AS beside_salt, NULL AS beside, NULL AS at;
CREATE TEMP TRIGGER write_new_lines INSTEAD OF INSERT ON new_lines BEGIN
  INSERT INTO log (sequence, head, kind, request, contract, salt, entry)
    VALUES (new.sequence, new.head, new.kind, new.request, new.contract, new.salt, new.entry);
  INSERT INTO openings (sequence, salt, content, at)
    SELECT new.sequence, new.beside_salt, new.beside, new.at WHERE new.beside IS NOT NULL;
END;`

const COLUMNS = 'sequence, head, kind, request, contract, salt, entry'
const PAGE = 1000
/** SQLite takes a bounded number of values in one statement. */
const MAX_AT_ONCE = 500

export interface Log {
  /** The sequence number is the primary key: a second line with the same number is refused. */
  insert(lines: readonly NewLine[]): Promise<void>
  last(): Promise<StoredLine | undefined>
  at(sequence: number): Promise<StoredLine | undefined>
  /** In order. @param limit @default 1000 */
  range(from: number, limit?: number): Promise<StoredLine[]>
  ofRequest(request: string): Promise<StoredLine[]>
  /** The latest below `before`, the latest first. */
  latest(options: { before: number; limit: number; kind?: string; request?: string }): Promise<StoredLine[]>
  ofContract(contract: string): Promise<StoredLine[]>
}

/** What follows one after the other is known; anything else is read again. */
function lastOf(known: LogEnd['last'], lines: readonly StoredLine[]): LogEnd['last'] {
  if (known === undefined) return undefined
  const follows = lines.every(({ sequence }, index) => sequence === (known?.sequence ?? 0) + index + 1)
  return follows ? (lines.at(-1) ?? known) : undefined
}

/**
 * The last line as a transaction knows it without asking the database: null when there is none, undefined when it has not been
 * read. Should it ever be wrong, the line after it has a number that there is, and is refused.
 */
export interface LogEnd {
  last: StoredLine | null | undefined
}

/** @param end remembered from one call to the next. @default nothing is */
export function logOn(connection: Connection, end?: LogEnd): Log {
  return {
    insert: async (lines) => {
      // Until all of them are there, nothing is known.
      const known = end?.last
      if (end !== undefined) end.last = undefined
      for (let from = 0; from < lines.length; from += MAX_AT_ONCE) {
        const some = lines.slice(from, from + MAX_AT_ONCE)
        await connection.run(
          `INSERT INTO new_lines VALUES ${some.map(() => '(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').join(', ')}`,
          some.flatMap(({ sequence, head, kind, request, contract, salt, entry, beside = null }) => [
            ...[sequence, head, kind, request, contract, salt, entry],
            ...(beside === null ? [null, null, null] : [beside.salt, beside.content, beside.at])
          ])
        )
      }
      if (end !== undefined) end.last = lastOf(known, lines)
    },
    last: async () => {
      if (end?.last !== undefined) return end.last ?? undefined
      const found = await connection.get(row, `SELECT ${COLUMNS} FROM log ORDER BY sequence DESC LIMIT 1`)
      if (end !== undefined) end.last = found ?? null
      return found
    },
    at: async (sequence) =>
      await connection.get(row, `SELECT ${COLUMNS} FROM log WHERE sequence = ?`, [sequence]),
    range: async (from, limit = PAGE) =>
      await connection.all(row, `SELECT ${COLUMNS} FROM log WHERE sequence >= ? ORDER BY sequence LIMIT ?`, [
        from,
        limit
      ]),
    ofRequest: async (request) =>
      await connection.all(row, `SELECT ${COLUMNS} FROM log WHERE request = ? ORDER BY sequence`, [request]),
    latest: async ({ before, limit, kind, request }) => {
      const wanted = [
        ...(kind === undefined ? [] : [['kind = ?', kind] as const]),
        ...(request === undefined ? [] : [['request = ?', request] as const])
      ]
      return await connection.all(
        row,
        `SELECT ${COLUMNS} FROM log WHERE ${['sequence < ?', ...wanted.map(([clause]) => clause)].join(' AND ')} ORDER BY sequence DESC LIMIT ?`,
        [before, ...wanted.map(([, value]) => value), limit]
      )
    },
    ofContract: async (contract) =>
      await connection.all(row, `SELECT ${COLUMNS} FROM log WHERE contract = ? ORDER BY sequence`, [contract])
  }
}
