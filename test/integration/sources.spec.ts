import { appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import type { Launcher } from '../../agent/jobs/index.ts'
import { Engine } from '../../services/engine/index.ts'
import type { Report } from '../../services/index.ts'
import { quoteText } from '../../services/sql/index.ts'
import { findPostgres, type PostgresServer } from '../jobs/postgres-server.ts'
import { inSqlite } from '../services/in-sqlite.ts'
import { type AgentSpec, Market, type TableSpec } from './harness.ts'
import { ANALYST, SURF, UVA, wageAgreement } from './wages.ts'

const TABLE: TableSpec = {
  columns: { id: 'BIGINT', gender: 'VARCHAR', birth: 'DATE', wage: 'DOUBLE' },
  rows: [
    [1, 'F', '1969-12-31', 10.25],
    // as a text: JavaScript would round it
    ['9007199254740993', 'M', '1970-01-01', null],
    [3, null, '9999-12-31', -0.5]
  ],
  subject: 'id'
}
type Kept = NonNullable<TableSpec['kept']>

const literal = (cell: string) => (cell === '' ? 'NULL' : quoteText(cell))

/** The same rows in other formats, each beside its CSV file. */
const FORMATS: Record<string, Kept | undefined> = {
  VU: undefined,
  TUD: async (csv) => {
    const path = csv.replace(/csv$/, 'sqlite')
    const lines = (await readFile(csv, 'utf8')).trim().split('\n').slice(1)
    const values = lines.map((line) => `(${line.split(',').map(literal).join(', ')})`)
    await inSqlite(path, [
      'CREATE TABLE "the persons" (id INTEGER, gender TEXT, birth DATE, wage REAL)',
      `INSERT INTO "the persons" VALUES ${values.join(', ')}`,
      'CREATE TABLE secrets (nobody)'
    ])
    return { path, format: 'sqlite', table: 'the persons' }
  },
  RUG: async (csv) => {
    const path = csv.replace(/\.csv$/, '')
    await mkdir(path)
    const engine = await Engine.open()
    await engine.run(
      `COPY (SELECT * FROM read_csv(${quoteText(csv)}, types = {'id': 'BIGINT', 'wage': 'DOUBLE'})) TO ${quoteText(path)} (FORMAT parquet, PARTITION_BY (gender))`
    )
    return { path: `${path}/*/*.parquet`, format: 'parquet' }
  },
  TUE: async (csv) => {
    const path = csv.replace(/csv$/, 'ndjson')
    const [names = [], ...lines] = (await readFile(csv, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => line.split(','))
    const values = lines.map((cells) =>
      cells.map((cell, index) =>
        cell === '' ? 'null' : /^[12]$/.test(String(index)) ? JSON.stringify(cell) : cell
      )
    )
    const objects = values.map(
      (cells) => `{${cells.map((cell, index) => `"${names[index]}":${cell}`).join(',')}}`
    )
    await writeFile(path, objects.join('\n'))
    return { path, format: 'json' }
  }
}

describe('Data in several formats', function () {
  this.timeout(120_000)
  let market: Market
  let server: PostgresServer | undefined
  let names: string[] = []
  const paths = new Map<string, string>()
  /** What somebody else does while an extract is being read, once. */
  let meanwhile: (() => Promise<unknown>) | undefined
  const jobs = (launcher: Launcher): Launcher => {
    const honest = launcher.run.bind(launcher)
    const run: Launcher['run'] = async (assignment, folder, limits, options) => {
      const result = await honest(assignment, folder, limits, options)
      const report: Report = result.report
      if (report.kind !== 'extract') return result
      await meanwhile?.()
      meanwhile = undefined
      return result
    }
    return Object.assign(launcher, { run })
  }

  const onServer: Kept = async (csv) => {
    if (server === undefined) throw new Error('there is no server')
    const [, ...lines] = (await readFile(csv, 'utf8')).trim().split('\n')
    const values = lines.map((line) => `(${line.split(',').map(literal).join(', ')})`)
    await server.sql(
      `CREATE TABLE person (id bigint, gender text, birth date, wage double precision); INSERT INTO person VALUES ${values.join(', ')}`
    )
    return {
      path: await server.describe(csv.replace(/csv$/, 'postgres.yaml')),
      format: 'postgres',
      table: 'public.person'
    }
  }

  before(async () => {
    server = await findPostgres()
    names = [...Object.keys(FORMATS), ...(server === undefined ? [] : ['TUI'])]
    const holders = names
      .map((name) => [name, name === 'TUI' ? onServer : FORMATS[name]] as const)
      .map(([name, kept]): AgentSpec => {
        const keeping: Kept = async (csv) => {
          const table = kept === undefined ? { path: csv, format: 'csv' } : await kept(csv)
          paths.set(name, table.path)
          return table
        }
        const tables = { person: { ...TABLE, kept: keeping } }
        return {
          name,
          roles: ['dataProvider'],
          users: [`steward@${name.toLowerCase()}.nl`],
          datasets: [{ id: 'wages', tables }]
        }
      })
    market = await Market.open([SURF, UVA, ...holders], { seams: { jobs } })
    for (const name of names) {
      const tables = { person: { columns: ['id', 'gender', 'birth', 'wage'] } }
      expect((await market.agent(name).sign(wageAgreement(name, { tables }))).state).to.equal('in-force')
    }
  })
  after(async () => {
    await market?.closeClean()
    await server?.stop()
  })

  const ask = async (providers: string[], changes: Record<string, unknown> = {}) =>
    await market.agent('UVA').ask({
      user: ANALYST,
      purpose: 'research',
      datasets: ['wages'],
      providers,
      query: 'SELECT id, gender, birth, wage FROM person ORDER BY birth',
      ...changes
    })

  it('gives the same results from each, types included', async () => {
    const view = await ask(names, { options: { aggregate: false } })
    expect(view.status, JSON.stringify(view)).to.equal('completed')
    expect(view.results).to.have.length(names.length)
    for (const result of view.results ?? []) {
      expect(result.types, result.from[0]).to.deep.equal(['BIGINT', 'VARCHAR', 'DATE', 'DOUBLE'])
      expect(result.rows, result.from[0]).to.deep.equal([
        [1, 'F', '1969-12-31', 10.25],
        ['9007199254740993', 'M', '1970-01-01', null],
        [3, null, '9999-12-31', -0.5]
      ])
    }
  })

  it('takes up a file that was written, a part that was added, and one that came back', async () => {
    const rowsOf = async (name: string) => {
      const view = await ask([name], { query: 'SELECT id FROM person WHERE id < 10 ORDER BY id' })
      expect(view.status, JSON.stringify(view)).to.equal('completed')
      return view.results?.[0]?.rows.flat()
    }
    await inSqlite(paths.get('TUD') ?? '', [`INSERT INTO "the persons" VALUES (4, 'F', '2000-01-01', 1)`])
    expect(await rowsOf('TUD')).to.deep.equal([1, 3, 4])
    const parts = dirname(dirname(paths.get('RUG') ?? ''))
    await mkdir(join(parts, 'gender=X'))
    const engine = await Engine.open()
    await engine.run(
      `COPY (SELECT 5::BIGINT AS id, DATE '2000-01-01' AS birth, 1.0::DOUBLE AS wage) TO ${quoteText(join(parts, 'gender=X', 'new.parquet'))} (FORMAT parquet)`
    )
    expect(await rowsOf('RUG')).to.deep.equal([1, 3, 5])
    const csv = paths.get('VU') ?? ''
    await rename(csv, `${csv}.away`)
    const gone = await ask(['VU'])
    expect([gone.status, gone.refusals?.[0]?.code]).to.deep.equal(['refused', 'dataset-unknown'])
    await rename(`${csv}.away`, csv)
    expect(await rowsOf('VU')).to.deep.equal([1, 3])
  })

  it('ends when a file is replaced, or a part is added, while it is read', async () => {
    const parts = dirname(dirname(paths.get('RUG') ?? ''))
    const changes: Record<string, () => Promise<unknown>> = {
      VU: async () => await appendFile(paths.get('VU') ?? '', '8,F,2000-01-01,1\n'),
      TUD: async () => await inSqlite(paths.get('TUD') ?? '', ['DELETE FROM "the persons" WHERE id = 3']),
      RUG: async () => await rm(join(parts, 'gender=F'), { recursive: true })
    }
    for (const [name, change] of Object.entries(changes)) {
      meanwhile = change
      const view = await ask([name])
      expect([view.status, view.error?.code], name).to.deep.equal(['failed', 'dataset-changed'])
      expect((await ask([name])).status, name).to.equal('completed')
    }
  })

  it('asks the server anew, and says when it is gone', async function () {
    // Said loudly where the server was looked for; --all counts it as failed.
    if (server === undefined) return this.skip()
    const rows = async () =>
      (
        await ask(['TUI'], { query: 'SELECT id FROM person WHERE id < 10 ORDER BY id' })
      ).results?.[0]?.rows.flat()
    await server.sql(
      "UPDATE person SET id = 2 WHERE id = 1; INSERT INTO person VALUES (7, 'F', '2000-01-01', 1)"
    )
    expect(await rows()).to.deep.equal([2, 3, 7])
    await server.kill()
    const view = await ask(['TUI'])
    expect([view.status, view.refusals?.[0]?.code]).to.deep.equal(['refused', 'dataset-unknown'])
    expect(JSON.stringify(view)).not.to.include(server.secret)
  })

  it('refuses what became unreadable, without a word of what is in it', async () => {
    await rm(paths.get('TUE') ?? '')
    await writeFile(paths.get('TUE') ?? '', '{"id": 1, "gender": "Jan Jansen"')
    const view = await ask(['TUE'])
    expect([view.status, view.refusals?.[0]?.code]).to.deep.equal(['refused', 'dataset-changed'])
    expect(JSON.stringify(view)).not.to.include('Jansen')
  })
})
