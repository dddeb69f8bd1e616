import { z } from 'zod'
import { type Connection, storedBytes, storedInteger } from '../connection.ts'

const row = z.object({ sequence: storedInteger, salt: storedBytes, content: storedBytes, at: storedInteger })
/** What the decision in the entry with that number rested on, under the salt of its commitment. */
export type StoredOpening = z.infer<typeof row>

const COLUMNS = 'sequence, salt, content, at'
/** Beside the log, so that it can be deleted without breaking it. They are written with their lines: see `Log.insert`. */
export interface Openings {
  get(sequence: number): Promise<StoredOpening | undefined>
  /** @returns how many there were */
  forgetBefore(at: number): Promise<number>
}

export function openingsOn(connection: Connection): Openings {
  return {
    get: async (sequence) =>
      await connection.get(row, `SELECT ${COLUMNS} FROM openings WHERE sequence = ?`, [sequence]),
    forgetBefore: async (at) => await connection.run('DELETE FROM openings WHERE at < ?', [at])
  }
}
