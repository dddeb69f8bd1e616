import { expect } from 'chai'
import type { RequestView } from '../../agent/api/index.ts'
import { Market } from './harness.ts'
import {
  AVERAGE,
  averages,
  JOINED,
  joined,
  provider,
  SURF,
  UVA,
  wageAgreement,
  wageRequest,
  wages
} from './wages.ts'

const VU = wages(1, 40)
const RUG = wages(101, 25)
const TUD = wages(201, 60)
const ARCHETYPES = ['computeToData', 'dataThroughTtp']

const sorted = (rows: unknown[][]) => rows.map((row) => JSON.stringify(row)).sort()

function result(view: RequestView, from: string[]) {
  const found = view.results?.find((one) => [...one.from].sort().join() === from.join())
  if (found === undefined)
    throw new Error(
      `no result from ${from.join()}: ${JSON.stringify([view.status, view.error, view.refusals])}`
    )
  return found
}

describe('A request over three providers', function () {
  this.timeout(120_000)
  let market: Market

  before(async () => {
    market = await Market.open([SURF, UVA, provider('VU', VU), provider('RUG', RUG), provider('TUD', TUD)])
    for (const name of ['VU', 'RUG', 'TUD']) await market.agent(name).sign(wageAgreement(name))
  })
  after(async () => await market?.closeClean())

  for (const archetype of ARCHETYPES) {
    it(`gives by ${archetype} the average over the union of their rows`, async () => {
      const view = await market.agent('UVA').ask(wageRequest({ archetype }))
      expect(view).to.include({ status: 'completed', archetype })
      expect(result(view, ['RUG', 'TUD', 'VU']).rows).to.deep.equal(averages(VU, RUG, TUD))
      expect(view.missing).to.deep.equal([])
      const at = view.chain.filter((step) => step.service === 'algorithm').map((step) => step.at)
      expect(at.sort()).to.deep.equal(archetype === 'computeToData' ? ['RUG', 'TUD', 'VU'] : ['SURF'])
    })

    it(`gives by ${archetype} the rows themselves, whichever way they came`, async () => {
      const view = await market.agent('UVA').ask(wageRequest({ archetype, algorithm: 'table' }))
      const { columns, rows, rowCount } = result(view, ['RUG', 'TUD', 'VU'])
      expect(columns).to.deep.equal(['gender', 'wage'])
      expect(rowCount).to.equal(125)
      expect(sorted(rows)).to.deep.equal(sorted([VU, RUG, TUD].flatMap(joined)))
    })

    it(`gives by ${archetype} one result for each provider when they shall not be put together`, async () => {
      const view = await market.agent('UVA').ask(wageRequest({ archetype, options: { aggregate: false } }))
      expect(view.status).to.equal('completed')
      expect(view.results?.map((one) => one.from).sort()).to.deep.equal([['RUG'], ['TUD'], ['VU']])
      for (const [name, data] of Object.entries({ VU, RUG, TUD }))
        expect(result(view, [name]).rows, name).to.deep.equal(averages(data))
    })
  }

  it('takes as many providers as there have to be, and as many more as there are', async () => {
    const view = await market.agent('UVA').ask(wageRequest({ require: 1 }))
    expect(result(view, ['RUG', 'TUD', 'VU']).rows).to.deep.equal(averages(VU, RUG, TUD))
  })

  it('asks only the providers that it names', async () => {
    const view = await market.agent('UVA').ask(wageRequest({ providers: ['RUG'] }))
    expect(view.status, JSON.stringify(view.refusals)).to.equal('completed')
    expect(result(view, ['RUG']).rows).to.deep.equal(averages(RUG))
    expect(view.chain.map((step) => step.at)).not.to.include.oneOf(['VU', 'TUD'])
  })

  it('gives an empty result, not an error, when no row fits', async () => {
    for (const archetype of ARCHETYPES) {
      const view = await market
        .agent('UVA')
        .ask(wageRequest({ archetype, query: `${JOINED} WHERE j.wage < 0`, algorithm: AVERAGE }))
      expect(view.status, archetype).to.equal('completed')
      expect(view.results?.[0]?.rows).to.deep.equal([])
    }
  })

  it('shows every hop’s decision at every question, and what each step cost', async () => {
    const view = await market.agent('UVA').ask(wageRequest({ archetype: 'dataThroughTtp' }))
    for (const hop of ['VU', 'RUG', 'TUD'])
      expect(view.decisions.filter((one) => one.hop === hop).map((one) => one.question)).to.include.members([
        'offer',
        'accept',
        'start',
        'send'
      ])
    expect(view.decisions.filter((one) => one.hop === 'SURF').map((one) => one.question)).to.include.members([
      'host',
      'accept',
      'start',
      'receive',
      'release'
    ])
    expect(view.decisions.every((one) => one.verdict === 'permit')).to.equal(true)
    expect(view.receipts.map((one) => one.hop)).to.include.members(['VU', 'RUG', 'TUD', 'SURF', 'UVA'])
  })
})
