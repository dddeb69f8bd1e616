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
/** A request that somebody here had to approve under one agreement: what they were shown, and what they said. */
export type StoredApproval = z.infer<typeof row>

const COLUMNS = `request, agreement, organisation, user, purpose, datasets, algorithm, sql, parameters,
  asked_at AS askedAt, until, state, decided_by AS decidedBy, decided_at AS decidedAt, reason`

export type AskedApproval = Omit<StoredApproval, 'state' | 'decidedBy' | 'decidedAt' | 'reason'>

export type ApprovalKey = Pick<StoredApproval, 'request' | 'agreement'>

export interface Approvals {
  /**
   * Asks for one, unless it was asked for under the same agreement already; after it was withdrawn, it is asked for anew.
   *
   * @param most how many requests of one organisation may wait at once
   * @returns whether it is new, stood there already, or is one too many
   */
  ask(asked: AskedApproval, most: number): Promise<'asked' | 'known' | 'too-many'>
  /** Of one request, by id of agreement. */
  of(request: string): Promise<StoredApproval[]>
  /** Waiting at an instant, the first to run out first. */
  pending(now: number): Promise<StoredApproval[]>
  /** Whether another request of the same kind, over the same datasets, was approved. */
  given(
    like: Pick<
      StoredApproval,
      'request' | 'agreement' | 'organisation' | 'user' | 'purpose' | 'algorithm' | 'datasets'
    >
  ): Promise<boolean>
  /** Approves what waits. @returns whether it still did */
  approve(one: ApprovalKey, by: string, at: number): Promise<boolean>
  /** Refuses what waits, or takes an approval back. @returns whether there was one */
  refuse(one: ApprovalKey, by: string, reason: string, at: number): Promise<boolean>
  /**
   * Nobody need decide any more; what ran out stays so.
   *
   * @param but agreements under which somebody still has to
   * @returns whether any still waited
   */
  withdraw(request: string, at: number, but?: readonly string[]): Promise<boolean>
  /** Forgets what ran out before, but approvals under agreements that are in force. @returns how many */
  prune(before: number): Promise<number>
}

export function approvalsOn(connection: Connection): Approvals {
  return {
    ask: async (asked, most) =>
      await connection.atomically(async (on) => {
        const { request, agreement, organisation, user, purpose, algorithm, sql, askedAt, until } = asked
        const known = await on.get(
          z.object({ state: approvalRowState }),
          'SELECT state FROM approvals WHERE request = ? AND agreement = ?',
          [request, agreement]
        )
        if (known !== undefined && known.state !== 'withdrawn') return 'known'
        const waiting = await on.get(
          z.object({ waiting: storedInteger }),
          `SELECT count(DISTINCT request) AS waiting FROM approvals
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
    of: async (request) =>
      await connection.all(row, `SELECT ${COLUMNS} FROM approvals WHERE request = ? ORDER BY agreement`, [
        request
      ]),
    pending: async (now) =>
      await connection.all(
        row,
        `SELECT ${COLUMNS} FROM approvals WHERE state = 'pending' AND until > ? ORDER BY until, request, agreement`,
        [now]
      ),
    given: async ({ request, agreement, organisation, user, purpose, algorithm, datasets }) => {
      const found = await connection.all(
        z.object({ datasets: names }),
        `SELECT DISTINCT datasets FROM approvals WHERE state = 'approved' AND agreement = ? AND organisation = ?
           AND user = ? AND purpose = ? AND algorithm = ? AND request <> ?`,
        [agreement, organisation, user, purpose, algorithm, request]
      )
      const wanted = datasets.toSorted().join()
      return found.some((one) => one.datasets.toSorted().join() === wanted)
    },
    approve: async ({ request, agreement }, by, at) =>
      (await connection.run(
        `UPDATE approvals SET state = 'approved', decided_by = ?, decided_at = ?
         WHERE request = ? AND agreement = ? AND state = 'pending' AND until > ?`,
        [by, at, request, agreement, at]
      )) > 0,
    refuse: async ({ request, agreement }, by, reason, at) =>
      (await connection.run(
        `UPDATE approvals SET state = 'refused', decided_by = ?, decided_at = ?, reason = ?
         WHERE request = ? AND agreement = ? AND (state = 'approved' OR (state = 'pending' AND until > ?))`,
        [by, at, reason, request, agreement, at]
      )) > 0,
    withdraw: async (request, at, but = []) =>
      (await connection.run(
        `UPDATE approvals SET state = 'withdrawn', decided_at = ?
         WHERE request = ? AND state = 'pending' AND until > ?
           AND agreement NOT IN (SELECT value FROM json_each(?))`,
        [at, request, at, JSON.stringify(but)]
      )) > 0,
    prune: async (before) =>
      await connection.run(
        `DELETE FROM approvals WHERE until < ? AND NOT (state = 'approved' AND agreement IN
           (SELECT id FROM agreements WHERE state = 'in-force'))`,
        [before]
      )
  }
}
