import { z } from 'zod'
import { type Connection, storedBytes, storedInteger } from '../connection.ts'

const row = z.object({ sequence: storedInteger, salt: storedBytes, content: storedBytes, at: storedInteger })
/** What the decision in the entry with that number rested on, under the salt of its commitment. */
export type StoredOpening = z.infer<typeof row>

const COLUMNS = 'sequence, salt, content, at'
/** SQLite takes a bounded number of values in one statement. */
const MAX_AT_ONCE = 500

/** Beside the log, so that it can be deleted without breaking it. */
export interface Openings {
  insert(openings: readonly StoredOpening[]): Promise<void>
  get(sequence: number): Promise<StoredOpening | undefined>
  /** @returns how many there were */
  forgetBefore(at: number): Promise<number>
}

export function openingsOn(connection: Connection): Openings {
  return {
    insert: async (openings) => {
      for (let from = 0; from < openings.length; from += MAX_AT_ONCE) {
        const some = openings.slice(from, from + MAX_AT_ONCE)
        await connection.run(
          `INSERT INTO openings (${COLUMNS}) VALUES ${some.map(() => '(?, ?, ?, ?)').join(', ')}`,
          some.flatMap(({ sequence, salt, content, at }) => [sequence, salt, content, at])
        )
      }
    },
    get: async (sequence) =>
      await connection.get(row, `SELECT ${COLUMNS} FROM openings WHERE sequence = ?`, [sequence]),
    forgetBefore: async (at) => await connection.run('DELETE FROM openings WHERE at < ?', [at])
  }
}
