import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Client } from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import type { ConnectorAnswer, ConnectorOrder } from './order.ts'
import { engineType } from './types.ts'

type Failed = Extract<ConnectorAnswer, { kind: 'failed' }>
type Table = ConnectorOrder['tables'][number]

export class ConnectorFailed extends Error {
  readonly failure: Omit<Failed, 'kind' | 'message'>
  constructor(code: Failed['code'], hint: string, options?: ErrorOptions) {
    super(hint, options)
    this.failure = { code, hint }
  }
}

/** Reads all tables of an order in one snapshot: what they show is of one moment. */
export async function readTables(order: ConnectorOrder): Promise<ConnectorAnswer> {
  const { connection, seconds, tables } = order
  const { tls, ...where } = connection
  const client = new Client({
    ...where,
    ssl: tls === null ? false : { ...tls, rejectUnauthorized: true },
    connectionTimeoutMillis: Math.min(10_000, seconds * 1000),
    application_name: 'dynamos'
  })
  // a server that dies is told to whoever waits for it as well
  client.on('error', () => undefined)
  try {
    await client.connect()
    // how values are written, and that nothing else is: of the session, so that no default of the role counts; and functions and
    // operators are the server's own, not those that somebody made in `public` to be run as this role
    await client.query(
      `SET default_transaction_read_only = on; SET statement_timeout = ${Math.ceil(seconds * 1000)};
       SET idle_in_transaction_session_timeout = ${Math.ceil(seconds * 1000)}; SET search_path = pg_catalog, pg_temp;
       SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601'; SET bytea_output = 'hex';
       SET extra_float_digits = 1; SET client_encoding = 'UTF8'`
    )
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const budget = { left: order.bytes }
    const read: Extract<ConnectorAnswer, { kind: 'tables' }>['tables'] = []
    for (const table of tables) read.push(await readTable(client, table, budget))
    await client.query('COMMIT')
    return { kind: 'tables', tables: read }
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function readTable(
  client: Client,
  { table, columns, file }: Table,
  budget: { left: number }
): Promise<{ version: string; columns: { name: string; type: string }[] }> {
  const { oid, name } = await find(client, table)
  const { rows } = await client.query(
    `SELECT attnum, attname, format_type(atttypid, atttypmod) AS type
     FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    [oid]
  )
  const found = rows.map((row) => ({ name: String(row.attname), type: engineType(String(row.type)) }))
  // a column that takes another's name changes no row
  const form = createHash('sha256')
    .update(JSON.stringify(rows.map(({ attnum, attname, type }) => [attnum, attname, type])))
    .digest('hex')
  const wanted = columns === undefined ? found : columns.map((column) => chosen(column, found, table))
  // a row that was changed is another version of it, under another number of its transaction or at another place
  const [{ version } = {}] = (
    await client.query(
      `SELECT count(*)::text || '-' || coalesce(sum(hashtextextended(tableoid::text || ctid::text || xmin::text, 0)), 0)::text AS version FROM ${name}`
    )
  ).rows
  if (file !== undefined) {
    const list = wanted.map((column) => quoted(column.name)).join(', ')
    const copy = `COPY (SELECT ${list} FROM ${name}) TO STDOUT (FORMAT csv, NULL '', FORCE_QUOTE *)`
    const limited = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        budget.left -= chunk.length
        done(
          budget.left < 0
            ? new ConnectorFailed('disk-limit', 'the job needed more disk than it may use')
            : null,
          chunk
        )
      }
    })
    await pipeline(client.query(copyTo(copy)), limited, createWriteStream(file, { flags: 'wx' }))
  }
  return { version: `${oid}-${String(version)}-${form.slice(0, 16)}`, columns: wanted }
}

/** Of tables alone it can be said whether they changed; and whoever may write is more than a reader. */
async function find(client: Client, table: string): Promise<{ oid: string; name: string }> {
  const [schema, relation] = parts(table)
  const { rows } = await client.query(
    `SELECT c.oid::text AS oid, n.nspname, c.relname, c.relkind,
       has_table_privilege(c.oid, 'SELECT') AS readable,
       has_any_column_privilege(c.oid, 'INSERT') OR has_any_column_privilege(c.oid, 'UPDATE')
         OR has_table_privilege(c.oid, 'DELETE') OR has_table_privilege(c.oid, 'TRUNCATE') AS writable,
       EXISTS (WITH RECURSIVE below AS (
           SELECT inhrelid FROM pg_inherits WHERE inhparent = c.oid
           UNION SELECT i.inhrelid FROM pg_inherits i JOIN below b ON i.inhparent = b.inhrelid)
         SELECT FROM below JOIN pg_class p ON p.oid = below.inhrelid WHERE p.relkind = 'f') AS elsewhere
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2`,
    [schema, relation]
  )
  const [row] = rows
  if (row === undefined)
    throw new ConnectorFailed('dataset-missing', `expected a table "${table}" in the database`)
  if (!['r', 'p', 'm'].includes(String(row.relkind)) || row.elsewhere === true)
    throw new ConnectorFailed(
      'dataset-malformed',
      `"${table}": expected a table or materialised view: of others nobody can tell whether they changed`
    )
  if (row.readable !== true)
    throw new ConnectorFailed('dataset-malformed', `"${table}": the agent's role may not read it`)
  if (row.writable === true)
    throw new ConnectorFailed(
      'dataset-malformed',
      `"${table}": the agent's role may write it; give the agent one that may only read`
    )
  return { oid: String(row.oid), name: `${quoted(String(row.nspname))}.${quoted(String(row.relname))}` }
}

/** `schema.table`; without a schema: public. */
function parts(table: string): [string, string] {
  const dot = table.indexOf('.')
  return dot === -1 ? ['public', table] : [table.slice(0, dot), table.slice(dot + 1)]
}

function chosen(
  wanted: string,
  found: readonly { name: string; type: string }[],
  table: string
): { name: string; type: string } {
  const column =
    found.find(({ name }) => name === wanted) ??
    found.find(({ name }) => name.toLowerCase() === wanted.toLowerCase())
  if (column !== undefined) return column
  throw new ConnectorFailed('dataset-malformed', `"${table}": expected a column "${wanted}"`)
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
