import { z } from 'zod'
import { type Connection, storedInteger, storedJson } from '../connection.ts'

export const approvalRowState = z.enum(['pending', 'approved', 'refused', 'withdrawn'])
/** What was said about a request. That nobody said anything in time follows from `until`. */
export type ApprovalRowState = z.infer<typeof approvalRowState>

const names = storedJson.pipe(z.array(z.string()))
const row = z.object({
  request: z.string(),
  agreement: z.string(),
  organisation: z.string(),
  user: z.string(),
  purpose: z.string(),
  datasets: names,
  algorithm: z.string(),
  sql: z.string(),
  parameters: storedJson,
  askedAt: storedInteger,
  until: storedInteger,
  state: approvalRowState,
  decidedBy: z.string().nullable(),
  decidedAt: storedInteger.nullable(),
  reason: z.string().nullable()
})
/** A request that somebody here had to approve: what they were shown, and what they said. */
export type StoredApproval = z.infer<typeof row>

const COLUMNS = `request, agreement, organisation, user, purpose, datasets, algorithm, sql, parameters,
  asked_at AS askedAt, until, state, decided_by AS decidedBy, decided_at AS decidedAt, reason`

export type AskedApproval = Omit<StoredApproval, 'state' | 'decidedBy' | 'decidedAt' | 'reason'>

export interface Approvals {
  /**
   * Asks for one, unless it was asked for under the same agreement already. Under another agreement, or after it was
   * withdrawn, it is asked for anew.
   *
   * @param most how many of one organisation may wait at once
   * @returns whether it is new, stood there already, or is one too many
   */
  ask(asked: AskedApproval, most: number): Promise<'asked' | 'known' | 'too-many'>
  get(request: string): Promise<StoredApproval | undefined>
  /** Waiting at an instant, the first to run out first. */
  pending(now: number): Promise<StoredApproval[]>
  /** Whether another request of the same kind was approved. */
  given(
    like: Pick<StoredApproval, 'request' | 'agreement' | 'organisation' | 'user' | 'purpose' | 'algorithm'>
  ): Promise<boolean>
  /** Approves what waits. @returns whether it still did */
  approve(request: string, by: string, at: number): Promise<boolean>
  /** Refuses what waits, or takes an approval back. @returns whether there was one */
  refuse(request: string, by: string, reason: string, at: number): Promise<boolean>
  /** Nobody need decide any more; what ran out stays so. @returns whether it still waited */
  withdraw(request: string, at: number): Promise<boolean>
  /** Forgets what ran out before, but approvals under agreements that are in force. @returns how many */
  prune(before: number): Promise<number>
}

export function approvalsOn(connection: Connection): Approvals {
  const get = async (on: Connection, request: string) =>
    await on.get(row, `SELECT ${COLUMNS} FROM approvals WHERE request = ?`, [request])
  return {
    ask: async (asked, most) =>
      await connection.atomically(async (on) => {
        const { request, agreement, organisation, user, purpose, algorithm, sql, askedAt, until } = asked
        const known = await get(on, request)
        if (known?.agreement === agreement && known.state !== 'withdrawn') return 'known'
        const waiting = await on.get(
          z.object({ waiting: storedInteger }),
          `SELECT count(*) AS waiting FROM approvals
           WHERE state = 'pending' AND organisation = ? AND until > ? AND request <> ?`,
          [organisation, askedAt, request]
        )
        if ((waiting?.waiting ?? 0) >= most) return 'too-many'
        await on.run(
          `INSERT OR REPLACE INTO approvals (request, agreement, organisation, user, purpose, datasets, algorithm, sql,
             parameters, asked_at, until, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending')`,
          [
            request,
            agreement,
            organisation,
            user,
            purpose,
            JSON.stringify(asked.datasets),
            algorithm,
            sql,
            JSON.stringify(asked.parameters),
            askedAt,
            until
          ]
        )
        return 'asked'
      }),
    get: async (request) => await get(connection, request),
    pending: async (now) =>
      await connection.all(
        row,
        `SELECT ${COLUMNS} FROM approvals WHERE state = 'pending' AND until > ? ORDER BY until, request`,
        [now]
      ),
    given: async ({ request, agreement, organisation, user, purpose, algorithm }) =>
      (await connection.get(
        z.object({ request: z.string() }),
        `SELECT request FROM approvals WHERE state = 'approved' AND agreement = ? AND organisation = ? AND user = ?
           AND purpose = ? AND algorithm = ? AND request <> ? LIMIT 1`,
        [agreement, organisation, user, purpose, algorithm, request]
      )) !== undefined,
    approve: async (request, by, at) =>
      (await connection.run(
        `UPDATE approvals SET state = 'approved', decided_by = ?, decided_at = ?
         WHERE request = ? AND state = 'pending' AND until > ?`,
        [by, at, request, at]
      )) > 0,
    refuse: async (request, by, reason, at) =>
      (await connection.run(
        `UPDATE approvals SET state = 'refused', decided_by = ?, decided_at = ?, reason = ?
         WHERE request = ? AND (state = 'approved' OR (state = 'pending' AND until > ?))`,
        [by, at, reason, request, at]
      )) > 0,
    withdraw: async (request, at) =>
      (await connection.run(
        `UPDATE approvals SET state = 'withdrawn', decided_at = ?
         WHERE request = ? AND state = 'pending' AND until > ?`,
        [at, request, at]
      )) > 0,
    prune: async (before) =>
      await connection.run(
        `DELETE FROM approvals WHERE until < ? AND NOT (state = 'approved' AND agreement IN
           (SELECT id FROM agreements WHERE state = 'in-force'))`,
        [before]
      )
  }
}
