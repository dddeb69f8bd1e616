import { expect } from 'chai'
import fc from 'fast-check'
import { algorithm } from '../../../services/algorithm/correlation/index.ts'
import { deal, Parties } from './parties.ts'
import { correlation, expectNear, units } from './reference.ts'

const NAMES = ['x', 'y', 'z']
const parameters = { columns: NAMES }
const typed = (type: string) => NAMES.map((name) => ({ name, type }))

/** Rows of three, each carrying the party it is dealt to. */
const dealt = <T extends string | number | bigint>(value: fc.Arbitrary<T | null>, maxLength = 30) =>
  fc.array(fc.record({ row: fc.tuple(value, value, value), at: fc.nat(4) }), { maxLength })

function expectMatrix<T extends string | number | bigint>(
  found: unknown[][],
  rows: readonly (readonly (T | null)[])[],
  exact: (value: T) => bigint
): void {
  const wanted = NAMES.flatMap((one, i) => NAMES.map((other, j) => ({ one, other, i, j })))
  expect(found.length).to.equal(wanted.length)
  for (const [index, { one, other, i, j }] of wanted.entries()) {
    const both = rows.flatMap((row): [bigint, bigint][] => {
      const a: T | null = row[i] ?? null
      const b: T | null = row[j] ?? null
      return a === null || b === null ? [] : [[exact(a), exact(b)]]
    })
    const [x, y] = [both.map(([a]) => a), both.map(([, b]) => b)]
    const [row, column, r, n] = found[index] ?? []
    expect([row, column, n]).to.deep.equal([one, other, BigInt(both.length)])
    expectNear(r, correlation(x, y), `${one} and ${other} over ${both.length}`, 1e-6)
  }
}

describe('the correlation', () => {
  let parties: Parties
  before(async () => {
    parties = await Parties.of(algorithm)
  })

  it('of doubles of any size equals an exact one, however rows are dealt to parties', async () => {
    const value = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { freq: 6 })
    await fc.assert(
      fc.asyncProperty(dealt(value), fc.integer({ min: 1, max: 5 }), async (cards, count) => {
        const rows = cards.map(({ row }) => row)
        const whole = await parties.complete(typed('DOUBLE'), rows, parameters)
        expectMatrix(whole, rows, units)
        expect(await parties.complete(typed('DOUBLE'), [...rows].reverse(), parameters)).to.deep.equal(whole)
        expectMatrix(await parties.merged(typed('DOUBLE'), deal(cards, count), parameters), rows, units)
      }),
      { numRuns: 8 }
    )
  })

  it('of values that differ by little beside their size equals an exact one', async () => {
    const value = fc.option(
      fc.integer({ min: 0, max: 40 }).map((ulps) => 1e15 + ulps / 8),
      { freq: 8 }
    )
    await fc.assert(
      fc.asyncProperty(dealt(value), fc.integer({ min: 1, max: 5 }), async (cards, count) => {
        const rows = cards.map(({ row }) => row)
        expectMatrix(await parties.merged(typed('DOUBLE'), deal(cards, count), parameters), rows, units)
      }),
      { numRuns: 6 }
    )
  })

  it('of whole numbers that no double holds equals an exact one', async () => {
    const value = fc.option(fc.bigInt({ min: 2n ** 62n, max: 2n ** 62n + 100n }), { freq: 8 })
    await fc.assert(
      fc.asyncProperty(dealt(value), fc.integer({ min: 1, max: 5 }), async (cards, count) => {
        const rows = cards.map(({ row }) => row)
        const exact = (whole: bigint): bigint => whole
        expectMatrix(await parties.complete(typed('BIGINT'), rows, parameters), rows, exact)
        expectMatrix(await parties.merged(typed('BIGINT'), deal(cards, count), parameters), rows, exact)
      }),
      { numRuns: 6 }
    )
  })

  it('of decimals equals an exact one', async () => {
    const value = fc.option(
      fc.integer({ min: -500, max: 500 }).map((cents) => (1e7 + cents / 100).toFixed(2)),
      { freq: 8 }
    )
    await fc.assert(
      fc.asyncProperty(dealt(value), fc.integer({ min: 1, max: 5 }), async (cards, count) => {
        const rows = cards.map(({ row }) => row)
        const exact = (text: string): bigint => BigInt(text.replace('.', ''))
        for (const type of ['DECIMAL(12,2)', 'DECIMAL(38,2)'])
          expectMatrix(await parties.merged(typed(type), deal(cards, count), parameters), rows, exact)
      }),
      { numRuns: 8 }
    )
  })

  it('uses for each pair the rows that hold both', async () => {
    const rows = [
      [1, 2, null],
      [2, 4, 1],
      [3, 6, 5],
      [null, 1, 3]
    ]
    const found = await parties.complete(typed('DOUBLE'), rows, parameters)
    expect(found.map(([row, column, , n]) => [row, column, Number(n)])).to.deep.equal([
      ['x', 'x', 3],
      ['x', 'y', 3],
      ['x', 'z', 2],
      ['y', 'x', 3],
      ['y', 'y', 4],
      ['y', 'z', 3],
      ['z', 'x', 2],
      ['z', 'y', 3],
      ['z', 'z', 3]
    ])
    expect(found[1]?.[2]).to.be.closeTo(1, 1e-15)
    expect(found[2]?.[2]).to.be.closeTo(1, 1e-15)
    expect(found[5]?.[2]).to.be.closeTo(0.3973597071195132, 1e-15)
  })

  it('is NULL without rows, with NULL alone, and where a column does not vary', async () => {
    const nothing = NAMES.flatMap((one) => NAMES.map((other) => [one, other, null, 0n]))
    const empty = [null, null, null]
    expect(await parties.complete(typed('DOUBLE'), [], parameters)).to.deep.equal(nothing)
    expect(await parties.complete(typed('DOUBLE'), [empty, empty], parameters)).to.deep.equal(nothing)
    expect(await parties.merged(typed('DOUBLE'), [[], [empty], []], parameters)).to.deep.equal(nothing)
    const flat = await parties.merged(typed('DOUBLE'), [[[1, 2, 3]], [[1, 5, 3]]], parameters)
    expect(flat.map(([, , r]) => r)).to.deep.equal([null, null, null, null, 1, null, null, null, null])
  })

  it('is NaN where a value is not finite', async () => {
    const rows = [
      [1, 2, 3],
      ['nan', 4, 5],
      [2, 5, '-inf'],
      [4, 1, 1]
    ]
    for (const found of [
      await parties.complete(typed('DOUBLE'), rows, parameters),
      await parties.merged(typed('DOUBLE'), [rows.slice(0, 2), rows.slice(2)], parameters)
    ]) {
      for (const [row, column, r, n] of found) {
        if (row === 'y' && column === 'y') expect(r).to.equal(1)
        else expect(r, `${row} ${column}`).to.be.NaN
        expect(n).to.equal(4n)
      }
    }
  })
})
