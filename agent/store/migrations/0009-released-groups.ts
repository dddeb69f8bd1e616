import type { Migration } from './migration.ts'

/** The units of each group that left, by dataset and by the organisation that got to know it: against subtraction. */
export const releasedGroups: Migration = {
  version: 9,
  sql: `
CREATE TABLE released_groups (
  dataset TEXT NOT NULL,
  reader TEXT NOT NULL,
  name TEXT NOT NULL,
  units TEXT NOT NULL,
  size INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (dataset, reader, name)
) STRICT;
CREATE INDEX released_groups_by_time ON released_groups (at);
`
}
