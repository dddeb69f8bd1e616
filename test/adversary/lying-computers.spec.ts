import { expect } from 'chai'
import type { RequestView } from '../../agent/api/index.ts'
import { Market } from '../integration/harness.ts'
import { averages, provider, SURF, UVA, wageAgreement, wageRequest, wages } from '../integration/wages.ts'
import { LyingJobs } from './lying-jobs.ts'

const VU = wages(1, 20)
const RUG = wages(101, 20)
/** Women at VU earn a cent more. */
const ONE_CELL =
  "SELECT * REPLACE (CASE WHEN gender = 'F' THEN average + 0.01 ELSE average END AS average) FROM given"

describe('A compute provider that gives a wrong result', function () {
  this.timeout(120_000)
  const surfJobs = new LyingJobs()
  const saraJobs = new LyingJobs()
  let market: Market

  before(async () => {
    market = await Market.open([
      SURF,
      { ...SURF, name: 'SARA' },
      UVA,
      provider('VU', VU),
      provider('RUG', RUG)
    ])
    for (const [name, { jobs }] of [['SURF', surfJobs] as const, ['SARA', saraJobs] as const]) {
      await market.agent(name).stop()
      market.agent(name).seams = { jobs }
      await market.agent(name).start()
    }
    await market.untilAllSee()
    for (const name of ['VU', 'RUG'])
      await market.agent(name).sign(wageAgreement(name, { computeProviders: ['SURF', 'SARA'] }))
  })
  afterEach(() => {
    surfJobs.lie = null
    saraJobs.lie = null
  })
  after(async () => await market?.closeClean())

  const ask = async (changes: Record<string, unknown> = {}): Promise<RequestView> =>
    await market
      .agent('UVA')
      .ask(wageRequest({ archetype: 'dataThroughTtp', verify: { at: 'SARA' }, ...changes }))

  it('is not there when both give the same: the result says who verified it', async () => {
    const view = await ask()
    expect(view.status, JSON.stringify([view.error, view.refusals, view.candidates])).to.equal('completed')
    console.log(JSON.stringify(view, null, 1).slice(0, 6000))
    expect(view.results?.[0]?.rows).to.deep.equal(averages(VU, RUG))
  })

  it('ends the exchange when one lies', async () => {
    surfJobs.lie = ONE_CELL
    const view = await ask()
    console.log(JSON.stringify([view.status, view.error, view.results]))
    expect(view.error?.code).to.equal('verification-differs')
  })
})
