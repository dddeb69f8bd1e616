import type { Migration } from './migration.ts'

/** A request over several datasets may need an approval under an agreement about each. */
export const approvalsByAgreement: Migration = {
  version: 7,
  sql: `
CREATE TABLE approvals_by_agreement (
  request TEXT NOT NULL,
  agreement TEXT NOT NULL,
  organisation TEXT NOT NULL,
  user TEXT NOT NULL,
  purpose TEXT NOT NULL,
  datasets TEXT NOT NULL,
  algorithm TEXT NOT NULL,
  sql TEXT NOT NULL,
  parameters TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  until INTEGER NOT NULL,
  state TEXT NOT NULL,
  decided_by TEXT,
  decided_at INTEGER,
  reason TEXT,
  PRIMARY KEY (request, agreement)
) STRICT;
INSERT INTO approvals_by_agreement (request, agreement, organisation, user, purpose, datasets, algorithm, sql, parameters,
    asked_at, until, state, decided_by, decided_at, reason)
  SELECT request, agreement, organisation, user, purpose, datasets, algorithm, sql, parameters,
    asked_at, until, state, decided_by, decided_at, reason FROM approvals;
DROP TABLE approvals;
ALTER TABLE approvals_by_agreement RENAME TO approvals;
CREATE INDEX approvals_pending ON approvals (organisation, until) WHERE state = 'pending';
CREATE INDEX approvals_given ON approvals (agreement, organisation, user, purpose, algorithm) WHERE state = 'approved';
`
}
