import { chmod, copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { detectSandbox, type JobLogger, type Launcher } from '../../agent/jobs/index.ts'
import { Engine } from '../../services/engine/index.ts'
import type { SourceTable } from '../../services/index.ts'
import { quoteText } from '../../services/sql/index.ts'
import { aLauncher, cleanUp, failureOf, LIMITS, temporaryFolder } from './launchers.ts'
import { needsPostgres, type PostgresServer } from './postgres-server.ts'

const ODD = `CREATE TABLE odd (id bigint, "a ""b" text, n numeric(38,2), free numeric, r real, d double precision, day date,
  t timestamptz, s timestamp, yes boolean, u uuid, bytes bytea, list int[])`
const VALUES = `INSERT INTO odd VALUES
  (9223372036854775807, E'é😀,"\\n', 123456789012345678901234567890123456.78, 1.10, 0.1, 'NaN', '1969-12-31',
   '2020-01-01 00:00:00.000001+02', '9999-12-31 23:59:59.999999', true, '550e8400-e29b-41d4-a716-446655440000', '\\x00ff', '{1,2}'),
  (-1, '', NULL, NULL, NULL, '-Infinity', '0044-03-15 BC', NULL, NULL, false, NULL, '', NULL)`

describe('A table on a PostgreSQL server', function () {
  this.timeout(120_000)
  let server: PostgresServer
  let launcher: Launcher
  let folder: string
  let path: string
  const logged: string[] = []
  cleanUp()
  before(async function () {
    server = await needsPostgres(this)
    folder = await temporaryFolder()
    path = await server.describe(join(folder, 'hr.postgres.yaml'))
    await server.sql(`${ODD}; ${VALUES}`)
    const found = await detectSandbox()
    const log = (fields: object, message: string) => logged.push(`${JSON.stringify(fields)} ${message}`)
    const logger: JobLogger = { debug: log, info: log, warn: log }
    launcher = await aLauncher({ sandbox: found.kind === 'none' ? 'none' : 'bubblewrap', logger })
  })
  after(async () => await server?.stop())

  const table = (name: string, more: Partial<SourceTable> = {}): SourceTable => ({
    name,
    path,
    format: 'postgres',
    columns: [],
    ...more
  })
  const profile = async (source: SourceTable) => {
    const job = await launcher.folder({ for: 'profile' })
    try {
      return (await launcher.run({ kind: 'profile', tables: [source] }, job, LIMITS)).report.tables[0]
    } finally {
      await job.wipe()
    }
  }
  const extract = async (source: SourceTable, columns: string[], where?: string) => {
    const job = await launcher.folder({ for: 'extract' })
    const tables = [{ source, columns, ...(where === undefined ? {} : { where }) }]
    try {
      const { report } = await launcher.run({ kind: 'extract', tables }, job, LIMITS)
      const kept = join(folder, 'extract.parquet')
      await copyFile(join(job.path, report.tables[0]?.part.path ?? ''), kept)
      return { copied: await readFile(join(job.path, 'in', 'copied-0.csv'), 'utf8').catch(() => ''), kept }
    } finally {
      await job.wipe()
    }
  }

  it('keeps every value, and has the engine’s types', async () => {
    const found = await profile(table('odd'))
    expect(found?.rows).to.equal(2)
    const columns = (found?.columns ?? []).map(({ name, type }) => ({ name, type }))
    expect(columns.map(({ type }) => type)).to.deep.equal([
      'BIGINT',
      'VARCHAR',
      'DECIMAL(38,2)',
      'VARCHAR',
      'FLOAT',
      'DOUBLE',
      'DATE',
      'TIMESTAMP WITH TIME ZONE',
      'TIMESTAMP',
      'BOOLEAN',
      'UUID',
      'BLOB',
      'VARCHAR'
    ])
    const { kept } = await extract(
      table('odd', { columns }),
      columns.map(({ name }) => name)
    )
    const engine = await Engine.open()
    const list = columns.map(({ name }) => `CAST("${name.replaceAll('"', '""')}" AS VARCHAR)`)
    expect(await engine.rows(`SELECT ${list.join(', ')} FROM ${quoteText(kept)}`)).to.deep.equal([
      [
        '9223372036854775807',
        'é😀,"\n',
        '123456789012345678901234567890123456.78',
        '1.10',
        '0.1',
        'nan',
        '1969-12-31',
        '2019-12-31 22:00:00.000001+00',
        '9999-12-31 23:59:59.999999',
        'true',
        '550e8400-e29b-41d4-a716-446655440000',
        '\\x00\\xFF',
        '{1,2}'
      ],
      ['-1', '', null, null, null, '-inf', '0044-03-15 (BC)', null, null, 'false', null, '', null]
    ])
  })

  it('that holds what the engine has no value for is refused, and no value is told', async () => {
    for (const value of [`timestamp '0044-03-15 BC'`, `'NaN'::numeric(10,2)`]) {
      await server.sql(`DROP TABLE IF EXISTS beyond; CREATE TABLE beyond AS SELECT ${value} AS v`)
      const failure = await failureOf(profile(table('beyond')))
      expect(failure.code, value).to.equal('dataset-malformed')
      expect(failure.hint).not.to.match(/0044|NaN/)
    }
  })

  it('sends the columns that are permitted or asked about, and no others', async () => {
    const columns = ['id', 'r', 'yes'].map((name) => ({ name, from: name }))
    await server.sql(
      `CREATE TABLE narrow AS SELECT 1 AS id, 'Jan Jansen' AS r, true AS yes, 'secret' AS other`
    )
    const { copied, kept } = await extract(
      table('narrow', { columns }),
      ['id'],
      `"yes" = true AND "id" < 5 OR "id" = '"r"'`
    )
    expect(copied).to.equal('"1","t"\n')
    expect(await (await Engine.open()).rows(`FROM ${quoteText(kept)}`)).to.deep.equal([[1]])
  })

  it('has another version after each change, and a run that expected another ends', async () => {
    await server.sql('CREATE TABLE moving AS SELECT i AS id FROM generate_series(1, 9) i')
    const seen = new Set<string>()
    for (const change of [
      'SELECT 1',
      'INSERT INTO moving VALUES (10)',
      'UPDATE moving SET id = 1 WHERE id = 1',
      'DELETE FROM moving WHERE id = 2',
      'ALTER TABLE moving ADD COLUMN more int DEFAULT 1',
      'TRUNCATE moving'
    ]) {
      await server.sql(change)
      const [version = ''] = await launcher.look([table('moving')], LIMITS)
      expect(seen.has(version), change).to.equal(false)
      seen.add(version)
      expect(await launcher.look([table('moving')], LIMITS)).to.deep.equal([version])
    }
    const [first = ''] = seen
    const late = await failureOf(
      extract(table('moving', { columns: [{ name: 'id' }], version: first }), ['id'])
    )
    expect(late.code).to.equal('dataset-changed')
  })

  it('is read with the functions of the server, and none that lie in wait under their names', async () => {
    await server.sql('CREATE TABLE watched AS SELECT 1 AS id')
    const [first] = await launcher.look([table('watched')], LIMITS)
    await server.sql(
      `CREATE FUNCTION public.hashtextextended(text, bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE 'run as %', current_user; END $$`
    )
    try {
      expect(await launcher.look([table('watched')], LIMITS)).to.deep.equal([first])
    } finally {
      await server.sql('DROP FUNCTION public.hashtextextended')
    }
  })

  it('is read only as one who may only read, and only what tells whether it changed', async () => {
    await server.sql(
      'CREATE TABLE open (a int); GRANT INSERT ON open TO reader; CREATE VIEW v AS SELECT 1 AS a'
    )
    await server.sql('CREATE TABLE closed (a int); REVOKE ALL ON closed FROM reader')
    await server.sql('CREATE TABLE partly (a int, b int); GRANT UPDATE (b) ON partly TO reader')
    await server.sql(
      `CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;
       CREATE TABLE split (a int) PARTITION BY LIST (a); CREATE FOREIGN TABLE far PARTITION OF split FOR VALUES IN (1) SERVER s`
    )
    const hints: Record<string, [string, RegExp]> = {
      partly: ['dataset-malformed', /"partly": the agent's role may write it/],
      split: ['dataset-malformed', /"split": expected a table or materialised view/],
      open: ['dataset-malformed', /"open": the agent's role may write it/],
      v: ['dataset-malformed', /"v": expected a table or materialised view/],
      closed: ['dataset-malformed', /"closed": the agent's role may not read it/],
      'gone.table': ['dataset-missing', /expected a table "gone\.table" in the database/]
    }
    for (const [name, [code, hint]] of Object.entries(hints)) {
      const failure = await failureOf(launcher.look([table(name)], LIMITS))
      expect(failure.code, name).to.equal(code)
      expect(failure.hint).to.match(hint)
    }
  })

  it('is reached as its file says: its password is private, and in no message', async () => {
    const other = async (changes: Record<string, unknown>) =>
      await failureOf(
        launcher.look(
          [table('odd', { path: await server.describe(join(folder, 'other.yaml'), changes) })],
          LIMITS
        )
      )
    const wrong = await other({ password: 'wrong-password' })
    expect([wrong.code, wrong.hint]).to.deep.equal([
      'dataset-missing',
      'other.yaml: the database does not let the agent in'
    ])
    expect((await other({ tls: 'required' })).code).to.equal('dataset-missing')
    expect((await other({ port: 1 })).hint).to.equal('other.yaml: the database cannot be read at the moment')
    expect((await other({ password: 987_654 })).message)
      .to.match(/expected a text, in quotes/)
      .and.not.include('987654')
    expect((await other({ passwordEnv: 'NOT_SET', password: undefined })).message).to.include(
      'no such environment variable'
    )
    process.env.DYNAMOS_TEST_PG = server.secret
    const named = await server.describe(join(folder, 'env.yaml'), {
      passwordEnv: 'DYNAMOS_TEST_PG',
      password: undefined
    })
    expect(await launcher.look([table('odd', { path: named })], LIMITS)).to.have.length(1)
    await chmod(path, 0o644)
    expect((await failureOf(launcher.look([table('odd')], LIMITS))).message).to.include('chmod 600')
    await chmod(path, 0o600)
    const said = [...logged, wrong.message, wrong.localMessage].join('\n')
    expect(said).not.to.include(server.secret)
    expect(said).not.to.include('wrong-password')
  })

  it('that is too large, too slow, or whose server dies in the middle ends with a code', async () => {
    await server.sql(
      `CREATE TABLE large AS SELECT i AS id, repeat('x', 1000) AS t FROM generate_series(1, 200000) i`
    )
    const columns = [{ name: 'id' }, { name: 't' }]
    const run = async (limits: typeof LIMITS) => {
      const job = await launcher.folder({ for: 'extract' })
      try {
        await launcher.run(
          { kind: 'extract', tables: [{ source: table('large', { columns }), columns: ['id', 't'] }] },
          job,
          limits
        )
      } finally {
        await job.wipe()
      }
    }
    expect((await failureOf(run({ ...LIMITS, disk: 1e6 }))).code).to.equal('disk-limit')
    const slow = await failureOf(launcher.look([table('large')], { ...LIMITS, seconds: 0.001 }))
    expect(slow.code).to.be.oneOf(['job-timeout', 'dataset-missing'])
    const dying = failureOf(run({ ...LIMITS, disk: 1e9 }))
    await server.kill()
    expect((await dying).code).to.equal('dataset-missing')
  })
})
