import type { Migration } from './migration.ts'

/** Requests that people here had to approve, one row each, and what they said. */
export const approvals: Migration = {
  version: 6,
  sql: `
CREATE TABLE approvals (
  request TEXT NOT NULL PRIMARY KEY,
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
  reason TEXT
) STRICT;
CREATE INDEX approvals_pending ON approvals (organisation, until) WHERE state = 'pending';
CREATE INDEX approvals_given ON approvals (agreement, organisation, user, purpose, algorithm) WHERE state = 'approved';
`
}
