import type { Migration } from './migration.ts'

/**
 * Whether a machine has ended, beside its state: a start takes up what has not, and does not read all that ever was. No index
 * on the type of a document: every message is written through it, and nothing asks by it.
 */
export const exchangeEnded: Migration = {
  version: 5,
  sql: `
ALTER TABLE exchanges ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
UPDATE exchanges SET ended = 1 WHERE CASE WHEN json_valid(CAST(state AS TEXT))
  THEN json_extract(CAST(state AS TEXT), '$.stage.phase') = 'ended' ELSE 0 END;
CREATE INDEX exchanges_open ON exchanges (request) WHERE ended = 0;
DROP INDEX documents_of_type;
`
}
