import { z } from 'zod'
import { type Connection, storedBytes, storedInteger } from '../connection.ts'

const row = z.object({
  peer: z.string(),
  sequence: storedInteger,
  head: z.string(),
  type: z.string(),
  bytes: storedBytes,
  at: storedInteger
})
/** Where another agent signed that its log stood; `bytes` is the document that says so. */
export type PeerPosition = z.infer<typeof row>

const COLUMNS = 'peer, sequence, head, type, bytes, at'

export interface PeerPositions {
  /** The first document for each head is kept. @returns whether another head is known for that sequence */
  remember(position: PeerPosition): Promise<boolean>
  /** Those of which there are two heads for one sequence, in pairs or more that follow one another. */
  contradictions(): Promise<PeerPosition[]>
  /** Contradictions are kept. */
  forgetBefore(at: number): Promise<number>
}

const CONTRADICTED =
  'EXISTS (SELECT 1 FROM peer_positions other WHERE other.peer = one.peer AND other.sequence = one.sequence AND other.head <> one.head)'

export function peerPositionsOn(connection: Connection): PeerPositions {
  return {
    remember: async ({ peer, sequence, head, type, bytes, at }) => {
      await connection.run(
        `INSERT INTO peer_positions (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        [peer, sequence, head, type, bytes, at]
      )
      const heads = await connection.all(
        z.object({ head: z.string() }),
        'SELECT head FROM peer_positions WHERE peer = ? AND sequence = ? LIMIT 2',
        [peer, sequence]
      )
      return heads.length > 1
    },
    contradictions: async () =>
      await connection.all(
        row,
        `SELECT ${COLUMNS} FROM peer_positions one WHERE ${CONTRADICTED} ORDER BY peer, sequence, at, rowid LIMIT 1000`
      ),
    forgetBefore: async (at) =>
      await connection.run(`DELETE FROM peer_positions AS one WHERE at < ? AND NOT ${CONTRADICTED}`, [at])
  }
}
