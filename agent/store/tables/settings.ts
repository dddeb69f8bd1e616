import { z } from 'zod'
import type { Connection } from '../connection.ts'

export interface Settings {
  get(name: string): Promise<string | undefined>
  set(name: string, value: string): Promise<void>
  /** The next number of a sequence, from 1; never twice, whatever happens. */
  next(name: string): Promise<number>
}

const row = z.object({ value: z.string() })
const numbered = z.object({ value: z.string().regex(/^\d+$/).transform(Number) })

export function settingsOn(connection: Connection): Settings {
  return {
    get: async (name) =>
      (await connection.get(row, 'SELECT value FROM settings WHERE name = ?', [name]))?.value,
    set: async (name, value) => {
      await connection.run(
        'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
        [name, value]
      )
    },
    next: async (name) =>
      await connection.atomically(async (on) => {
        await on.run(
          `INSERT INTO settings (name, value) VALUES (?, '1')
           ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)`,
          [name]
        )
        return (await on.get(numbered, 'SELECT value FROM settings WHERE name = ?', [name]))?.value ?? 0
      })
  }
}
