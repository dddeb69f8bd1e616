import { expect } from 'chai'
import fc from 'fast-check'
import { planAggregate } from '../../services/aggregate/index.ts'
import { algorithm } from '../../services/algorithm/average/index.ts'
import { Engine } from '../../services/engine/index.ts'
import { Failure } from '../../services/failure/index.ts'

interface Row {
  group: string | null
  value: number | null
}

const parameters = { value: 'v', by: ['g'] }

describe('the average', () => {
  let engine: Engine
  let made = 0
  before(async () => {
    engine = await Engine.open()
  })

  const relation = async (
    rows: readonly Row[],
    type: string
  ): Promise<{ name: string; columns: { name: string; type: string }[] }> => {
    const name = `t${made++}`
    await engine.run(`CREATE TEMP TABLE ${name} (g VARCHAR, v ${type})`)
    const text = (value: string | number | null): string => (value === null ? 'NULL' : `'${value}'`)
    const values = rows.map(({ group, value }) => `(${text(group)}, CAST(${text(value)} AS ${type}))`)
    if (values.length > 0) await engine.run(`INSERT INTO ${name} VALUES ${values.join(', ')}`)
    return {
      name,
      columns: [
        { name: 'g', type: 'VARCHAR' },
        { name: 'v', type }
      ]
    }
  }
  const complete = async (rows: readonly Row[], type: string): Promise<unknown[][]> => {
    const { name, columns } = await relation(rows, type)
    return await engine.rows(algorithm({ relation: name, columns, parameters, phase: 'complete' }))
  }
  const merged = async (providers: readonly (readonly Row[])[], type: string): Promise<unknown[][]> => {
    const states = []
    for (const [index, rows] of providers.entries()) {
      const { name, columns } = await relation(rows, type)
      const sql = algorithm({ relation: name, columns, parameters, phase: 'partial' })
      // a state travels: what is read back must be enough
      const state = `s${made++}`
      await engine.run(`CREATE TEMP TABLE ${state} AS ${sql}`)
      states.push({ from: `P${index}`, relation: state, columns: await engine.describe(sql) })
    }
    const union = planAggregate(states)
    return await engine.rows(
      algorithm({ relation: `(${union.sql})`, columns: union.columns, parameters, phase: 'merge' })
    )
  }

  const groups = fc.constantFrom('a', 'b', 'é', null)
  const dealt = (value: fc.Arbitrary<number | null>) =>
    fc.array(fc.record({ group: groups, value, at: fc.integer({ min: 0, max: 4 }) }), { maxLength: 40 })

  it('of whole numbers equals an independent one, however rows are dealt to providers', async () => {
    const value = fc.option(fc.maxSafeInteger(), { freq: 6 })
    await fc.assert(
      fc.asyncProperty(dealt(value), fc.integer({ min: 1, max: 5 }), async (rows, count) => {
        const wanted = independent(rows, (values) => {
          const sum = values.reduce((total, one) => total + BigInt(one), 0n)
          return Number(sum) / values.length
        })
        expect(await complete(rows, 'BIGINT')).to.deep.equal(wanted)
        expect(await merged(deal(rows, count), 'BIGINT')).to.deep.equal(wanted)
      }),
      { numRuns: 40 }
    )
  })

  it('of doubles of any size equals an exact one, and is the same to the last bit however rows are dealt', async () => {
    const value = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { freq: 6 })
    await fc.assert(
      fc.asyncProperty(dealt(value), fc.integer({ min: 1, max: 5 }), async (rows, count) => {
        const whole = await complete(rows, 'DOUBLE')
        const exact = independent(rows, exactAverage)
        expect(whole.length).to.equal(exact.length)
        for (const [index, [group, average, n]] of exact.entries()) {
          expect(whole[index]?.[0]).to.equal(group)
          expect(whole[index]?.[2]).to.equal(n)
          expectNear(whole[index]?.[1], average)
        }
        expect(await merged(deal(rows, count), 'DOUBLE')).to.deep.equal(whole)
        expect(await complete([...rows].reverse(), 'DOUBLE')).to.deep.equal(whole)
      }),
      { numRuns: 60 }
    )
  })

  it('of decimals is that of their exact sum', async () => {
    expect(
      await complete(
        [
          { group: 'a', value: 0.1 },
          { group: 'a', value: 0.2 },
          { group: 'a', value: 0.3 }
        ],
        'DECIMAL(10,2)'
      )
    ).to.deep.equal([['a', 0.6 / 3, 3n]])
  })

  it('survives sums that cancel and sums that no double holds', async () => {
    const of = async (...values: number[]): Promise<unknown> =>
      (
        await complete(
          values.map((value) => ({ group: null, value })),
          'DOUBLE'
        )
      )[0]?.[1]
    expect(await of(1e16, 1, -1e16, 1)).to.equal(0.5)
    expect(await of(1e300, -1e300, 1e-300)).to.equal(1e-300 / 3)
    expect(await of(1e308, 1e308)).to.equal(1e308)
    expect(await of(5e-324)).to.equal(5e-324)
  })

  it('knows NaN and infinities', async () => {
    const of = async (values: string): Promise<unknown> => {
      const columns = [{ name: 'v', type: 'DOUBLE' }]
      const sql = algorithm({
        relation: `(SELECT CAST(unnest([${values}]) AS DOUBLE) AS v)`,
        columns,
        parameters: { value: 'v' },
        phase: 'complete'
      })
      return (await engine.rows(sql))[0]?.[0]
    }
    expect(await of("'nan', '1'")).to.be.NaN
    expect(await of("'inf', '1'")).to.equal(Number.POSITIVE_INFINITY)
    expect(await of("'-inf', '1'")).to.equal(Number.NEGATIVE_INFINITY)
    expect(await of("'inf', '-inf'")).to.be.NaN
  })

  it('over nothing is one row without groups, none with', async () => {
    const { name, columns } = await relation([], 'DOUBLE')
    expect(
      await engine.rows(algorithm({ relation: name, columns, parameters: { value: 'v' }, phase: 'complete' }))
    ).to.deep.equal([[null, 0n]])
    expect(await complete([], 'DOUBLE')).to.deep.equal([])
    expect(await merged([[], []], 'BIGINT')).to.deep.equal([])
  })

  it('gives by…, average DOUBLE, count BIGINT', async () => {
    const { name, columns } = await relation([], 'DECIMAL(10,2)')
    expect(
      await engine.describe(
        algorithm({ relation: name, columns, parameters: { value: 'V', by: ['G'] }, phase: 'complete' })
      )
    ).to.deep.equal([
      { name: 'g', type: 'VARCHAR' },
      { name: 'average', type: 'DOUBLE' },
      { name: 'count', type: 'BIGINT' }
    ])
  })

  it('is not misled by what group columns are called', async () => {
    for (const name of [
      'bits',
      'power',
      'band',
      'term',
      'total',
      'n',
      's',
      'digits',
      'special',
      'mean',
      'k1',
      'v'
    ]) {
      const columns = [
        { name, type: 'BIGINT' },
        { name: 'other', type: 'BIGINT' },
        { name: 'wage', type: 'DOUBLE' }
      ]
      const rows = `(SELECT * FROM (VALUES (7, 2, 2.5), (7, 1, 4), (7, 1, 5)) AS t("${name}", other, wage)) AS input`
      const parameters = { value: 'wage', by: [name, 'other'] }
      const partial = algorithm({ relation: rows, columns, parameters, phase: 'partial' })
      const state = { relation: `(${partial}) AS input`, columns: await engine.describe(partial) }
      for (const sql of [
        algorithm({ relation: rows, columns, parameters, phase: 'complete' }),
        algorithm({ ...state, parameters, phase: 'merge' })
      ])
        expect(
          (await engine.rows(sql)).map((row) => row.map(Number)),
          name
        ).to.deep.equal([
          [7, 1, 4.5, 2],
          [7, 2, 2.5, 1]
        ])
    }
  })

  const broken: [parameters: Record<string, unknown>, hint: RegExp][] = [
    [{}, /value: expected/],
    [{ value: 'w' }, /gives no column "w"/],
    [{ value: 'g' }, /"g" is VARCHAR, expected a number/],
    [{ value: 'v', by: 'g' }, /by: expected a list/],
    [{ value: 'v', by: ['g', 'G'] }, /twice/],
    [{ value: 'v', colour: 1 }, /"colour" is not a parameter here/]
  ]
  for (const [wrong, hint] of broken) {
    it(`refuses ${JSON.stringify(wrong)}`, async () => {
      const { name, columns } = await relation([], 'BIGINT')
      expect(() => algorithm({ relation: name, columns, parameters: wrong, phase: 'complete' }))
        .to.throw(Failure)
        .that.satisfies(
          (failure: Failure) => failure.code === 'algorithm-parameters' && hint.test(failure.hint ?? '')
        )
    })
  }
})

function deal(rows: readonly (Row & { at: number })[], count: number): Row[][] {
  return Array.from({ length: count }, (_, index) => rows.filter(({ at }) => at % count === index))
}

/** Averages by group, ordered as SQL orders text, NULL last. */
function independent(
  rows: readonly Row[],
  average: (values: number[]) => number
): [string | null, number | null, bigint][] {
  const groups = [...new Set(rows.map(({ group }) => group))]
  const ordered = [
    ...groups.filter((group) => group !== null).sort(),
    ...groups.filter((group) => group === null)
  ]
  return ordered.map((group) => {
    const values = rows
      .filter((row) => row.group === group)
      .flatMap(({ value }) => (value === null ? [] : [value]))
    return [group, values.length === 0 ? null : average(values), BigInt(values.length)]
  })
}

/** With whole numbers of 2^-1074, which every double is a multiple of. */
function exactAverage(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + units(value), 0n)
  return fromUnits(sum / BigInt(values.length))
}

function units(value: number): bigint {
  const bits = new BigUint64Array(new Float64Array([value]).buffer)[0] ?? 0n
  const power = (bits >> 52n) & 2047n
  const fraction = bits & 0xfffffffffffffn
  const magnitude = power === 0n ? fraction : (fraction | 0x10000000000000n) << (power - 1n)
  return bits >> 63n === 1n ? -magnitude : magnitude
}

function fromUnits(sum: bigint): number {
  const magnitude = sum < 0n ? -sum : sum
  const drop = Math.max(0, magnitude.toString(2).length - 60)
  // two factors: a single one would not be a normal double
  const power = drop - 1074
  const double = Number(magnitude >> BigInt(drop)) * 2 ** Math.floor(power / 2) * 2 ** Math.ceil(power / 2)
  return sum < 0n ? -double : double
}

function expectNear(found: unknown, wanted: number | null): void {
  if (wanted === null) {
    expect(found).to.equal(null)
    return
  }
  expect(Math.abs(Number(found) - wanted), `${found} and ${wanted}`).to.be.at.most(
    Math.max(Math.abs(wanted) * 1e-14, 1e-323)
  )
}
