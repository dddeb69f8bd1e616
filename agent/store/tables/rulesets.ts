import { z } from 'zod'
import { type Connection, storedBytes } from '../connection.ts'

const row = z.object({ id: z.string(), engine: z.string(), files: storedBytes })
/** The organisation's own rules as they once were. `files` are canonical bytes, see agent/audit. */
export type StoredRuleset = z.infer<typeof row>

export interface Rulesets {
  /** Those that are there already stay as they are. */
  put(ruleset: StoredRuleset): Promise<void>
  get(id: string): Promise<StoredRuleset | undefined>
}

export function rulesetsOn(connection: Connection): Rulesets {
  return {
    put: async ({ id, engine, files }) => {
      await connection.run(
        'INSERT INTO rulesets (id, engine, files) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING',
        [id, engine, files]
      )
    },
    get: async (id) => await connection.get(row, 'SELECT id, engine, files FROM rulesets WHERE id = ?', [id])
  }
}
