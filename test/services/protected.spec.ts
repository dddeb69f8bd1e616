import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import type { Launcher } from '../../agent/jobs/index.ts'
import { Engine } from '../../services/engine/index.ts'
import type { Assignment, ReportOf } from '../../services/index.ts'
import { quoteText } from '../../services/sql/index.ts'
import { aLauncher, cleanUp, LIMITS } from '../jobs/launchers.ts'

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
})
