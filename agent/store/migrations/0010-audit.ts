import type { Migration } from './migration.ts'

/**
 * Each entry of the log has a salt, and beside the log is what may be deleted without breaking it: what decisions rested on, with
 * the organisation's own rules of that time. Entries that were there before have no salt and keep the hash they had.
 *
 * Memberships and status lists that newer ones replaced are kept: what was signed is judged by those of its time.
 */
export const audit: Migration = {
  version: 10,
  sql: `
ALTER TABLE log ADD COLUMN salt BLOB;
CREATE TABLE openings (
  sequence INTEGER NOT NULL PRIMARY KEY,
  salt BLOB NOT NULL,
  content BLOB NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX openings_by_time ON openings (at);
CREATE TABLE rulesets (
  id TEXT NOT NULL PRIMARY KEY,
  engine TEXT NOT NULL,
  files BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoints (
  sequence INTEGER NOT NULL PRIMARY KEY,
  bytes BLOB NOT NULL
) STRICT;
CREATE TABLE peer_positions (
  peer TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  head TEXT NOT NULL,
  type TEXT NOT NULL,
  bytes BLOB NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (peer, sequence, head)
) STRICT;
CREATE TABLE past_memberships (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  bytes BLOB NOT NULL,
  UNIQUE (kind, id, bytes)
) STRICT;
INSERT INTO past_memberships (kind, id, bytes) SELECT kind, id, bytes FROM memberships;
CREATE TRIGGER memberships_are_kept AFTER INSERT ON memberships BEGIN
  INSERT INTO past_memberships (kind, id, bytes) VALUES (new.kind, new.id, new.bytes) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER changed_memberships_are_kept AFTER UPDATE ON memberships BEGIN
  INSERT INTO past_memberships (kind, id, bytes) VALUES (new.kind, new.id, new.bytes) ON CONFLICT DO NOTHING;
END;
`
}
