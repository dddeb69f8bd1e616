import { z } from 'zod'
import { type Connection, storedBytes } from '../connection.ts'

const row = z.object({ bytes: storedBytes })

/** Where this agent signed that its log stood; opened by whoever reads them. */
export interface Checkpoints {
  put(sequence: number, bytes: Uint8Array): Promise<void>
  last(): Promise<Uint8Array | undefined>
}

export function checkpointsOn(connection: Connection): Checkpoints {
  return {
    put: async (sequence, bytes) => {
      await connection.run(
        `INSERT INTO checkpoints (sequence, bytes) VALUES (?, ?)
         ON CONFLICT (sequence) DO UPDATE SET bytes = excluded.bytes`,
        [sequence, bytes]
      )
    },
    last: async () =>
      (await connection.get(row, 'SELECT bytes FROM checkpoints ORDER BY sequence DESC LIMIT 1'))?.bytes
  }
}
