import { expect } from 'chai'
import fc from 'fast-check'
import { algorithm } from '../../../services/algorithm/histogram/index.ts'
import { deal, Parties } from './parties.ts'

const columns = [
  { name: 'g', type: 'VARCHAR' },
  { name: 'v', type: 'DOUBLE' },
  { name: 'n', type: 'BIGINT' },
  { name: 'd', type: 'DECIMAL(10,2)' }
]

type Row = readonly [string | null, number | string | null]

/** Bins by comparing each value with each edge. */
function independent(rows: readonly Row[], edges: readonly number[]): unknown[][] {
  const groups = [...new Set(rows.map(([group]) => group))].sort((a, b) =>
    a === null ? 1 : b === null ? -1 : a < b ? -1 : 1
  )
  const last = edges.length - 1
  const binOf = (value: number) =>
    value === edges[last] ? last : edges.filter((edge) => value >= edge).length
  return groups.flatMap((group) => {
    const values = rows.flatMap(([g, value]) =>
      g === group ? [value === null ? Number.NaN : Number(value)] : []
    )
    const bins = values.flatMap((value) => (Number.isNaN(value) ? [] : [binOf(value)]))
    const nowhere = values.length - bins.length
    return [
      ...Array.from({ length: edges.length + 1 }, (_, bin) => [
        group,
        BigInt(bin),
        edges[bin - 1] ?? null,
        edges[bin] ?? null,
        BigInt(bins.filter((one) => one === bin).length)
      ]),
      ...(nowhere === 0 ? [] : [[group, null, null, null, BigInt(nowhere)]])
    ]
  })
}

describe('the histogram', () => {
  let parties: Parties
  before(async () => {
    parties = await Parties.of(algorithm)
  })

  it('counts each value in its bin, however rows are dealt to parties', async () => {
    const edge = fc.oneof(
      fc.integer({ min: -20, max: 20 }),
      fc.double({ noNaN: true, noDefaultInfinity: true })
    )
    const edges = fc.uniqueArray(edge, { minLength: 2, maxLength: 8, comparator: 'SameValueZero' })
    const sizes = edges.map((list) => list.map((one) => one + 0).sort((a, b) => a - b))
    await fc.assert(
      fc.asyncProperty(
        sizes.chain((list) =>
          fc.record({
            list: fc.constant(list),
            count: fc.integer({ min: 1, max: 5 }),
            cards: fc.array(
              fc.record({
                row: fc.tuple(
                  fc.constantFrom('a', 'b', null),
                  fc.oneof(
                    fc.constantFrom(...list),
                    fc.constant(null),
                    edge,
                    fc.constantFrom('nan', 'inf', '-inf')
                  )
                ),
                at: fc.nat(4)
              }),
              { maxLength: 30 }
            )
          })
        ),
        async ({ list, count, cards }) => {
          const parameters = { value: 'v', edges: list.map(String), by: ['g'] }
          const full = (row: Row) => [row[0], row[1], null, null]
          const number = (value: Row[1]) =>
            typeof value === 'string' ? Number(value.replace('inf', 'Infinity')) : value
          const wanted = independent(
            cards.map(({ row: [group, value] }): Row => [group, number(value)]),
            list
          )
          expect(
            await parties.complete(
              columns,
              cards.map(({ row }) => full(row)),
              parameters
            )
          ).to.deep.equal(wanted)
          const dealt = deal(cards, count).map((rows) => rows.map(full))
          expect(await parties.merged(columns, dealt, parameters)).to.deep.equal(wanted)
        }
      ),
      { numRuns: 30 }
    )
  })

  it('takes bins of equal width, whose edges are no sums of rounded tenths', async () => {
    const rows = [0, 0.1, 0.3, 0.29999999999999993, 1, 1.0000000000000002, -1e-300].map((v) => [
      null,
      v,
      null,
      null
    ])
    const found = await parties.complete(columns, rows, { value: 'v', from: 0, to: '1', bins: 10 })
    expect(found.map(([bin, from, , count]) => [bin, from, count])).to.deep.equal([
      [0n, null, 1n],
      [1n, 0, 1n],
      [2n, 0.1, 1n],
      [3n, 0.2, 1n],
      [4n, 0.3, 1n],
      [5n, 0.4, 0n],
      [6n, 0.5, 0n],
      [7n, 0.6, 0n],
      [8n, 0.7, 0n],
      [9n, 0.8, 0n],
      [10n, 0.9, 1n],
      [11n, 1, 1n]
    ])
  })

  it('compares whole numbers and decimals with edges exactly', async () => {
    const big = 2n ** 53n
    const rows = [
      [null, null, big + 1n, '0.10'],
      [null, null, big, '0.11'],
      [null, null, -(2n ** 63n), '-0.30'],
      [null, null, 2n ** 63n - 1n, '0.30']
    ]
    const counts = async (value: string, edges: string[]) =>
      (await parties.complete(columns, rows, { value, edges })).map((row) => Number(row[3]))
    expect(await counts('n', [`${big}.5`, '1e300'])).to.deep.equal([2, 2, 0])
    expect(await counts('n', [String(big), `${big + 1n}.7`, '9223372036854775807'])).to.deep.equal([
      1, 2, 1, 0
    ])
    expect(await counts('d', ['-0.3', '0.1', '0.105', '0.3'])).to.deep.equal([0, 1, 1, 2, 0])
    expect(await counts('d', ['-1e30', '-0.3'])).to.deep.equal([0, 1, 3])
  })

  it('over nothing is every bin without groups, none with', async () => {
    const parameters = { value: 'v', edges: [0, 1] }
    const nothing = [
      [0n, null, 0, 0n],
      [1n, 0, 1, 0n],
      [2n, 1, null, 0n]
    ]
    expect(await parties.complete(columns, [], parameters)).to.deep.equal(nothing)
    expect(await parties.merged(columns, [[], []], parameters)).to.deep.equal(nothing)
    expect(await parties.merged(columns, [[], []], { ...parameters, by: ['g'] })).to.deep.equal([])
  })

  it('takes ten thousand bins', async () => {
    const rows = [[null, 9999.5, null, null]]
    const found = await parties.complete(columns, rows, { value: 'v', from: 0, to: 10_000, bins: 10_000 })
    expect(found.length).to.equal(10_002)
    expect(found[10_000]).to.deep.equal([10_000n, 9999, 10_000, 1n])
  })

  it('groups by columns of any name, in their order', async () => {
    const by = ['bits', 'k1', 'k0', 'one"two', 'v']
    const odd = by.map((name) => ({ name, type: 'BIGINT' }))
    const rows = [
      [1, 2, 9, 4, 5],
      [1, 2, 3, 4, 5],
      [1, null, 3, 4, 5],
      [0, 7, 3, 4, 5]
    ]
    const parameters = { value: 'v', edges: [0, 9], by }
    const whole = await parties.complete(odd, rows, parameters)
    expect(
      whole.filter(([, , , , , bin]) => bin === 1n).map((row) => [...row.slice(0, 4), row[8]])
    ).to.deep.equal([
      [0n, 7n, 3n, 4n, 1n],
      [1n, 2n, 3n, 4n, 1n],
      [1n, 2n, 9n, 4n, 1n],
      [1n, null, 3n, 4n, 1n]
    ])
    expect(await parties.merged(odd, [rows.slice(1), rows.slice(0, 1)], parameters)).to.deep.equal(whole)
  })
})
