import type { Migration } from './migration.ts'

/** What stands between requests: agreements, memberships, quotas, datasets, settings. */
export const standing: Migration = {
  version: 2,
  sql: `
CREATE TABLE agreements (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  provider TEXT NOT NULL,
  dataset TEXT NOT NULL,
  state TEXT NOT NULL,
  bytes BLOB NOT NULL,
  added_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX agreements_by_name ON agreements (provider, name, added_at);
CREATE UNIQUE INDEX agreements_in_force ON agreements (provider, name) WHERE state = 'in-force';
CREATE INDEX agreements_of_dataset ON agreements (dataset, id) WHERE state = 'in-force';

CREATE TABLE memberships (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT;

CREATE TABLE quota (
  dataset TEXT NOT NULL,
  requester TEXT NOT NULL,
  used_for TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (dataset, requester, used_for)
) STRICT, WITHOUT ROWID;
CREATE INDEX quota_by_time ON quota (dataset, requester, at);

CREATE TABLE datasets (
  id TEXT NOT NULL PRIMARY KEY,
  file TEXT NOT NULL,
  sources TEXT NOT NULL,
  tables TEXT NOT NULL,
  profiled_at INTEGER NOT NULL
) STRICT;

CREATE TABLE settings (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;
`
}
