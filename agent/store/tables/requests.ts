import { z } from 'zod'
import { type Connection, storedInteger, storedJson } from '../connection.ts'

const row = z.object({
  id: z.string(),
  user: z.string(),
  idempotencyKey: z.string().nullable(),
  status: z.string(),
  final: z.literal([0, 1]).transform((value) => value === 1),
  submission: storedJson,
  view: storedJson,
  submittedAt: storedInteger,
  updatedAt: storedInteger
})
/**
 * A request of this agent's own people. `submission` and `view` are JSON; their shapes belong to the configuration and the
 * API, whose schemas (`submission`, `requestView`) parse them.
 */
export type StoredRequest = z.infer<typeof row>

const COLUMNS = `id, user, idempotency_key AS idempotencyKey, status, final, submission, view,
  submitted_at AS submittedAt, updated_at AS updatedAt`
const MAX_LISTED = 1000

export interface NewRequest {
  id: string
  user: string
  idempotencyKey?: string
  status: string
  submission: unknown
  view: unknown
  /** It has ended already: it is kept, and nothing takes it up. @default false */
  final?: boolean
  at: number
}

export interface Requests {
  /**
   * A new request, or the one that the same user made with the same key: then `created` is false, and `same` tells whether it
   * asked for the same thing.
   */
  create(request: NewRequest): Promise<{ id: string; created: boolean; same: boolean }>
  get(id: string): Promise<StoredRequest | undefined>
  /** What a user made with an Idempotency-Key. */
  byKey(user: string, key: string): Promise<StoredRequest | undefined>
  /** The latest first. */
  list(options?: { limit?: number; user?: string }): Promise<StoredRequest[]>
  /** Those that have not ended, the oldest first: what a restart has to take up. */
  unfinished(): Promise<StoredRequest[]>
  /** A request that ended stays as it ended. @returns whether it was changed */
  update(id: string, change: { status: string; final: boolean; view: unknown; at: number }): Promise<boolean>
}

export function requestsOn(connection: Connection): Requests {
  const byKey = async (on: Connection, user: string, key: string) =>
    await on.get(row, `SELECT ${COLUMNS} FROM requests WHERE user = ? AND idempotency_key = ?`, [user, key])
  return {
    create: async ({ id, user, idempotencyKey, status, submission, view, final = false, at }) =>
      await connection.atomically(async (on) => {
        const earlier = idempotencyKey === undefined ? undefined : await byKey(on, user, idempotencyKey)
        const text = JSON.stringify(submission)
        if (earlier !== undefined)
          return { id: earlier.id, created: false, same: JSON.stringify(earlier.submission) === text }
        await on.run(
          `INSERT INTO requests (id, user, idempotency_key, status, final, submission, view, submitted_at, updated_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          [id, user, idempotencyKey ?? null, status, final ? 1 : 0, text, JSON.stringify(view), at, at]
        )
        return { id, created: true, same: true }
      }),
    get: async (id) => await connection.get(row, `SELECT ${COLUMNS} FROM requests WHERE id = ?`, [id]),
    byKey: async (user, key) => await byKey(connection, user, key),
    list: async ({ limit = MAX_LISTED, user } = {}) =>
      await connection.all(
        row,
        `SELECT ${COLUMNS} FROM requests WHERE ? IS NULL OR user = ? ORDER BY submitted_at DESC, id LIMIT ?`,
        [user ?? null, user ?? null, limit]
      ),
    unfinished: async () =>
      await connection.all(row, `SELECT ${COLUMNS} FROM requests WHERE final = 0 ORDER BY submitted_at, id`),
    update: async (id, { status, final, view, at }) =>
      (await connection.run(
        'UPDATE requests SET status = ?, final = ?, view = ?, updated_at = ? WHERE id = ? AND final = 0',
        [status, final ? 1 : 0, JSON.stringify(view), at, id]
      )) > 0
  }
}
