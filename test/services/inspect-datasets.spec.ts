import { expect } from 'chai'
import { Engine } from '../../services/engine/index.ts'
import { Failure } from '../../services/failure/index.ts'
import type { TableSchema } from '../../services/index.ts'
import { inspect, prepareShadow } from '../../services/inspect/index.ts'

describe('inspecting a statement over several datasets', () => {
  const column = (name: string, type = 'BIGINT') => ({ name, type })
  const datasets: TableSchema[] = [
    { dataset: 'wageGap', name: 'Personen', columns: [column('id'), column('wage')] },
    { dataset: 'wageGap', name: 'Banen', columns: [column('id'), column('hours')] },
    { dataset: 'sick-leave', name: 'personen', columns: [column('id'), column('days')] },
    { dataset: 'main', name: 'Codes', columns: [column('code')] }
  ]
  const WAGE = (...columns: string[]) => ({ dataset: 'wageGap', table: 'Personen', columns })
  const SICK = (...columns: string[]) => ({ dataset: 'sick-leave', table: 'personen', columns })
  let engine: Engine
  before(async () => {
    engine = await Engine.open()
    await prepareShadow(engine)
    const nothing = { memory: 2 ** 28, threads: 1, spill: 0, scratch: '/nonexistent', folders: [], files: [] }
    await engine.confine(nothing)
  })
  const refusal = async (sql: string, tables = datasets): Promise<Failure> => {
    try {
      await inspect(engine, sql, tables)
    } catch (error) {
      if (error instanceof Failure) return error
      throw error
    }
    throw new Error(`permitted: ${sql}`)
  }

  const permitted: [sql: string, uses: (ReturnType<typeof WAGE> & { dataset: string })[]][] = [
    ['SELECT hours FROM Banen', [{ dataset: 'wageGap', table: 'Banen', columns: ['hours'] }]],
    ['SELECT hours FROM wageGap.Banen', [{ dataset: 'wageGap', table: 'Banen', columns: ['hours'] }]],
    ['SELECT wage FROM wageGap.Personen', [WAGE('wage')]],
    ['SELECT WAGEGAP.personen.WAGE FROM wagegap.PERSONEN', [WAGE('wage')]],
    ['SELECT "wageGap"."Personen".wage FROM "wageGap"."Personen"', [WAGE('wage')]],
    [
      'SELECT w.wage, s.days FROM wageGap.Personen w JOIN "sick-leave".Personen s USING (id)',
      [WAGE('id', 'wage'), SICK('id', 'days')]
    ],
    [
      'SELECT wage, days FROM wageGap.Personen JOIN "sick-leave".Personen USING (id)',
      [WAGE('id', 'wage'), SICK('id', 'days')]
    ],
    ['WITH Personen AS (SELECT 1 AS one) SELECT wage FROM Personen, wageGap.Personen AS w', [WAGE('wage')]],
    [
      'SELECT wage FROM wageGap.Personen WHERE id IN (SELECT id FROM "sick-leave".Personen)',
      [WAGE('id', 'wage'), SICK('id')]
    ],
    ['SELECT code FROM Codes', [{ dataset: 'main', table: 'Codes', columns: ['code'] }]]
  ]
  for (const [sql, uses] of permitted)
    it(`permits ${sql}`, async () => {
      expect((await inspect(engine, sql, datasets)).uses).to.deep.equal(uses)
    })

  const refused: [code: string, sql: string][] = [
    ['sql-table-unknown', 'SELECT * FROM wageGap.Codes'],
    ['sql-table-unknown', 'SELECT * FROM other.Banen'],
    ['sql-table-unknown', 'SELECT * FROM main.Codes'],
    ['sql-table-unknown', 'SELECT * FROM main.Banen'],
    ['sql-table-unknown', 'SELECT * FROM temp.Banen'],
    ['sql-table-unknown', 'SELECT * FROM memory.Banen'],
    ['sql-table-unknown', 'SELECT * FROM memory.wageGap.Personen'],
    ['sql-table-unknown', 'SELECT * FROM information_schema.tables'],
    ['sql-table-unknown', 'SELECT * FROM pg_catalog.pg_class'],
    ['sql-table-unknown', 'SELECT * FROM "dynamos shadow".t0'],
    ['sql-table-unknown', 'SELECT * FROM "wageGap"."/etc/passwd"'],
    ['sql-table-unknown', 'WITH x AS (SELECT 1 AS one) SELECT * FROM wageGap.x'],
    ['sql-column-unknown', 'SELECT wageGap.Personen.days FROM wageGap.Personen'],
    ['sql-column-unknown', 'SELECT rowid FROM wageGap.Personen'],
    ['sql-function-not-allowed', 'SELECT wageGap.sum(wage) AS s FROM wageGap.Personen'],
    ['sql-function-not-allowed', 'SELECT * FROM wageGap.read_csv(1)']
  ]
  for (const [code, sql] of refused)
    it(`refuses ${sql} as ${code}`, async () => {
      expect((await refusal(sql)).code).to.equal(code)
    })

  it('says to qualify a table that two datasets have, and where', async () => {
    const failure = await refusal('SELECT wage FROM Personen')
    expect([failure.code, failure.position]).to.deep.equal(['sql-invalid', 17])
    expect(failure.hint).to.equal(
      'table "Personen" is in several datasets: write wageGap.Personen or "sick-leave".personen'
    )
  })

  it('says to name tables of one name that are joined, when a column does not tell them apart', async () => {
    const failure = await refusal('SELECT Personen.id FROM wageGap.Personen, "sick-leave".Personen')
    expect([failure.code, failure.hint]).to.deep.equal([
      'sql-invalid',
      'two tables of one name stand in FROM: give each a name of its own with AS'
    ])
  })

  it('suggests a qualified name for a qualified one', async () => {
    expect((await refusal('SELECT wage FROM wageGp.Personen')).hint).to.equal(
      'there is no table "wageGp.Personen" here, did you mean "wageGap.Personen"?'
    )
  })

  it('tells datasets apart that SQL cannot', async () => {
    const failure = await refusal(
      'SELECT 1 AS one',
      ['a', 'A'].map((dataset) => ({ dataset, name: `t${dataset}`, columns: [column('id')] }))
    )
    expect([failure.code, failure.hint]).to.deep.equal([
      'sql-invalid',
      'the datasets a and A differ in case alone, which SQL does not tell apart: ask for one at a time'
    ])
  })

  it('makes nothing of tables that it does not name, however many there are', async () => {
    const many = Array.from({ length: 500 }, (_, index) => ({
      dataset: `other${index}`,
      name: 'personen',
      columns: [column('id', 'NO_SUCH_TYPE')]
    }))
    const { uses } = await inspect(engine, 'SELECT wage FROM wageGap.Personen, Banen', [...many, ...datasets])
    expect(uses).to.deep.equal([WAGE('wage'), { dataset: 'wageGap', table: 'Banen', columns: [] }])
    expect((await refusal('SELECT 1 AS one FROM Personen', [...many, ...datasets])).code).to.equal(
      'sql-invalid'
    )
  })

  it('leaves nothing behind for the next statement', async () => {
    await inspect(engine, 'SELECT wage FROM wageGap.Personen', datasets)
    const alone = [{ dataset: 'wageGap', name: 'x', columns: [column('id')] }]
    expect((await refusal('SELECT wage FROM wageGap.Personen', alone)).code).to.equal('sql-table-unknown')
  })
})
