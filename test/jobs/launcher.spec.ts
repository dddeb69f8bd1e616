import { chmod, copyFile, mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  detectSandbox,
  type JobFailed,
  type JobResult,
  type Launcher,
  type SandboxKind
} from '../../agent/jobs/index.ts'
import type { Assignment, JobLimits, SourceTable } from '../../services/index.ts'
import { inSqlite } from '../services/in-sqlite.ts'
import { aLauncher, cleanUp, failureOf, LIMITS, needsBubblewrap, temporaryFolder } from './launchers.ts'

type Query = Extract<Assignment, { kind: 'query' }>

for (const sandbox of ['none', 'bubblewrap'] satisfies SandboxKind[]) {
  describe(`a launcher with sandbox ${sandbox}`, () => {
    let data: string
    let launcher: Launcher
    let source: SourceTable
    cleanUp()
    before(async function () {
      if (sandbox === 'bubblewrap') await needsBubblewrap(this)
      data = await temporaryFolder()
      source = { name: 'P', path: join(data, 'p.csv'), format: 'csv', columns: [] }
      await writeFile(source.path, 'id,sex,pay\n1,M,10\n2,V,20\n3,V,30\n')
      launcher = await aLauncher({ sandbox, warm: 1, sources: () => [source.path] })
      await launcher.prepare()
    })

    const extract = async (table = source, where?: string) => {
      const folder = await launcher.folder({ for: 'extract' })
      const columns = ['id', 'sex', 'pay']
      const tables = [{ source: table, columns, ...(where === undefined ? {} : { where }) }]
      try {
        const result = await launcher.run({ kind: 'extract', tables }, folder, LIMITS)
        const [first] = result.report.tables
        if (first === undefined) throw new Error('nothing was extracted')
        await copyFile(join(folder.path, first.part.path), join(data, 'P.parquet'))
        return result
      } finally {
        await folder.wipe()
      }
    }
    const query = async (
      sql: string,
      limits: Partial<JobLimits> = {},
      more: Partial<Query> = {}
    ): Promise<JobResult<'query'>> => {
      const folder = await launcher.folder()
      await copyFile(join(data, 'P.parquet'), join(folder.path, 'in', 'P.parquet'))
      try {
        const inputs: Query['inputs'] = [{ kind: 'tables', tables: [{ name: 'P', path: 'in/P.parquet' }] }]
        return await launcher.run(
          { kind: 'query', inputs, steps: [{ service: 'query', sql }], partBytes: 8e6, ...more },
          folder,
          { ...LIMITS, ...limits }
        )
      } finally {
        await folder.wipe()
      }
    }

    it('profiles a file', async () => {
      const folder = await launcher.folder({ for: 'profile' })
      const { report, usage } = await launcher.run({ kind: 'profile', tables: [source] }, folder, LIMITS)
      expect(report.tables[0]?.rows).to.equal(3)
      expect(usage.cpuSeconds).to.be.within(0.01, 30)
      expect(usage.milliseconds).to.be.greaterThan(0)
      expect(usage.maxRss).to.be.greaterThan(20e6)
      await folder.wipe()
    })

    it('extracts permitted columns and rows, then queries them elsewhere', async () => {
      const { report } = await extract(source, '"pay" >= 20')
      expect(report.tables[0]?.part.rows).to.equal(2)
      expect((await query('SELECT sex, pay FROM P')).report.rows).to.equal(2)
    })

    it('reads a database with the log beside it', async () => {
      const path = join(data, 'logged.db')
      const rows = `INSERT INTO P VALUES (1, 'M', 10), (2, 'V', 20)`
      await inSqlite(
        path,
        ['PRAGMA journal_mode = WAL', 'CREATE TABLE P (id INT, sex TEXT, pay INT)', rows],
        async () => {
          const { report } = await extract({ ...source, path, format: 'sqlite' })
          expect(report.tables[0]?.part.rows).to.equal(2)
        }
      )
      await extract()
    })

    it('tells what a file lacks by its own name', async () => {
      const failure = await failureOf(extract({ ...source, columns: [{ name: 'salary' }] }))
      expect(failure.code).to.equal('dataset-malformed')
      expect(failure.hint).to.equal('p.csv: expected a column "salary"')
    })

    it('tells that a file is missing', async () => {
      const failure = await failureOf(extract({ ...source, path: join(data, 'absent.csv') }))
      expect(failure.code).to.equal('dataset-missing')
      expect(failure.hint).to.match(/^absent.csv /)
    })

    it('reads a file that is closed to others, in a folder that is closed to others', async () => {
      const closed = join(data, 'closed')
      await mkdir(closed, { mode: 0o700 })
      await writeFile(join(closed, 'p.csv'), 'id,sex,pay\n1,M,10\n')
      await chmod(join(closed, 'p.csv'), 0o600)
      expect(
        (await extract({ ...source, path: join(closed, 'p.csv') })).report.tables[0]?.part.rows
      ).to.equal(1)
    })

    it('reads a file that was replaced since its sandbox was made ready', async () => {
      await launcher.prepare()
      await writeFile(join(data, 'new.csv'), 'id,sex,pay\n1,M,10\n2,V,20\n3,V,30\n4,M,40\n')
      await rename(join(data, 'new.csv'), source.path)
      expect((await extract()).report.tables[0]?.part.rows).to.equal(4)
    })

    it('uses each sandbox for one job', async () => {
      await launcher.prepare()
      const folder = await launcher.folder()
      await copyFile(join(data, 'P.parquet'), join(folder.path, 'in', 'P.parquet'))
      const inputs: Query['inputs'] = [{ kind: 'tables', tables: [{ name: 'P', path: 'in/P.parquet' }] }]
      const order = (name: string): Query => ({
        kind: 'query',
        inputs,
        steps: [{ service: 'query', sql: `SELECT 1 AS "${name}"` }],
        partBytes: 1e6
      })
      expect((await launcher.run(order('a'), folder, LIMITS)).report.columns[0]?.name).to.equal('a')
      expect((await launcher.run(order('b'), folder, LIMITS)).report.columns[0]?.name).to.equal('b')
      await folder.wipe()
    })

    it('takes a job of another kind in any folder', async () => {
      await launcher.prepare()
      const folder = await launcher.folder()
      const { report } = await launcher.run({ kind: 'profile', tables: [source] }, folder, LIMITS)
      expect(report.tables[0]?.rows).to.equal(4)
      await folder.wipe()
    })

    it('ends a query that never ends', async () => {
      await extract()
      const many = Array.from({ length: 24 }, (_, i) => `P p${i}`).join(', ')
      const failure = await failureOf(
        query(
          `SELECT count(*) AS n FROM ${many} WHERE ${Array.from({ length: 24 }, (_, i) => `p${i}.pay`).join(' + ')} < 0`,
          { seconds: 1 }
        )
      )
      expect(failure.code).to.equal('job-timeout')
      expect(failure.hint).to.equal('the job ran longer than 1 s')
    })

    it('gives code and place of a broken query, and no value', async () => {
      const failure = await failureOf(query('SELECT CAST(sex AS INTEGER) AS n FROM P'))
      expect(failure.code).to.equal('sql-runtime')
      expect(failure.position).to.equal(7)
      expect(failure.hint).to.not.match(/'M'|'V'/)
      expect(failure.message).to.not.match(/'M'|'V'/)
      expect(failure.localMessage).to.match(/Could not convert string 'M'/)
    })

    it('does not begin what is cancelled already', async () => {
      const folder = await launcher.folder()
      const job = launcher.run({ kind: 'profile', tables: [source] }, folder, LIMITS, {
        signal: AbortSignal.abort()
      })
      expect((await failureOf(job)).code).to.equal('job-cancelled')
      await folder.wipe()
    })

    describe('inspecting', () => {
      const tables = [
        {
          name: 'P',
          columns: [
            { name: 'id', type: 'BIGINT' },
            { name: 'sex', type: 'VARCHAR' }
          ]
        }
      ]
      const inspect = (sql: string, on = launcher) => on.inspect({ kind: 'inspect', sql, tables })

      it('answers again and again, several at once', async () => {
        const answers = await Promise.all(
          ['SELECT id FROM P', 'SELECT sex FROM P', 'SELECT * FROM P'].map((sql) => inspect(sql))
        )
        expect(answers.map(({ columns }) => columns.length)).to.deep.equal([1, 1, 2])
      })

      it('survives refusals', async () => {
        expect((await failureOf(inspect('SELECT nope FROM P'))).code).to.equal('sql-column-unknown')
        expect((await inspect('SELECT id FROM P')).uses).to.deep.equal([{ table: 'P', columns: ['id'] }])
      })

      it('says whether an algorithm’s parameters fit what the query gives', async () => {
        const ask = (sql: string, name: string, parameters: Record<string, unknown>) =>
          launcher.inspect({ kind: 'inspect', sql, tables, algorithm: { name, parameters } })
        const average = { value: 'id', by: ['sex'] }
        expect((await ask('SELECT id, sex FROM P; -- all', 'average', average)).columns).to.have.length(2)
        expect((await ask('SELECT NULL AS x, [id] AS ids FROM P', 'table', {})).columns).to.have.length(2)
        expect((await ask('SELECT id FROM P', 'only-elsewhere', {})).columns).to.have.length(1)
        const wrong = await failureOf(ask('SELECT sex FROM P', 'average', { value: 'id' }))
        expect(wrong).to.include({ code: 'algorithm-parameters' })
        expect(wrong.hint).to.match(/no column "id"/)
        const text = await failureOf(ask('SELECT id, sex FROM P', 'average', { value: 'sex' }))
        expect(text.hint).to.match(/VARCHAR, expected a number/)
        expect((await inspect('SELECT id FROM P')).columns).to.have.length(1)
      })

      it('is ended when it takes too long, and another takes its place', async () => {
        // within every limit on its form; binding compares two long texts once for the name of each column: that takes an hour
        const wide = [
          { name: 'P', columns: Array.from({ length: 400 }, (_, i) => ({ name: `c${i}`, type: 'BIGINT' })) }
        ]
        const [a, b] = ['a', 'b'].map((letter) => letter.repeat(30_000))
        const sql = `SELECT COLUMNS(c -> levenshtein('${a}', '${b}') > 0) FROM P`
        for (let time = 0; time < 2; time++)
          expect(await failureOf(launcher.inspect({ kind: 'inspect', sql, tables: wide }))).to.include({
            code: 'sql-too-complex',
            hint: 'understanding the statement took longer than 500 ms'
          })
        expect((await inspect('SELECT id FROM P')).columns).to.have.length(1)
      })
    })

    it('leaves no folder when it stops', async () => {
      const root = await temporaryFolder()
      const other = await aLauncher({ sandbox, folder: root, warm: 2, sources: () => [source.path] })
      await other.prepare()
      expect((await readdir(root)).length).to.equal(4)
      await other.stop()
      expect(await readdir(root)).to.deep.equal([])
    })

    it('cancels what runs when it stops', async () => {
      const other = await aLauncher({ sandbox })
      const folder = await other.folder()
      const job: Promise<JobFailed> = failureOf(
        other.run({ kind: 'profile', tables: [source] }, folder, LIMITS)
      )
      await other.stop()
      expect((await job).code).to.equal('job-cancelled')
      await folder.wipe()
    })
  })
}

describe('detecting a sandbox', () => {
  it('gives one that works, or why not and how to mend it', async () => {
    const found = await detectSandbox()
    if (found.kind === 'none') expect(found.mend).to.not.equal('')
    else expect(found.host.bwrap).to.match(/bwrap$/)
  })
})
