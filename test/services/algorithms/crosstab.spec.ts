import { expect } from 'chai'
import fc from 'fast-check'
import { algorithm } from '../../../services/algorithm/crosstab/index.ts'
import { algorithm as topk } from '../../../services/algorithm/topk/index.ts'
import { deal, Parties } from './parties.ts'
import { chiSquaredTail, expectNear } from './reference.ts'

const columns = [
  { name: 'r', type: 'VARCHAR' },
  { name: 'c', type: 'BIGINT' }
]
const parameters = { rows: 'r', columns: 'c' }

type Row = readonly [string | null, number | null]

const nullsLast = (a: string | number | null, b: string | number | null) =>
  a === null ? 1 : b === null ? -1 : a < b ? -1 : 1

function expectTable(found: unknown[][], rows: readonly Row[]): void {
  const down = [...new Set(rows.map(([r]) => r))].sort(nullsLast)
  const across = [...new Set(rows.map(([, c]) => c))].sort(nullsLast)
  const count = (keep: (row: Row) => boolean) => rows.filter(keep).length
  const wanted = down.flatMap((r) =>
    across.map((c) => {
      const both = count((row) => row[0] === r && row[1] === c)
      const expected = (count((row) => row[0] === r) * count((row) => row[1] === c)) / rows.length
      return { r, c, both, expected }
    })
  )
  const df = (down.length - 1) * (across.length - 1)
  const chi2 = wanted.reduce((sum, { both, expected }) => sum + (both - expected) ** 2 / expected, 0)
  expect(found.length).to.equal(wanted.length)
  for (const [index, { r, c, both, expected }] of wanted.entries()) {
    const [row, column, n, e, statistic, degrees, p] = found[index] ?? []
    expect([row, column, n, degrees]).to.deep.equal([
      r,
      c === null ? null : BigInt(c),
      BigInt(both),
      BigInt(df)
    ])
    expectNear(e, expected, 'expected')
    // where nothing differs, the reference is not quite 0
    expectNear(statistic, df === 0 ? null : chi2, 'chi2', 1e-6)
    expectNear(p, df === 0 ? null : chiSquaredTail(Number(statistic), df), 'p')
  }
}

describe('the cross table', () => {
  let parties: Parties
  before(async () => {
    parties = await Parties.of(algorithm)
  })

  it('equals an independent one, however rows are dealt to parties', async () => {
    const row = fc.tuple(fc.constantFrom('a', 'b', 'é', null), fc.constantFrom(1, 2, 10, null))
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ row, at: fc.nat(4) }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 5 }),
        async (cards, count) => {
          const rows = cards.map((card) => card.row)
          const whole = await parties.complete(columns, rows, parameters)
          expectTable(whole, rows)
          expect(await parties.merged(columns, deal(cards, count), parameters)).to.deep.equal(whole)
        }
      ),
      { numRuns: 30 }
    )
  })

  it('of a table from a textbook has its statistic', async () => {
    const cells: [string, number, number][] = [
      ['a', 1, 90],
      ['a', 2, 60],
      ['b', 1, 104],
      ['b', 2, 30]
    ]
    const rows = cells.flatMap(([r, c, n]) => Array.from({ length: n }, (): Row => [r, c]))
    const [first = []] = await parties.complete(columns, rows, parameters)
    expect(first.slice(0, 3)).to.deep.equal(['a', 1n, 90n])
    expectTable(await parties.complete(columns, rows, parameters), rows)
  })

  it('of a column with itself, of one value, of nothing', async () => {
    const rows: Row[] = [
      ['a', 1],
      [null, 1]
    ]
    expect(await parties.complete(columns, rows, { rows: 'c', columns: 'c' })).to.deep.equal([
      [1n, 1n, 2n, 2, null, 0n, null]
    ])
    expect(await parties.complete(columns, [], parameters)).to.deep.equal([])
    expect(await parties.merged(columns, [[], []], parameters)).to.deep.equal([])
  })

  it('of columns with thousands of values ends before it fills the machine', async () => {
    const sql = parties
      .plan(columns, parameters)
      .replaceAll(
        'nothing AS input',
        '(SELECT CAST(i AS VARCHAR) AS r, i AS c FROM range(2000) t(i)) AS input'
      )
    const error = await parties.engine.rows(sql).then(
      () => undefined,
      (failure: unknown) => failure
    )
    expect(String(error)).to.match(
      /output-too-large: crosstab: the result would have more than 1000000 cells/
    )
  })
})

describe('the most frequent values', () => {
  it('come with their counts, equal ones in order of value', async () => {
    const parties = await Parties.of(topk)
    const rows = ['b', 'a', null, 'c', 'a', null, 'b', 'd'].map((value): Row => [value, 1])
    expect(await parties.complete(columns, rows, { column: 'R', k: 4 })).to.deep.equal([
      ['a', 2n],
      ['b', 2n],
      [null, 2n],
      ['c', 1n]
    ])
    expect(await parties.complete(columns, rows, { column: 'c', k: 4 })).to.deep.equal([[1n, 8n]])
    expect(await parties.complete(columns, [], { column: 'c', k: 1 })).to.deep.equal([])
  })
})
