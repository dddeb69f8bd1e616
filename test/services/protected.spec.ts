import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import type { Launcher } from '../../agent/jobs/index.ts'
import { Engine } from '../../services/engine/index.ts'
import type { Assignment, ReportOf } from '../../services/index.ts'
import { quoteText } from '../../services/sql/index.ts'
import { aLauncher, cleanUp, failureOf, LIMITS } from '../jobs/launchers.ts'

type Query = Extract<Assignment, { kind: 'query' }>
type Protect = NonNullable<Query['protect']>

/** person: id, gender, birth year; job: id, year, wage. */
const PERSON = (ids: string): string =>
  `SELECT id, CASE WHEN id % 3 = 0 THEN 'M' ELSE 'F' END AS gender, 1950 + id % 40 AS born FROM (${ids}) AS ids`
const JOB = (ids: string, more = ''): string =>
  `SELECT id, 2020 AS year, 1000 + id * 7 AS wage, CAST(id AS DOUBLE) / 3 AS hours FROM (${ids}) AS ids${more}`
const first = (count: number, from = 1): string => `SELECT unnest(range(${from}, ${from + count})) AS id`
const BOTH = 'SELECT p.gender, j.wage FROM person p JOIN job j USING (id)'
const AVERAGE = { name: 'average', parameters: { value: 'wage', by: ['gender'] } }

describe('a job whose groups are protected', () => {
  let launcher: Launcher
  let engine: Engine
  cleanUp()
  before(async () => {
    launcher = await aLauncher()
    engine = await Engine.open()
  })

  interface Run {
    tables?: Record<string, string>
    protect?: Partial<Protect>
    phase?: 'complete' | 'partial'
    /** What `released` of earlier runs holds. */
    earlier?: string
    parameters?: Record<string, unknown>
    name?: string
  }

  const run = async (sql: string, order: Run = {}) => {
    const { tables = { person: PERSON(first(30)), job: JOB(first(30)) }, phase = 'complete', earlier } = order
    const { name, parameters } = { ...AVERAGE, ...order }
    const folder = await launcher.folder()
    try {
      for (const [table, select] of Object.entries(tables)) {
        const path = join(folder.path, 'in', `${table}.parquet`)
        await mkdir(dirname(path), { recursive: true })
        await engine.run(`COPY (${select}) TO ${quoteText(path)} (FORMAT parquet)`)
      }
      if (earlier !== undefined) await writeFile(join(folder.path, 'in/earlier.csv'), earlier)
      const protect: Protect = {
        minGroupSize: 10,
        units: Object.keys(tables).map((table) => ({ table, column: 'id', shown: true })),
        bounds: [],
        salt: 'cd'.repeat(32),
        ...(earlier === undefined ? {} : { earlier: 'in/earlier.csv' }),
        room: 1_000_000,
        ...order.protect
      }
      const { report } = await launcher.run(
        {
          kind: 'query',
          inputs: [
            {
              kind: 'tables',
              tables: Object.keys(tables).map((table) => ({ name: table, path: `in/${table}.parquet` }))
            }
          ],
          steps: [
            { service: 'query', sql },
            { service: 'algorithm', name, parameters, phase }
          ],
          protect,
          partBytes: 8e6
        },
        folder,
        LIMITS
      )
      const released = await readFile(join(folder.path, 'out/released.csv'), 'utf8')
      return { report, released, rows: await read(folder.path, report) }
    } finally {
      await folder.wipe()
    }
  }
  const read = async (root: string, report: ReportOf<'query'>): Promise<unknown[][]> => {
    const paths = report.parts.map(({ path }) => quoteText(join(root, path)))
    return await engine.rows(`SELECT * FROM read_parquet([${paths.join(', ')}])`)
  }
  const plain = (rows: unknown[][]) =>
    rows.map((row) => row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell)))

  it('gives the groups that enough units are in, and tells how many stay', async () => {
    const { rows, report } = await run(BOTH)
    expect(plain(rows).map(([gender, , count]) => [gender, count])).to.deep.equal([
      ['F', 20],
      ['M', 10]
    ])
    expect(report.suppressed).to.equal(0)
    const fewer = await run(BOTH, { tables: { person: PERSON(first(29)), job: JOB(first(29)) } })
    expect(plain(fewer.rows).map(([gender]) => gender)).to.deep.equal(['F'])
    expect(fewer.report.suppressed).to.equal(1)
  })

  it('counts people, not rows, and joins that multiply rows add nobody', async () => {
    const many = `${JOB(first(9))} CROSS JOIN range(50)`
    expect((await run(BOTH, { tables: { person: PERSON(first(9)), job: many } })).rows).to.deep.equal([])
    // one person meets everybody: that is one person
    const one = { person: `SELECT 1 AS id, 'F' AS gender, 1950 AS born`, job: JOB(first(30)) }
    const sql = 'SELECT p.gender, j.wage FROM person p CROSS JOIN job j'
    expect((await run(sql, { tables: one })).rows).to.deep.equal([])
    const other = { person: PERSON(first(30)), job: JOB(first(1)) }
    expect((await run(sql, { tables: other })).rows).to.deep.equal([])
  })

  it('counts who has a value, and nobody for a row about nobody', async () => {
    const missing = `SELECT id, 2020 AS year, CASE WHEN id < 15 THEN 5 END AS wage, 1.5 AS hours FROM (${first(30)}) AS ids`
    const { rows, report } = await run(BOTH, { tables: { person: PERSON(first(30)), job: missing } })
    expect(plain(rows).map(([gender, , count]) => [gender, count])).to.deep.equal([['F', 10]])
    expect(report.suppressed).to.equal(1)
    const nobody = `SELECT CASE WHEN id > 4 THEN id END AS id, 2020 AS year, 1 AS wage FROM (${first(30)}) AS ids`
    const sql = `SELECT 'all' AS gender, wage FROM job`
    expect(plain((await run(sql, { tables: { job: nobody } })).rows)).to.deep.equal([['all', 1, 26]])
  })

  it('shows a statement nothing that is not shown, and counts by it', async () => {
    const units: Protect['units'] = [{ table: 'job', column: 'id', shown: false }]
    const tables = { job: JOB(first(30)) }
    const sql = `SELECT 'all' AS gender, * FROM job`
    const { rows } = await run(sql, { tables, protect: { units } })
    expect(plain(rows).map((row) => row[2])).to.deep.equal([30])
    expect(
      await failureOf(run('SELECT id AS gender, wage FROM job', { tables, protect: { units } }))
    ).to.include({
      code: 'sql-column-unknown'
    })
    for (const name of ['dynamos unit', 'dynamos content'])
      expect(await failureOf(run(`SELECT "${name}" AS gender, wage FROM job`, { tables }))).to.include({
        code: 'sql-column-unknown'
      })
  })

  it('refuses what the inspector should have refused', async () => {
    for (const sql of [`${BOTH} WHERE p.id = 5`, `${BOTH} LIMIT 1`, 'SELECT id AS gender, wage FROM job'])
      expect(await failureOf(run(sql)), sql).to.include({ code: 'sql-invalid' })
    for (const name of ['table', 'describe', 'topk'])
      expect(await failureOf(run(BOTH, { name, parameters: { columns: ['wage'] } })), name).to.include({
        code: 'sql-invalid'
      })
  })

  it('does not fail for a value of somebody: a failure would tell that the row is there', async () => {
    const sql = `${BOTH} WHERE CASE WHEN p.born = 1955 THEN CAST(p.gender AS INTEGER) > 0 ELSE TRUE END`
    const { rows } = await run(sql)
    expect(plain(rows).map(([gender, , count]) => [gender, count])).to.deep.equal([
      ['F', 19],
      ['M', 10]
    ])
    const computed = await run(
      'SELECT CAST(p.gender AS INTEGER) AS gender, j.wage FROM person p JOIN job j USING (id)'
    )
    expect(plain(computed.rows).map(([gender, , count]) => [gender, count])).to.deep.equal([[null, 30]])
  })

  describe('shows a cell that stays', () => {
    const tables = { person: PERSON(first(29)), job: JOB(first(29)) }
    const sql =
      "SELECT p.gender, j.wage, CASE WHEN p.gender = 'F' THEN 1 ELSE 2 END AS side FROM person p JOIN job j USING (id)"
    const ASKED = [
      { name: 'histogram', parameters: { value: 'wage', edges: ['0', '100000'], by: ['gender'] }, count: 4 },
      { name: 'histogram', parameters: { value: 'side', edges: ['1', '2', '3'] }, count: 3 },
      { name: 'crosstab', parameters: { rows: 'gender', columns: 'side' }, count: 2 }
    ]
    for (const { name, parameters, count } of ASKED)
      it(`as unknown and not as 0, in ${name} by ${Object.values(parameters).flat().join(', ')}`, async () => {
        const { rows, report } = await run(sql, { tables, name, parameters })
        expect(report.suppressed).to.equal(1)
        const counts = plain(rows).map((row) => row[count])
        expect(counts.filter((one) => one !== null)).to.deep.equal([20])
        const whole = await run(sql, { name, parameters })
        expect(whole.report.suppressed).to.equal(0)
        expect(plain(whole.rows).flat()).to.include(0)
      })

    it('and tells so in the state that is merged elsewhere', async () => {
      const { rows } = await run(sql, { tables, ...ASKED[2], phase: 'partial' })
      expect(plain(rows)).to.deep.equal([
        ['F', 1, 20],
        [null, null, null]
      ])
    })
  })

  describe('after something has left', () => {
    const changed = `${BOTH} WHERE p.born <> 1955`

    it('withholds a group that differs from an earlier one by too few', async () => {
      const before = await run(BOTH)
      const after = await run(changed, { earlier: before.released })
      expect(plain(after.rows).map(([gender]) => gender)).to.deep.equal(['M'])
      expect(after.report.suppressed).to.equal(1)
    })

    it('gives the same again, and what differs by enough', async () => {
      const before = await run(BOTH)
      const again = await run(BOTH, { earlier: before.released, protect: { room: 0 } })
      expect(again.rows).to.deep.equal(before.rows)
      expect(again.released).to.equal(before.released)
      const tables = { person: PERSON(first(60)), job: JOB(first(60)) }
      const all = await run(BOTH, { tables })
      const half = await run(`${BOTH} WHERE j.wage < 1210`, { tables, earlier: all.released })
      expect(plain(half.rows).map(([gender, , count]) => [gender, count])).to.deep.equal([['F', 20]])
    })

    it('withholds the total of which all but a few have left, and what an aggregate of another kind leaves out', async () => {
      const tables = { person: PERSON(first(29)), job: JOB(first(29)) }
      const before = await run(BOTH, { tables })
      expect(plain(before.rows)).to.have.length(1)
      const total = await run(BOTH, { tables, earlier: before.released, parameters: { value: 'wage' } })
      expect(plain(total.rows)).to.deep.equal([[null, 0]])
      const counts = { name: 'crosstab', parameters: { rows: 'all', columns: 'year' } }
      const sql = `SELECT 'all' AS "all", j.year FROM job j`
      expect((await run(sql, { tables, earlier: before.released, ...counts })).rows).to.deep.equal([])
    })

    it('withholds a group of the same people in which a few have other rows', async () => {
      const two = `${JOB(first(30))} UNION ALL SELECT id, 2021, 5, 2 FROM (${first(1, 3)}) AS more`
      const tables = { person: PERSON(first(30)), job: two }
      const before = await run(`${BOTH} WHERE j.year = 2020`, { tables })
      const after = await run(BOTH, { tables, earlier: before.released })
      expect(plain(after.rows).map(([gender]) => gender)).to.deep.equal(['F'])
    })

    it('lets nothing leave that cannot be remembered', async () => {
      const { rows, report } = await run(BOTH, { protect: { room: 15 } })
      expect(rows).to.deep.equal([])
      expect(report.suppressed).to.equal(2)
    })

    it('remembers hashes that tell nobody apart without the key', async () => {
      const [one, other] = await Promise.all([run(BOTH), run(BOTH, { protect: { salt: 'ef'.repeat(32) } })])
      const hashes = (lines: string) =>
        lines
          .trim()
          .split('\n')
          .map((line) => line.split(',')[1])
      expect(hashes(one.released)).to.have.length(30)
      expect(hashes(one.released).filter((hash) => hashes(other.released).includes(hash))).to.deep.equal([])
    })
  })

  describe('of a pair of columns', () => {
    it('withholds a pair over a few rows less than another pair', async () => {
      const parameters = { columns: ['wage', 'hours', 'gap'] }
      const sql = 'SELECT wage, hours, CASE WHEN year = 2020 THEN wage END AS "none", gap FROM job'
      const job = `SELECT *, CASE WHEN id <> 7 THEN id * id % 11 END AS gap FROM (${JOB(first(30))}) AS j`
      const { rows, report } = await run(sql.replace(', CASE WHEN year = 2020 THEN wage END AS "none"', ''), {
        tables: { job },
        name: 'correlation',
        parameters
      })
      const known = plain(rows).filter(([one, other, , n]) => one !== other && Number(n) > 0)
      expect(known.map(([one, other]) => [one, other])).to.deep.equal([
        ['wage', 'hours'],
        ['hours', 'wage']
      ])
      expect(report.suppressed).to.be.greaterThan(0)
    })
  })

  describe('sends a state', () => {
    it('in which no value of another size is told apart', async () => {
      const job = (outlier: number) =>
        `SELECT id, CASE WHEN id = 3 THEN ${outlier} ELSE 100.5 END::DOUBLE AS wage FROM (${first(30)}) AS ids`
      const state = async (outlier: number) =>
        await run(`SELECT 'all' AS gender, wage FROM job`, {
          tables: { job: job(outlier) },
          phase: 'partial'
        })
      expect(bandsOf((await state(0.001)).rows)).to.equal(1)
      expect(bandsOf((await state(1e300)).rows)).to.equal(1)
    })

    it('that does not tell how far the outermost value lies', async () => {
      const job = (spread: string) =>
        `SELECT id, ${spread} AS wage, id * 1.0 AS hours FROM (${first(64)}) AS ids`
      const exponents = async (spread: string) => {
        const { rows } = await run('SELECT wage, hours FROM job', {
          tables: { job: job(spread) },
          name: 'regression',
          parameters: { outcome: 'wage', predictors: ['hours'] },
          phase: 'partial'
        })
        return rows.map((row) => [row[6], row[7]])
      }
      // both have a standard deviation of a little above 1, and other largest values
      const even = await exponents('CAST(CASE WHEN id % 2 = 0 THEN 1.1 ELSE -1.1 END AS DOUBLE)')
      const uneven = await exponents('CAST(CASE WHEN id = 1 THEN 8.8 ELSE 0.001 * id END AS DOUBLE)')
      expect(uneven).to.deep.equal(even)
    })

    it('whose sums take what lies outside of declared bounds as the bound', async () => {
      const bounds = [{ table: 'job', column: 'wage', min: '0', max: '1000' }]
      const { rows } = await run(`SELECT 'all' AS gender, wage FROM job`, {
        tables: { job: JOB(first(30)) },
        protect: { bounds }
      })
      expect(plain(rows)).to.deep.equal([['all', 1000, 30]])
    })
  })
})

/** In how many bands of sizes an exact sum of doubles lies. */
function bandsOf(rows: unknown[][]): number {
  return (
    JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)).split(
      '"band"'
    ).length - 1
  )
}
