import { expect } from 'chai'
import fc from 'fast-check'
import { parseAnonymize, planAnonymize, planShared } from '../../services/anonymize/index.ts'
import { Engine } from '../../services/engine/index.ts'
import { Failure } from '../../services/failure/index.ts'
import type { Column } from '../../services/job/index.ts'
import { quoteText } from '../../services/sql/index.ts'

/** subject, age, place */
type Row = [subject: string | null, age: number | null, place: string | null]

const COLUMNS: Column[] = [
  { name: 'Subject', type: 'VARCHAR' },
  { name: 'age', type: 'DOUBLE' },
  { name: 'place', type: 'VARCHAR' }
]

const literal = (value: string | null): string => (value === null ? 'NULL' : quoteText(value))

function relationOf(rows: readonly Row[]): string {
  const list = rows.map(
    ([subject, age, place]) =>
      `(CAST(${literal(subject)} AS VARCHAR), CAST(${age === null ? 'NULL' : `'${age}'`} AS DOUBLE), CAST(${literal(place)} AS VARCHAR))`
  )
  return `(SELECT * FROM (VALUES ${list.join(', ')}) AS v("Subject", age, place))`
}

const row = fc.tuple(
  fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e')),
  fc.option(fc.constantFrom(0, -0, 1, 9, 10, 11, Number.NaN, Number.POSITIVE_INFINITY)),
  fc.option(fc.constantFrom('x1', 'x2', 'y1', '', "o'k"))
)

describe('leaving out what too few share', () => {
  let engine: Engine
  before(async () => {
    engine = await Engine.open()
  })

  /** The rows that are released: subject, age, place. */
  async function released(
    rows: readonly Row[],
    parameters: Record<string, unknown>,
    subject: { column: string; shown: boolean } | null = { column: 'subject', shown: true }
  ): Promise<unknown[][]> {
    const subjects = subject === null ? {} : { t: subject }
    const plan = planAnonymize(relationOf(rows), COLUMNS, parseAnonymize({ ...parameters, subjects }), 't')
    if (plan.counting === null) return await engine.rows(plan.sql)
    await engine.run(`CREATE OR REPLACE TEMP TABLE changed_rows AS ${plan.sql}`)
    return await engine.rows(planShared('changed_rows', plan.columns, plan.counting))
  }

  const GENERALISE = { age: 10, place: { prefix: 1 } }

  it('releases no combination that fewer than k subjects share, and every other, whole', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 2, max: 4 }),
        async (rows, k) => {
          const all = await released(rows, { generalise: GENERALISE })
          const found = await released(rows, { generalise: GENERALISE, k })
          const keyOf = ([, age, place]: unknown[]) => `${Object.is(age, -0) ? 0 : age}|${place}`
          const subjects = new Map<string, Set<unknown>>()
          for (const one of all) {
            const key = keyOf(one)
            const group = subjects.get(key) ?? new Set()
            if (one[0] !== null) group.add(one[0])
            subjects.set(key, group)
          }
          const expected = all.filter((one) => (subjects.get(keyOf(one))?.size ?? 0) >= k)
          expect(found.map(String).sort()).to.deep.equal(expected.map(String).sort())
        }
      ),
      { numRuns: 150 }
    )
  })

  it('counts subjects, not rows: one person with many rows is one', async () => {
    const rows: Row[] = Array.from({ length: 50 }, () => ['a', 1, 'x1'])
    expect(await released(rows, { generalise: GENERALISE, k: 2 })).to.deep.equal([])
    expect(await released(rows, { generalise: GENERALISE, k: 2 }, null)).to.have.length(50)
  })

  it('counts a row without subject for nobody', async () => {
    const rows: Row[] = [
      [null, 1, 'x1'],
      [null, 2, 'x2'],
      ['a', 3, 'x3']
    ]
    expect(await released(rows, { generalise: GENERALISE, k: 2 })).to.deep.equal([])
    const both = await released([...rows, ['b', 4, 'x4']], { generalise: GENERALISE, k: 2 })
    expect(both).to.have.length(4)
  })

  it('counts subjects by what they were before they became pseudonyms or were removed', async () => {
    const rows: Row[] = [
      ['a', 1, 'x1'],
      ['b', 2, 'x2'],
      ['c', 1, 'y1']
    ]
    expect(await released(rows, { generalise: GENERALISE, k: 2, suppress: ['subject'] })).to.deep.equal([
      [null, 0, 'x'],
      [null, 0, 'x']
    ])
  })

  it('counts by a subject that is shown to nobody, and drops it', async () => {
    const rows: Row[] = [
      ['a', 1, 'x1'],
      ['b', 2, 'x2'],
      ['c', 1, 'y1'],
      ['c', 1, 'y1']
    ]
    const hidden = { column: 'Subject', shown: false }
    expect(await released(rows, { generalise: GENERALISE, k: 2 }, hidden)).to.deep.equal([
      [0, 'x'],
      [0, 'x']
    ])
    expect(await released(rows, { generalise: GENERALISE }, hidden)).to.have.length(4)
  })

  it('counts by the columns that `quasi` names, in whatever case, instead of those made coarser', async () => {
    const rows: Row[] = [
      ['a', 1, 'x1'],
      ['b', 1, 'y1'],
      ['c', 2, 'y1']
    ]
    expect(await released(rows, { generalise: { age: 10 }, k: 2, quasi: ['PLACE'] })).to.deep.equal([
      ['b', 0, 'y1'],
      ['c', 0, 'y1']
    ])
  })

  it('lets a table alone that has none of these columns', async () => {
    const rows: Row[] = [['a', 1, 'x1']]
    expect(await released(rows, { k: 2, quasi: ['elsewhere'] })).to.have.length(1)
  })

  it('refuses to count by a subject that is not there', async () => {
    const failed = await released(
      [['a', 1, 'x1']],
      { generalise: GENERALISE, k: 2 },
      { column: 'bsn', shown: false }
    )
      .then(() => undefined)
      .catch((error: unknown) => error)
    expect(failed).to.be.instanceOf(Failure).with.property('hint').that.includes('no column "bsn"')
  })
})
