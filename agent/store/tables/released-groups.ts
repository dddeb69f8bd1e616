import { z } from 'zod'
import { type Connection, storedInteger } from '../connection.ts'

/** A group that left: its units, hashed, and what of each was in it. */
export interface ReleasedGroup {
  /** Digest of the units: the same group is kept once. */
  name: string
  /** How many units. */
  size: number
}

/** The units of a group: lines `unit,content`, each ended by a line feed. */
export type GroupUnits = ReleasedGroup & { units: string }

/** To whom of what. */
export interface ReleaseTo {
  dataset: string
  /** Organisation. */
  reader: string
}

export interface ReleasedGroups {
  /** What an organisation got to know after `since`, ms. */
  of(to: ReleaseTo, since: number): Promise<ReleasedGroup[]>
  /** The units of one of them, as they were kept; undefined when it is not there any more. */
  units(to: ReleaseTo, name: string): Promise<string | undefined>
  /** Keeps groups; one that was kept before counts from now on. */
  keep(to: ReleaseTo, groups: readonly GroupUnits[], at: number): Promise<void>
  prune(before: number): Promise<number>
}

const row = z.object({ name: z.string(), size: storedInteger })

export function releasedGroupsOn(connection: Connection): ReleasedGroups {
  return {
    of: async ({ dataset, reader }, since) =>
      await connection.all(
        row,
        'SELECT name, size FROM released_groups WHERE dataset = ? AND reader = ? AND at > ? ORDER BY name',
        [dataset, reader, since]
      ),
    units: async ({ dataset, reader }, name) =>
      (
        await connection.get(
          z.object({ units: z.string() }),
          'SELECT units FROM released_groups WHERE dataset = ? AND reader = ? AND name = ?',
          [dataset, reader, name]
        )
      )?.units,
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
