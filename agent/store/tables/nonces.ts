import { z } from 'zod'
import type { Connection } from '../connection.ts'

export interface Nonces {
  /** Takes a nonce for a request, for good. @param expires ms, until when it is kept @returns false when another request has it */
  claim(issuer: string, nonce: Uint8Array, request: string, expires: number): Promise<boolean>
  /** Forgets what expired before `now`. @returns how many */
  prune(now: number): Promise<number>
}

export function noncesOn(connection: Connection): Nonces {
  return {
    claim: async (issuer, nonce, request, expires) =>
      await connection.atomically(async (on) => {
        const isNew = await on.run(
          'INSERT INTO nonces (issuer, nonce, request, expires) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
          [issuer, nonce, request, expires]
        )
        if (isNew > 0) return true
        const taken = await on.get(
          z.object({ request: z.string() }),
          'SELECT request FROM nonces WHERE issuer = ? AND nonce = ?',
          [issuer, nonce]
        )
        return taken?.request === request
      }),
    prune: async (now) => await connection.run('DELETE FROM nonces WHERE expires < ?', [now])
  }
}
