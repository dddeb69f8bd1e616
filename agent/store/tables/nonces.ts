import type { Connection } from '../connection.ts'

export interface Nonces {
  /** Takes a nonce for good. @param expires ms, until when it is kept @returns false when it was seen before */
  claim(issuer: string, nonce: Uint8Array, expires: number): Promise<boolean>
  /** Forgets what expired before `now`. @returns how many */
  prune(now: number): Promise<number>
}

export function noncesOn(connection: Connection): Nonces {
  return {
    claim: async (issuer, nonce, expires) =>
      (await connection.run(
        'INSERT INTO nonces (issuer, nonce, expires) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
        [issuer, nonce, expires]
      )) > 0,
    prune: async (now) => await connection.run('DELETE FROM nonces WHERE expires < ?', [now])
  }
}
