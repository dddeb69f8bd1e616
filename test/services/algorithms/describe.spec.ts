import { expect } from 'chai'
import fc from 'fast-check'
import { algorithm } from '../../../services/algorithm/describe/index.ts'
import { Parties } from './parties.ts'
import { expectNear, quotient, standardDeviation, units } from './reference.ts'

const columns = [
  { name: 'v', type: 'DOUBLE' },
  { name: 'n', type: 'BIGINT' },
  { name: 'd', type: 'DECIMAL(18,4)' }
]
const parameters = { columns: ['v', 'n', 'd'] }

/** What must hold of a row, given exact whole numbers of `2^power / 10^places`. */
function expectRow(
  found: readonly unknown[],
  name: string,
  values: readonly (bigint | null)[],
  power: number,
  places = 0
): void {
  const sorted = values.flatMap((value) => (value === null ? [] : [value])).sort((a, b) => (a < b ? -1 : 1))
  const n = sorted.length
  const [column, count, nulls, mean, sd, least, q1, median, q3, most] = found
  expect([column, count, nulls]).to.deep.equal([name, BigInt(n), BigInt(values.length - n)])
  if (n === 0) {
    expect([mean, sd, least, q1, median, q3, most]).to.deep.equal(Array(7).fill(null))
    return
  }
  const scaled = (top: bigint, below = 1n) => quotient(top, below * 10n ** BigInt(places), power)
  const at = (index: number) => sorted[index] ?? 0n
  const sum = sorted.reduce((total, value) => total + value, 0n)
  expectNear(mean, scaled(sum, BigInt(n)), `mean of ${name}`)
  const deviation = standardDeviation(sorted, power)
  expectNear(sd, deviation === null ? null : deviation / 10 ** places, `sd of ${name}`)
  expectNear(least, scaled(at(0)), `min of ${name}`)
  expectNear(most, scaled(at(n - 1)), `max of ${name}`)
  for (const [quarter, value] of [q1, median, q3].entries()) {
    const place = (n - 1) * (quarter + 1)
    const [low, high] = [at(Math.floor(place / 4)), at(Math.min(n - 1, Math.floor(place / 4) + 1))]
    const wanted = scaled(4n * low + (high - low) * BigInt(place % 4), 4n)
    expectNear(value, wanted, `quartile ${quarter} of ${name}`, 1e-6 * Math.abs(scaled(high - low)))
  }
}

describe('the description', () => {
  let parties: Parties
  before(async () => {
    parties = await Parties.of(algorithm)
  })

  it('equals an exact one, for numbers of any size', async () => {
    const row = fc.tuple(
      fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { freq: 6 }),
      fc.option(fc.bigInt({ min: 2n ** 62n, max: 2n ** 62n + 50n }), { freq: 6 }),
      fc.option(
        fc.integer({ min: -99999, max: 99999 }).map((n) => (n / 1e4).toFixed(4)),
        { freq: 6 }
      )
    )
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 25 }), async (rows) => {
        const found = await parties.complete(columns, rows, parameters)
        expect(await parties.complete(columns, [...rows].reverse(), parameters)).to.deep.equal(found)
        const [v = [], n = [], d = []] = found
        expectRow(
          v,
          'v',
          rows.map(([value]) => (value === null ? null : units(value))),
          -1074
        )
        expectRow(
          n,
          'n',
          rows.map(([, value]) => value),
          0
        )
        expectRow(
          d,
          'd',
          rows.map(([, , value]) => (value === null ? null : BigInt(value.replace('.', '')))),
          0,
          4
        )
      }),
      { numRuns: 25 }
    )
  })

  it('of a few numbers reads as one would write it down', async () => {
    const rows = [
      [1, 10, '0.5'],
      [2, null, '1.5'],
      [4, 30, '2.5'],
      [5, 20, '3.5']
    ]
    expect(await parties.complete(columns, rows, { columns: ['V', 'n'] })).to.deep.equal([
      ['V', 4n, 0n, 3, 1.8257418583505538, 1, 1.75, 3, 4.25, 5],
      ['n', 3n, 1n, 20, 10, 10, 15, 20, 25, 30]
    ])
  })

  it('knows NaN and infinities', async () => {
    const rows = [
      ['nan', null, null],
      ['1', null, null],
      ['2', null, null],
      ['3', null, null]
    ]
    const [v = []] = await parties.complete(columns, rows, parameters)
    expect(v.slice(0, 3)).to.deep.equal(['v', 4n, 0n])
    for (const value of [v[3], v[4], v[9]]) expect(value).to.be.NaN
    expect(v[5]).to.equal(1)
    const [w = []] = await parties.complete(
      columns,
      [
        ['inf', 1, 1],
        ['1', 1, 1]
      ],
      parameters
    )
    expect([w[3], w[5], w[9]]).to.deep.equal([Number.POSITIVE_INFINITY, 1, Number.POSITIVE_INFINITY])
    expect(w[4]).to.be.NaN
  })
})
