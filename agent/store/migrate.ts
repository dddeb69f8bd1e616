import { z } from 'zod'
import { parseRows } from './connection.ts'
import { StateCorrupt, StateTooNew } from './errors.ts'
import type { Handle } from './handle.ts'
import type { Migration } from './migrations/index.ts'

/** "DYNA": SQLite's place for whose file it is. */
const APPLICATION_ID = 0x44_59_4e_41

const facts = z.object({ version: z.int(), application: z.int(), tables: z.int() })

/**
 * Brings the schema to the newest version; each step and its version number are one transaction.
 *
 * @throws {StateTooNew} when a newer version wrote it; {StateCorrupt} when it is another program's database
 */
export async function migrate(handle: Handle, file: string, migrations: readonly Migration[]): Promise<void> {
  const rows = await handle.all(
    `SELECT user_version AS version, application_id AS application, (SELECT count(*) FROM sqlite_schema) AS tables
     FROM pragma_user_version, pragma_application_id`
  )
  const [found] = parseRows(facts, rows, file)
  if (found === undefined) throw new StateCorrupt(file, 'no version')
  if (found.application !== APPLICATION_ID && found.tables > 0)
    throw new StateCorrupt(file, 'a database of another program')
  const newest = migrations.at(-1)?.version ?? 0
  if (found.version > newest) throw new StateTooNew(file, newest, found.version)
  for (const { version, sql } of migrations) {
    if (version <= found.version) continue
    try {
      await handle.execute(
        `BEGIN IMMEDIATE; ${sql}; PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version}; COMMIT`
      )
    } catch (error) {
      await handle.execute('ROLLBACK').catch(() => undefined)
      throw error
    }
  }
}
