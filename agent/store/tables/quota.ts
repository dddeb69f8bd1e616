import { z } from 'zod'
import { type Connection, storedInteger } from '../connection.ts'

/** One use of a dataset by a requester; `usedFor` (a request) makes it countable once. */
export interface QuotaUse {
  dataset: string
  /** `organisation` or `organisation/user`, as the limit counts them. */
  requester: string
  usedFor: string
  /** ms */
  at: number
}

export interface Quota {
  /** Counts a use if fewer than `requests` lie within the last `per` ms. The same use again is counted once. @returns whether it may go on */
  reserve(use: QuotaUse, limit: { requests: number; per: number }): Promise<boolean>
  /** Gives a use back that came to nothing. */
  release(use: Omit<QuotaUse, 'at'>): Promise<void>
  /** Uses after `since`, ms. @param except a use that does not count */
  count(dataset: string, requester: string, since: number, except?: string): Promise<number>
  prune(before: number): Promise<number>
}

const COUNT = 'SELECT count(*) AS uses FROM quota WHERE dataset = ? AND requester = ? AND at > ?'
const counted = z.object({ uses: storedInteger })

export function quotaOn(connection: Connection): Quota {
  return {
    reserve: async ({ dataset, requester, usedFor, at }, { requests, per }) =>
      await connection.atomically(async (on) => {
        const earlier = await on.get(
          z.object({ at: storedInteger }),
          'SELECT at FROM quota WHERE dataset = ? AND requester = ? AND used_for = ?',
          [dataset, requester, usedFor]
        )
        if (earlier !== undefined) return true
        const found = await on.get(counted, COUNT, [dataset, requester, at - per])
        if ((found?.uses ?? 0) >= requests) return false
        await on.run('INSERT INTO quota (dataset, requester, used_for, at) VALUES (?, ?, ?, ?)', [
          dataset,
          requester,
          usedFor,
          at
        ])
        return true
      }),
    release: async ({ dataset, requester, usedFor }) => {
      await connection.run('DELETE FROM quota WHERE dataset = ? AND requester = ? AND used_for = ?', [
        dataset,
        requester,
        usedFor
      ])
    },
    count: async (dataset, requester, since, except = '') =>
      (await connection.get(counted, `${COUNT} AND used_for != ?`, [dataset, requester, since, except]))
        ?.uses ?? 0,
    prune: async (before) => await connection.run('DELETE FROM quota WHERE at < ?', [before])
  }
}
