import type { Migration } from './migration.ts'

/** The log only grows: the database itself refuses to change or remove an entry. */
export const log: Migration = {
  version: 3,
  sql: `
CREATE TABLE log (
  sequence INTEGER NOT NULL PRIMARY KEY,
  head TEXT NOT NULL,
  kind TEXT NOT NULL,
  request TEXT,
  contract TEXT,
  entry BLOB NOT NULL
) STRICT;
CREATE INDEX log_of_request ON log (request, sequence) WHERE request IS NOT NULL;
CREATE INDEX log_of_contract ON log (contract, sequence) WHERE contract IS NOT NULL;
CREATE TRIGGER log_never_changes BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
CREATE TRIGGER log_never_shrinks BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
`
}
