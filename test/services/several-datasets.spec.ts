import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Launcher } from '../../agent/jobs/index.ts'
import { Engine } from '../../services/engine/index.ts'
import type { Assignment, Step } from '../../services/index.ts'
import { quoteText } from '../../services/sql/index.ts'
import { aLauncher, cleanUp, failureOf, LIMITS, temporaryFolder } from '../jobs/launchers.ts'

type Query = Extract<Assignment, { kind: 'query' }>
type Tables = Extract<Query['inputs'][number], { kind: 'tables' }>['tables']

const KEY = 'ab'.repeat(32)
const pseudonym = (domain: string, text: string): string =>
  createHmac('sha256', Buffer.from(KEY, 'hex')).update(`${domain}\0${text}`).digest('hex').slice(0, 32)

/** Table `P` of two datasets, and one more of the first. */
const TABLES: Record<string, { dataset: string; name: string; sql: string }> = {
  wages: { dataset: 'wageGap', name: 'P', sql: 'SELECT 1 AS id, 10 AS wage' },
  hours: { dataset: 'wageGap', name: 'H', sql: 'SELECT 1 AS id, 40 AS hours' },
  leave: { dataset: 'sick-leave', name: 'P', sql: 'SELECT 1 AS id, 3 AS days' }
}

describe('a job over tables of several datasets', () => {
  let launcher: Launcher
  let engine: Engine
  cleanUp()
  before(async () => {
    launcher = await aLauncher()
    engine = await Engine.open()
  })

  const run = async (sql: string, ...more: Step[]): Promise<unknown[][]> => {
    const folder = await launcher.folder()
    try {
      const tables: Tables = []
      for (const [file, { dataset, name, sql: rows }] of Object.entries(TABLES)) {
        const path = `in/${file}.parquet`
        await engine.run(`COPY (${rows}) TO ${quoteText(join(folder.path, path))} (FORMAT parquet)`)
        tables.push({ dataset, name, path })
      }
      const steps: Step[] = [{ service: 'query', sql }, ...more]
      const inputs: Query['inputs'] = [{ kind: 'tables', tables }]
      const order: Query = { kind: 'query', inputs, steps, partBytes: 8e6 }
      const { report } = await launcher.run(order, folder, LIMITS)
      const paths = report.parts.map(({ path }) => quoteText(join(folder.path, path)))
      return await engine.rows(`SELECT * FROM read_parquet([${paths.join(', ')}])`)
    } finally {
      await folder.wipe()
    }
  }
  const JOINED = 'SELECT w.id AS w, s.id AS s, wage, days FROM wageGap.P w, "sick-leave".P s'

  it('reads each by its qualified name, and the others by their own', async () => {
    expect(
      await run('SELECT wage, hours, days FROM wageGap.P JOIN H USING (id) JOIN "sick-leave".P USING (id)')
    ).to.deep.equal([[10, 40, 3]])
    expect(await run('SELECT wageGap.H.hours FROM wageGap.H')).to.deep.equal([[40]])
  })

  it('refuses an ambiguous name here too, whatever an inspection said', async () => {
    const failure = await failureOf(run('SELECT * FROM P'))
    expect(failure.code).to.equal('sql-invalid')
    expect(failure.hint).to.match(/write wageGap\.P or "sick-leave"\.P$/)
  })

  it('makes the pseudonyms of each dataset in its own domain', async () => {
    const datasets = {
      wageGap: { pseudonymise: ['id'], domain: 'wageGap' },
      'sick-leave': { pseudonymise: ['id'], domain: 'sick-leave' }
    }
    expect(await run(JOINED, { service: 'anonymize', parameters: {}, datasets, key: KEY })).to.deep.equal([
      [pseudonym('wageGap', '1'), pseudonym('sick-leave', '1'), 10, 3]
    ])
  })

  it('leaves a dataset as it is that nothing is ordered for', async () => {
    const datasets = { 'sick-leave': { pseudonymise: ['id'], suppress: ['days'], domain: 'sick-leave' } }
    expect(await run(JOINED, { service: 'anonymize', parameters: {}, datasets, key: KEY })).to.deep.equal([
      [1, pseudonym('sick-leave', '1'), 10, null]
    ])
  })

  it('counts subjects in tables of one name, each for itself', async () => {
    const counted = (quasi: string, k: number) => ({
      pseudonymise: [],
      suppress: ['id'],
      k,
      quasi: [quasi],
      subjects: { P: { column: 'id', shown: true } }
    })
    const datasets = { wageGap: counted('wage', 1), 'sick-leave': counted('days', 2) }
    const anonymize: Step = { service: 'anonymize', parameters: {}, datasets, key: KEY }
    expect(await run('SELECT wage FROM wageGap.P', anonymize)).to.deep.equal([[10]])
    datasets.wageGap.k = 2
    expect(await run('SELECT wage, days FROM wageGap.P, "sick-leave".P', anonymize)).to.deep.equal([])
  })
})

describe('an extract of several datasets', () => {
  let launcher: Launcher
  let engine: Engine
  cleanUp()
  before(async () => {
    launcher = await aLauncher()
    engine = await Engine.open()
  })

  /** What was written for each `dataset`, `table` that holds its own two names. */
  const extracted = async (names: readonly (readonly [dataset: string, table: string])[]) => {
    const folder = await launcher.folder({ for: 'extract' })
    const sources = await temporaryFolder()
    try {
      const tables: Extract<Assignment, { kind: 'extract' }>['tables'] = []
      for (const [index, [dataset, name]] of names.entries()) {
        const path = join(sources, `${index}.parquet`)
        await engine.run(`COPY (SELECT ${index} AS at) TO ${quoteText(path)} (FORMAT parquet)`)
        tables.push({ source: { name, path, format: 'parquet', columns: [] }, dataset, columns: ['at'] })
      }
      const { report } = await launcher.run({ kind: 'extract', tables }, folder, LIMITS)
      const held: unknown[] = []
      for (const { part } of report.tables)
        held.push(await engine.rows(`FROM read_parquet(${quoteText(join(folder.path, part.path))})`))
      return held
    } finally {
      await folder.wipe()
    }
  }

  it('keeps tables apart whose names read alike once they are put together', async () => {
    expect(
      await extracted([
        ['pay', '2026.person'],
        ['pay.2026', 'person']
      ])
    ).to.deep.equal([[[0]], [[1]]])
  })

  it('keeps tables of a dataset apart whose name is long', async () => {
    const dataset = 'd'.repeat(120)
    expect(
      await extracted([
        [dataset, 'person'],
        [dataset, 'job']
      ])
    ).to.deep.equal([[[0]], [[1]]])
  })
})
