import { z } from 'zod'
import { type Connection, storedBytes, storedInteger } from '../connection.ts'

const row = z.object({
  id: z.string(),
  type: z.string(),
  request: z.string().nullable(),
  bytes: storedBytes,
  receivedAt: storedInteger
})
/** A signed document as it came. `bytes` is opened (`decodeSigned`) by whoever reads it. */
export type StoredDocument = z.infer<typeof row>

const COLUMNS = 'id, type, request, bytes, received_at AS receivedAt'

/** SQLite takes a bounded number of values in one statement. */
export const MAX_AT_ONCE = 1000

export interface Documents {
  /** Keeps a document; one that is there already stays as it is. @returns whether it is new */
  put(document: Omit<StoredDocument, 'request'> & { request?: string }): Promise<boolean>
  /** Several at once, at most {@link MAX_AT_ONCE}; those that are there already stay as they are. */
  putAll(documents: readonly (Omit<StoredDocument, 'request'> & { request?: string })[]): Promise<void>
  get(id: string): Promise<StoredDocument | undefined>
  /** In the order in which they came. */
  ofRequest(request: string): Promise<StoredDocument[]>
  ofType(type: string): Promise<StoredDocument[]>
}

export function documentsOn(connection: Connection): Documents {
  return {
    put: async ({ id, type, request, bytes, receivedAt }) =>
      (await connection.run(
        'INSERT INTO documents (id, type, request, bytes, received_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING',
        [id, type, request ?? null, bytes, receivedAt]
      )) > 0,
    putAll: async (documents) => {
      if (documents.length === 0) return
      const places = documents.map(() => '(?, ?, ?, ?, ?)').join(', ')
      await connection.run(
        `INSERT INTO documents (id, type, request, bytes, received_at) VALUES ${places} ON CONFLICT (id) DO NOTHING`,
        documents.flatMap(({ id, type, request, bytes, receivedAt }) => [
          id,
          type,
          request ?? null,
          bytes,
          receivedAt
        ])
      )
    },
    get: async (id) => await connection.get(row, `SELECT ${COLUMNS} FROM documents WHERE id = ?`, [id]),
    ofRequest: async (request) =>
      await connection.all(row, `SELECT ${COLUMNS} FROM documents WHERE request = ? ORDER BY rowid`, [
        request
      ]),
    ofType: async (type) =>
      await connection.all(
        row,
        `SELECT ${COLUMNS} FROM documents WHERE type = ? ORDER BY received_at, rowid`,
        [type]
      )
  }
}
