import { z } from 'zod'
import { type Connection, storedBytes } from '../connection.ts'

const row = z.object({ id: z.string(), bytes: storedBytes })

/** Charters, memberships, status lists: the latest signed bytes of each, by kind and id. */
export interface Memberships {
  load(kind: string, id: string): Promise<Uint8Array | undefined>
  save(kind: string, id: string, bytes: Uint8Array): Promise<void>
  all(kind: string): Promise<{ id: string; bytes: Uint8Array }[]>
  remove(kind: string, id: string): Promise<void>
  /** All that ever were, with those that newer ones replaced. */
  past(kind: string): Promise<{ id: string; bytes: Uint8Array }[]>
}

export function membershipsOn(connection: Connection): Memberships {
  return {
    load: async (kind, id) =>
      (await connection.get(row, 'SELECT id, bytes FROM memberships WHERE kind = ? AND id = ?', [kind, id]))
        ?.bytes,
    save: async (kind, id, bytes) => {
      await connection.run(
        `INSERT INTO memberships (kind, id, bytes) VALUES (?, ?, ?)
         ON CONFLICT (kind, id) DO UPDATE SET bytes = excluded.bytes`,
        [kind, id, bytes]
      )
    },
    all: async (kind) =>
      await connection.all(row, 'SELECT id, bytes FROM memberships WHERE kind = ? ORDER BY id', [kind]),
    past: async (kind) =>
      await connection.all(row, 'SELECT id, bytes FROM past_memberships WHERE kind = ? ORDER BY rowid', [
        kind
      ]),
    remove: async (kind, id) => {
      await connection.run('DELETE FROM memberships WHERE kind = ? AND id = ?', [kind, id])
    }
  }
}
