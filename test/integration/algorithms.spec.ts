import { expect } from 'chai'
import type { RequestView } from '../../agent/api/index.ts'
import { Market } from './harness.ts'
import { joined, provider, SURF, UVA, wageAgreement, wageRequest, wages } from './wages.ts'

const VU = wages(1, 40)
const RUG = wages(101, 25)
const TUD = wages(201, 60)
const NAMES = ['crosstab', 'describe', 'histogram', 'regression', 'topk']

const HISTOGRAM = {
  name: 'histogram',
  parameters: { value: 'wage', edges: [1000, '1250.5', 1500], by: ['gender'] }
}
const QUERY = 'SELECT p.gender, j.wage, j.id FROM person p JOIN job j USING (id)'

function rowsOf(view: RequestView): unknown[][] {
  expect(view.status, JSON.stringify([view.error, view.refusals])).to.equal('completed')
  expect(view.results?.length).to.equal(1)
  return view.results?.[0]?.rows ?? []
}

describe('Algorithms over three providers', function () {
  this.timeout(120_000)
  let market: Market
  before(async () => {
    market = await Market.open([SURF, UVA, provider('VU', VU), provider('RUG', RUG), provider('TUD', TUD)])
    for (const name of ['VU', 'RUG', 'TUD'])
      await market.agent(name).sign(wageAgreement(name, { algorithms: NAMES }))
  })
  after(async () => await market?.closeClean())
  const ask = async (archetype: string, algorithm: object) =>
    await market.agent('UVA').ask(wageRequest({ query: QUERY, archetype, algorithm }))

  it('count in the same bins wherever they run', async () => {
    const rows = [VU, RUG, TUD].flatMap(joined)
    const count = (gender: string, low: number, high: number) =>
      rows.filter((row) => row[0] === gender && row[1] >= low && row[1] < high).length
    const wanted = ['F', 'M'].flatMap((gender) => [
      [gender, 0, null, 1000, count(gender, 0, 1000)],
      [gender, 1, 1000, 1250.5, count(gender, 1000, 1250.5)],
      [gender, 2, 1250.5, 1500, count(gender, 1250.5, 1500 + 1e-9)],
      [gender, 3, 1500, null, count(gender, 1500 + 1e-9, Number.POSITIVE_INFINITY)]
    ])
    for (const archetype of ['computeToData', 'dataThroughTtp'])
      expect(rowsOf(await ask(archetype, HISTOGRAM)), archetype).to.deep.equal(wanted)
  })

  it('fit the same line wherever they run', async () => {
    const algorithm = { name: 'regression', parameters: { outcome: 'wage', predictors: ['id'] } }
    const merged = rowsOf(await ask('computeToData', algorithm))
    const whole = rowsOf(await ask('dataThroughTtp', algorithm))
    expect(whole.map(([term, , , , , n, df]) => [term, n, df])).to.deep.equal([
      ['(intercept)', 125, 123],
      ['id', 125, 123]
    ])
    for (const [index, row] of whole.entries())
      for (const [place, value] of row.entries())
        if (typeof value === 'number')
          expect(merged[index]?.[place]).to.be.closeTo(value, Math.abs(value) * 1e-9)
        else expect(merged[index]?.[place]).to.equal(value)
  })

  it('tabulate to the last bit the same wherever they run', async () => {
    const algorithm = { name: 'crosstab', parameters: { rows: 'gender', columns: 'wage' } }
    const merged = await ask('computeToData', algorithm)
    expect(rowsOf(merged)).to.deep.equal(rowsOf(await ask('dataThroughTtp', algorithm)))
    expect(merged.results?.[0]?.types).to.deep.equal([
      'VARCHAR',
      'DOUBLE',
      'BIGINT',
      'DOUBLE',
      'DOUBLE',
      'BIGINT',
      'DOUBLE'
    ])
  })

  it('that need the union get a third party, or a refusal that says so', async () => {
    const describeWages = { name: 'describe', parameters: { columns: ['wage', 'id'] } }
    const [wage, id] = rowsOf(await ask('dataThroughTtp', describeWages))
    expect(wage?.slice(0, 3)).to.deep.equal(['wage', 125, 0])
    expect(id?.[7]).to.equal(123)
    const refused = await ask('computeToData', describeWages)
    expect(refused.status).to.equal('refused')
    expect(JSON.stringify([refused.error, refused.refusals])).to.match(
      /not-distributable.*describe needs the union of all rows/
    )
    const free = await market
      .agent('UVA')
      .ask(wageRequest({ query: QUERY, algorithm: { name: 'topk', parameters: { column: 'gender', k: 1 } } }))
    expect(rowsOf(free)).to.deep.equal([['M', 84]])
    expect(free.archetype).to.equal('dataThroughTtp')
  })

  it('refuse parameters that do not fit, saying what was meant', async () => {
    const view = await ask('computeToData', {
      name: 'histogram',
      parameters: { value: 'wag', edges: [0, 1] }
    })
    expect(JSON.stringify([view.error, view.refusals])).to.match(/algorithm-parameters.*did you mean/)
  })
})
