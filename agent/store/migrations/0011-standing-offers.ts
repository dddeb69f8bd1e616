import type { Migration } from './migration.ts'

/** What this organisation offers to members, and which of them took what. */
export const standingOffers: Migration = {
  version: 11,
  sql: `
CREATE TABLE standing_offers (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  dataset TEXT NOT NULL,
  state TEXT NOT NULL,
  bytes BLOB NOT NULL,
  published_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX standing_offers_published ON standing_offers (name) WHERE state = 'published';

CREATE TABLE standing_takers (
  offer TEXT NOT NULL,
  organisation TEXT NOT NULL,
  agreement TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (offer, organisation)
) STRICT, WITHOUT ROWID;
`
}
