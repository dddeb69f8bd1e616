import { z } from 'zod'
import { type Connection, storedBytes, storedInteger } from '../connection.ts'

const row = z.object({
  sequence: storedInteger,
  head: z.string(),
  kind: z.string(),
  request: z.string().nullable(),
  contract: z.string().nullable(),
  entry: storedBytes
})
/** A line of the log. `entry` is canonical bytes; `head` is the hash of the chain up to and with it. See agent/audit. */
export type StoredLine = z.infer<typeof row>

const COLUMNS = 'sequence, head, kind, request, contract, entry'
const PAGE = 1000

export interface Log {
  /** The sequence number is the primary key: a second line with the same number is refused. */
  insert(line: StoredLine): Promise<void>
  last(): Promise<StoredLine | undefined>
  /** In order. @param limit @default 1000 */
  range(from: number, limit?: number): Promise<StoredLine[]>
  ofRequest(request: string): Promise<StoredLine[]>
  ofContract(contract: string): Promise<StoredLine[]>
}

export function logOn(connection: Connection): Log {
  return {
    insert: async ({ sequence, head, kind, request, contract, entry }) => {
      await connection.run(
        'INSERT INTO log (sequence, head, kind, request, contract, entry) VALUES (?, ?, ?, ?, ?, ?)',
        [sequence, head, kind, request, contract, entry]
      )
    },
    last: async () => await connection.get(row, `SELECT ${COLUMNS} FROM log ORDER BY sequence DESC LIMIT 1`),
    range: async (from, limit = PAGE) =>
      await connection.all(row, `SELECT ${COLUMNS} FROM log WHERE sequence >= ? ORDER BY sequence LIMIT ?`, [
        from,
        limit
      ]),
    ofRequest: async (request) =>
      await connection.all(row, `SELECT ${COLUMNS} FROM log WHERE request = ? ORDER BY sequence`, [request]),
    ofContract: async (contract) =>
      await connection.all(row, `SELECT ${COLUMNS} FROM log WHERE contract = ? ORDER BY sequence`, [contract])
  }
}
