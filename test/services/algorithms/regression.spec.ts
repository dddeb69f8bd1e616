import { expect } from 'chai'
import fc from 'fast-check'
import { algorithm } from '../../../services/algorithm/regression/index.ts'
import { deal, Parties } from './parties.ts'
import { expectNear, leastSquares, studentTail, units } from './reference.ts'

const PREDICTORS = ['a', 'b']
const parameters = { outcome: 'y', predictors: PREDICTORS }
const typed = (type: string) => [...PREDICTORS, 'y'].map((name) => ({ name, type }))

type Row = readonly [number | null, number | null, number | null]

/**
 * What must hold of a result. Digits are lost in proportion where predictors all but determine each other, or the outcome, as
 * the documentation says: there the reference is not asked.
 */
function expectFit(found: unknown[][], rows: readonly Row[]): void {
  const whole = rows.flatMap(([a, b, y]) => (a === null || b === null || y === null ? [] : [[a, b, y]]))
  expect(found.map(([term]) => term)).to.deep.equal(['(intercept)', ...PREDICTORS])
  for (const row of found) expect(row[5]).to.equal(BigInt(whole.length))
  if (whole.length < 4) return
  const column = (place: number): bigint[] => whole.map((row) => units(row[place] ?? 0))
  const fit = leastSquares(column(2), [column(0), column(1)], units(1))
  if (fit === undefined || fit.tolerance < 1e-4 || !(fit.r2 < 1 - 1e-5)) return
  const df = whole.length - 3
  for (const [index, [term, estimate, error, t, p, , degrees, r2]] of found.entries()) {
    const [wanted = Number.NaN, deviation = Number.NaN] = [fit.estimates[index], fit.errors[index]]
    expectNear(estimate, wanted, `${term}`, deviation)
    expectNear(error, deviation, `error of ${term}`)
    expectNear(t, wanted / deviation, `t of ${term}`, 1)
    // relative to t, whose own error counts more in a tail
    expectNear(p, studentTail(Number(t), df), `p of ${term}`)
    expect(degrees).to.equal(BigInt(df))
    expectNear(r2, fit.r2, 'r2', 1e-5)
  }
}

describe('the regression', () => {
  let parties: Parties
  before(async () => {
    parties = await Parties.of(algorithm)
  })

  const dealt = (cell: fc.Arbitrary<number>) => {
    const value = fc.option(cell, { freq: 12 })
    return fc.array(fc.record({ row: fc.tuple(value, value, value), at: fc.nat(4) }), {
      minLength: 3,
      maxLength: 25
    })
  }

  const cells: [what: string, type: string, cell: fc.Arbitrary<number>][] = [
    ['small doubles', 'DOUBLE', fc.integer({ min: -1000, max: 1000 }).map((n) => n / 7)],
    ['doubles far from 0', 'DOUBLE', fc.integer({ min: 0, max: 1000 }).map((n) => 1e9 + n / 8)],
    ['tiny doubles', 'DOUBLE', fc.integer({ min: 0, max: 1000 }).map((n) => n * 1e-200)],
    ['huge doubles', 'DOUBLE', fc.integer({ min: -1000, max: 1000 }).map((n) => n * 1e200)],
    ['whole numbers', 'BIGINT', fc.integer({ min: 0, max: 1000 }).map((n) => 2 ** 52 + n)]
  ]
  for (const [what, type, cell] of cells) {
    it(`of ${what} equals an exact one, however rows are dealt to parties`, async () => {
      await fc.assert(
        fc.asyncProperty(dealt(cell), fc.integer({ min: 1, max: 5 }), async (cards, count) => {
          const rows = cards.map(({ row }) => row)
          expectFit(await parties.complete(typed(type), rows, parameters), rows)
          expectFit(await parties.merged(typed(type), deal(cards, count), parameters), rows)
        }),
        { numRuns: 5 }
      )
    })
  }

  it('gives what R gives for its own cars', async () => {
    // lm(mpg ~ wt + hp, mtcars), the first ten cars
    const cars = [
      [2.62, 110, 21],
      [2.875, 110, 21],
      [2.32, 93, 22.8],
      [3.215, 110, 21.4],
      [3.44, 175, 18.7],
      [3.46, 105, 18.1],
      [3.57, 245, 14.3],
      [3.19, 62, 24.4],
      [3.15, 95, 22.8],
      [3.44, 123, 19.2]
    ] as const
    expectFit(await parties.complete(typed('DOUBLE'), cars, parameters), cars)
    expectFit(await parties.complete(typed('DECIMAL(10,3)'), cars, parameters), cars)
    expectFit(await parties.merged(typed('DOUBLE'), [cars.slice(0, 1), cars.slice(1)], parameters), cars)
  })

  it('leaves out a predictor that those before it determine', async () => {
    const rows = [1, 2, 3, 4, 5, 6].map((n): Row => [n, 3 * n + 1, n * n])
    for (const found of [
      await parties.complete(typed('DOUBLE'), rows, parameters),
      await parties.merged(typed('DOUBLE'), [rows.slice(0, 3), rows.slice(3)], parameters)
    ]) {
      expect(found[2]).to.deep.equal(['b', null, null, null, null, 6n, 4n, found[1]?.[7]])
      expectNear(found[1]?.[1], 7, 'slope')
      expectNear(found[0]?.[1], -28 / 3, 'intercept')
    }
  })

  it('has no errors where no degree of freedom is left, and nothing at all without rows', async () => {
    const two: Row[] = [
      [1, 5, 2],
      [2, 5, 6]
    ]
    const found = await parties.complete(typed('DOUBLE'), two, parameters)
    expect(found.map(([, , error, t, p, n, df]) => [error, t, p, n, df])).to.deep.equal(
      found.map(() => [null, null, null, 2n, 0n])
    )
    expectNear(found[0]?.[1], -2, 'intercept')
    expectNear(found[1]?.[1], 4, 'slope')
    const nothing = ['(intercept)', 'a', 'b'].map((term) => [term, null, null, null, null, 0n, null, null])
    expect(await parties.complete(typed('DOUBLE'), [], parameters)).to.deep.equal(nothing)
    expect(await parties.merged(typed('DOUBLE'), [[], [[null, null, null]]], parameters)).to.deep.equal(
      nothing
    )
  })

  it('is NaN where a value is not finite', async () => {
    const rows = [
      [1, 2, 3],
      [4, 'nan', 1],
      [2, 8, 5],
      [3, 1, 1],
      [9, 9, 2]
    ]
    for (const found of [
      await parties.complete(typed('DOUBLE'), rows, parameters),
      await parties.merged(typed('DOUBLE'), [rows.slice(0, 2), rows.slice(2)], parameters)
    ])
      for (const [, estimate, error, t, p, n, df, r2] of found) {
        for (const number of [estimate, error, t, r2]) expect(number).to.be.NaN
        expect([p, n, df]).to.deep.equal([null, 5n, null])
      }
  })

  it('of an outcome that does not vary has no r2', async () => {
    const rows = [1, 2, 3, 5].map((n): Row => [n, n * n, 7])
    const found = await parties.complete(typed('DOUBLE'), rows, parameters)
    expect(found.map(([, estimate, , , , , , r2]) => [estimate, r2])).to.deep.equal([
      [7, null],
      [0, null],
      [0, null]
    ])
  })
})
