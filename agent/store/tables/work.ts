import { z } from 'zod'
import { type Connection, storedInteger } from '../connection.ts'

export const workStatus = z.enum(['running', 'done', 'failed', 'interrupted'])
export type WorkStatus = z.infer<typeof workStatus>

const row = z.object({
  contract: z.string(),
  step: storedInteger,
  round: storedInteger,
  status: workStatus,
  startedAt: storedInteger,
  endedAt: storedInteger.nullable()
})
/** The authority to run one step of a contract once. */
export type StoredWork = z.infer<typeof row>

const COLUMNS = 'contract, step, round, status, started_at AS startedAt, ended_at AS endedAt'

export interface Work {
  /** Uses the authority up. Belongs into the transaction that starts the job. @returns false when it already ran */
  begin(contract: string, step: number, round: number, at: number): Promise<boolean>
  /** Says how it ended; the first word counts. */
  end(
    contract: string,
    step: number,
    round: number,
    status: Exclude<WorkStatus, 'running'>,
    at: number
  ): Promise<boolean>
  of(contract: string): Promise<StoredWork[]>
  /** What ran when the process died. @returns what was marked as interrupted */
  interruptRunning(at: number): Promise<StoredWork[]>
}

export function workOn(connection: Connection): Work {
  return {
    begin: async (contract, step, round, at) =>
      (await connection.run(
        `INSERT INTO work (contract, step, round, status, started_at) VALUES (?, ?, ?, 'running', ?)
         ON CONFLICT DO NOTHING`,
        [contract, step, round, at]
      )) > 0,
    end: async (contract, step, round, status, at) =>
      (await connection.run(
        `UPDATE work SET status = ?, ended_at = ?
         WHERE contract = ? AND step = ? AND round = ? AND status = 'running'`,
        [status, at, contract, step, round]
      )) > 0,
    of: async (contract) =>
      await connection.all(row, `SELECT ${COLUMNS} FROM work WHERE contract = ? ORDER BY step, round`, [
        contract
      ]),
    interruptRunning: async (at) =>
      await connection.atomically(async (on) => {
        const running = await on.all(
          row,
          `SELECT ${COLUMNS} FROM work WHERE status = 'running' ORDER BY started_at, contract, step, round`
        )
        await on.run(`UPDATE work SET status = 'interrupted', ended_at = ? WHERE status = 'running'`, [at])
        return running.map((share): StoredWork => ({ ...share, status: 'interrupted', endedAt: at }))
      })
  }
}
