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
  put(exchange: StoredExchange): Promise<void>
  get(request: string, role: ExchangeRole): Promise<StoredExchange | undefined>
  /** What a restart has to take up. */
  all(role: ExchangeRole): Promise<StoredExchange[]>
  remove(request: string, role: ExchangeRole): Promise<void>
}

export function exchangesOn(connection: Connection): Exchanges {
  return {
    put: async ({ request, role, state, updatedAt }) => {
      await connection.run(
        `INSERT INTO exchanges (request, role, state, updated_at) VALUES (?, ?, ?, ?)
         ON CONFLICT (request, role) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at`,
        [request, role, state, updatedAt]
      )
    },
    get: async (request, role) =>
      await connection.get(row, `SELECT ${COLUMNS} FROM exchanges WHERE request = ? AND role = ?`, [
        request,
        role
      ]),
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
