import { z } from 'zod'
import { type Connection, storedInteger } from '../connection.ts'

/** A group that left: its units, hashed, and what of each was in it. */
export interface ReleasedGroup {
  /** Digest of the units: the same group is kept once. */
  name: string
  /** Lines `unit,content`, each ended by a line feed. */
  units: string
  /** How many units. */
  size: number
}

/** To whom of what. */
export interface ReleaseTo {
  dataset: string
  /** Organisation. */
  reader: string
}

export interface ReleasedGroups {
  /** What an organisation got to know after `since`, ms. */
  of(to: ReleaseTo, since: number): Promise<ReleasedGroup[]>
  /** Keeps groups; one that was kept before counts from now on. */
  keep(to: ReleaseTo, groups: readonly ReleasedGroup[], at: number): Promise<void>
  prune(before: number): Promise<number>
}

const row = z.object({ name: z.string(), units: z.string(), size: storedInteger })

export function releasedGroupsOn(connection: Connection): ReleasedGroups {
  return {
    of: async ({ dataset, reader }, since) =>
      await connection.all(
        row,
        'SELECT name, units, size FROM released_groups WHERE dataset = ? AND reader = ? AND at > ? ORDER BY name',
        [dataset, reader, since]
      ),
    keep: async ({ dataset, reader }, groups, at) =>
      await connection.atomically(async (on) => {
        for (const { name, units, size } of groups)
          await on.run(
            `INSERT INTO released_groups (dataset, reader, name, units, size, at) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (dataset, reader, name) DO UPDATE SET at = excluded.at`,
            [dataset, reader, name, units, size, at]
          )
      }),
    prune: async (before) => await connection.run('DELETE FROM released_groups WHERE at <= ?', [before])
  }
}
