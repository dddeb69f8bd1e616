import { z } from 'zod'
import { type Connection, storedBytes, storedInteger } from '../connection.ts'

export const exchangeRole = z.enum(['coordinator', 'hop'])
export type ExchangeRole = z.infer<typeof exchangeRole>

const row = z.object({
  request: z.string(),
  role: exchangeRole,
  state: storedBytes,
  updatedAt: storedInteger
})
/** Where an exchange stands at this agent, in bytes that its driver alone reads. */
export type StoredExchange = z.infer<typeof row>

const COLUMNS = 'request, role, state, updated_at AS updatedAt'

export interface Exchanges {
  /** `ended`: this side waits for nothing more. @default false */
  put(exchange: StoredExchange & { ended?: boolean }): Promise<void>
  get(request: string, role: ExchangeRole): Promise<StoredExchange | undefined>
  /**
   * What a restart has to take up: both sides of each exchange of which one goes on, or whose people have not been told how it
   * ended.
   */
  open(): Promise<StoredExchange[]>
  all(role: ExchangeRole): Promise<StoredExchange[]>
  remove(request: string, role: ExchangeRole): Promise<void>
}

export function exchangesOn(connection: Connection): Exchanges {
  return {
    put: async ({ request, role, state, updatedAt, ended = false }) => {
      await connection.run(
        `INSERT INTO exchanges (request, role, state, updated_at, ended) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (request, role)
         DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at, ended = excluded.ended`,
        [request, role, state, updatedAt, ended ? 1 : 0]
      )
    },
    get: async (request, role) =>
      await connection.get(row, `SELECT ${COLUMNS} FROM exchanges WHERE request = ? AND role = ?`, [
        request,
        role
      ]),
    open: async () =>
      await connection.all(
        row,
        `SELECT ${COLUMNS} FROM exchanges WHERE request IN
           (SELECT request FROM exchanges WHERE ended = 0 UNION SELECT id FROM requests WHERE final = 0)
         ORDER BY role, updated_at, request`,
        []
      ),
    all: async (role) =>
      await connection.all(
        row,
        `SELECT ${COLUMNS} FROM exchanges WHERE role = ? ORDER BY updated_at, request`,
        [role]
      ),
    remove: async (request, role) => {
      await connection.run('DELETE FROM exchanges WHERE request = ? AND role = ?', [request, role])
    }
  }
}
