import { z } from 'zod'
import { profileReport } from '../../../services/job/index.ts'
import { type Connection, storedInteger, storedJson } from '../connection.ts'

/** Which bytes were profiled: when one of these differs, the profile no longer speaks for the files. */
const source = z.strictObject({
  path: z.string(),
  bytes: z.int().nonnegative(),
  /** Of all files of a table together: their names, sizes, times and inodes. Older stores had some of them one by one. */
  version: z.string().optional(),
  modified: z.number().optional(),
  inode: z.number().optional()
})
export type DatasetSource = z.infer<typeof source>

const row = z.object({
  id: z.string(),
  file: z.string(),
  sources: storedJson.pipe(z.array(source)),
  tables: storedJson.pipe(profileReport.shape.tables),
  profiledAt: storedInteger
})
/** What a dataset was found to hold, so that nothing is profiled twice. `file` is the dataset file that describes it. */
export type StoredDataset = z.infer<typeof row>

const COLUMNS = 'id, file, sources, tables, profiled_at AS profiledAt'

export interface Datasets {
  put(dataset: StoredDataset): Promise<void>
  get(id: string): Promise<StoredDataset | undefined>
  all(): Promise<StoredDataset[]>
  remove(id: string): Promise<boolean>
}

export function datasetsOn(connection: Connection): Datasets {
  return {
    put: async ({ id, file, sources, tables, profiledAt }) => {
      await connection.run(
        `INSERT INTO datasets (id, file, sources, tables, profiled_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET file = excluded.file, sources = excluded.sources, tables = excluded.tables,
           profiled_at = excluded.profiled_at`,
        [id, file, JSON.stringify(sources), JSON.stringify(tables), profiledAt]
      )
    },
    get: async (id) => await connection.get(row, `SELECT ${COLUMNS} FROM datasets WHERE id = ?`, [id]),
    all: async () => await connection.all(row, `SELECT ${COLUMNS} FROM datasets ORDER BY id`),
    remove: async (id) => (await connection.run('DELETE FROM datasets WHERE id = ?', [id])) > 0
  }
}
