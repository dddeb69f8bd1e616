import { expect } from 'chai'
import { type RequestView, resultView } from '../../agent/api/index.ts'
import { type AgentSpec, Market } from './harness.ts'
import { JOINED, provider, SURF, UVA, wageAgreement, wageDataset, wageRequest, wages } from './wages.ts'

/** A provider that says in what its wages are. */
function paidIn(name: string, first: number, unit: string): AgentSpec {
  const data = wages(first, 12)
  const dataset = wageDataset('wages', data)
  const job = dataset.tables.job
  if (job !== undefined) job.described = { wage: { unit } }
  return provider(name, data, { datasets: [dataset] })
}

const unitsOf = (view: RequestView) => view.results?.map((one) => one.units) ?? view.refusals

describe('Units of a result', function () {
  this.timeout(120_000)
  let market: Market

  before(async () => {
    market = await Market.open([
      SURF,
      UVA,
      paidIn('VU', 1, 'EUR/hour'),
      paidIn('RUG', 101, 'EUR/hour'),
      paidIn('TUD', 201, 'USD/hour')
    ])
    for (const name of ['VU', 'RUG', 'TUD']) await market.agent(name).sign(wageAgreement(name))
  })
  after(async () => await market?.closeClean())

  const ask = (changes: Record<string, unknown>) =>
    market.agent('UVA').ask(wageRequest({ providers: ['VU', 'RUG'], ...changes }))

  for (const archetype of ['computeToData', 'dataThroughTtp'])
    it(`come by ${archetype} from what the providers say of their columns`, async () => {
      expect(unitsOf(await ask({ archetype }))).to.deep.equal([{ average: 'EUR/hour' }])
      const query = 'SELECT w AS pay, w * 2 AS twice FROM (SELECT wage AS w FROM job) j'
      expect(unitsOf(await ask({ archetype, query, algorithm: 'table' }))).to.deep.equal([
        { pay: 'EUR/hour' }
      ])
    })

  it('are on disk with the result', async () => {
    const { request } = await ask({ query: JOINED, algorithm: 'table' })
    const stored = await market.agent('UVA').client.get(`/api/v1/requests/${request}/result`, resultView)
    expect(stored.units).to.deep.equal({ wage: 'EUR/hour' })
  })

  it('must be the same where rows are put together, and are each its own where they are not', async () => {
    const providers = ['VU', 'TUD']
    const view = await ask({ providers })
    expect(view.status).to.equal('refused')
    expect(view.refusals?.[0]).to.deep.include({ code: 'schema-mismatch' })
    expect(view.refusals?.[0]?.reason).to.match(/wage is in (EUR|USD)\/hour, at (VU|TUD) it is in/)
    const apart = await ask({ providers, options: { aggregate: false } })
    expect(apart.results?.map(({ from, units }) => [...from, units?.average]).sort()).to.deep.equal([
      ['TUD', 'USD/hour'],
      ['VU', 'EUR/hour']
    ])
  })
})
