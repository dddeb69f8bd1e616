import type { Migration } from './migration.ts'

/** Requests and what happens to them. */
export const exchange: Migration = {
  version: 1,
  sql: `
CREATE TABLE documents (
  id TEXT NOT NULL PRIMARY KEY,
  type TEXT NOT NULL,
  request TEXT,
  bytes BLOB NOT NULL,
  received_at INTEGER NOT NULL
) STRICT;
CREATE INDEX documents_of_request ON documents (request) WHERE request IS NOT NULL;
CREATE INDEX documents_of_type ON documents (type, received_at);

CREATE TABLE requests (
  id TEXT NOT NULL PRIMARY KEY,
  user TEXT NOT NULL,
  idempotency_key TEXT,
  status TEXT NOT NULL,
  final INTEGER NOT NULL,
  submission TEXT NOT NULL,
  view TEXT NOT NULL,
  submitted_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX requests_once ON requests (user, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX requests_by_time ON requests (submitted_at, id);
CREATE INDEX requests_open ON requests (submitted_at) WHERE final = 0;

CREATE TABLE events (
  request TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (request, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE exchanges (
  request TEXT NOT NULL,
  role TEXT NOT NULL,
  state BLOB NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (request, role)
) STRICT;

CREATE TABLE nonces (
  issuer TEXT NOT NULL,
  nonce BLOB NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY (issuer, nonce)
) STRICT, WITHOUT ROWID;
CREATE INDEX nonces_by_expiry ON nonces (expires);

CREATE TABLE work (
  contract TEXT NOT NULL,
  step INTEGER NOT NULL,
  round INTEGER NOT NULL,
  status TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  PRIMARY KEY (contract, step, round)
) STRICT, WITHOUT ROWID;
CREATE INDEX work_running ON work (started_at) WHERE status = 'running';
`
}
