import type { Migration } from './migration.ts'

/** Who proposed an agreement, who refused or revoked it, and which party has still to hear of what. */
export const agreementLife: Migration = {
  version: 8,
  sql: `
ALTER TABLE agreements ADD COLUMN proposed_by TEXT;
UPDATE agreements SET proposed_by = provider;
CREATE INDEX agreements_by_proposer ON agreements (proposed_by, added_at);

CREATE TABLE agreement_refusals (
  agreement TEXT NOT NULL,
  organisation TEXT NOT NULL,
  reason TEXT NOT NULL,
  bytes BLOB NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (agreement, organisation)
) STRICT, WITHOUT ROWID;

CREATE TABLE revocations (
  agreement TEXT NOT NULL,
  organisation TEXT NOT NULL,
  reason TEXT NOT NULL,
  ends_at INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (agreement, organisation)
) STRICT, WITHOUT ROWID;

CREATE TABLE agreement_deliveries (
  party TEXT NOT NULL,
  kind TEXT NOT NULL,
  agreement TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  turn INTEGER NOT NULL,
  problem TEXT,
  gave_up INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (party, kind, agreement)
) STRICT, WITHOUT ROWID;
`
}
