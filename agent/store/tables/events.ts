import { z } from 'zod'
import { type Connection, storedInteger, storedJson } from '../connection.ts'

const row = z.object({ sequence: storedInteger, body: storedJson })
/** Progress of a request as the API tells it; `progressEvent` parses `body`. */
export type StoredEvent = z.infer<typeof row>

export interface Events {
  /** @returns the event's number, from 1 without gaps for each request */
  append(request: string, body: unknown): Promise<number>
  after(request: string, sequence: number): Promise<StoredEvent[]>
}

export function eventsOn(connection: Connection): Events {
  return {
    append: async (request, body) => {
      return await connection.atomically(async (on) => {
        await on.run(
          `INSERT INTO events (request, sequence, body)
           SELECT ?, coalesce(max(sequence), 0) + 1, ? FROM events WHERE request = ?`,
          [request, JSON.stringify(body), request]
        )
        const last = await on.get(
          z.object({ sequence: storedInteger }),
          'SELECT max(sequence) AS sequence FROM events WHERE request = ?',
          [request]
        )
        return last?.sequence ?? 0
      })
    },
    after: async (request, sequence) =>
      await connection.all(
        row,
        'SELECT sequence, body FROM events WHERE request = ? AND sequence > ? ORDER BY sequence',
        [request, sequence]
      )
  }
}
