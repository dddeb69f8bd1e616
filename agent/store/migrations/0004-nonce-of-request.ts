import type { Migration } from './migration.ts'

/** Which request used a nonce: the same one may be asked again. */
export const nonceOfRequest: Migration = {
  version: 4,
  sql: `ALTER TABLE nonces ADD COLUMN request TEXT NOT NULL DEFAULT '';`
}
