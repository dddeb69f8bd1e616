import { expect } from 'chai'
import { toError } from '../../protocol/errors/index.ts'
import { Market } from './harness.ts'
import { averages, JOINED, provider, UVA, wageAgreement, wageDataset, wageRequest, wages } from './wages.ts'

const VU = wages(1, 20)
const KEPT = wages(101, 20)

describe('Data that a request brought', function () {
  this.timeout(120_000)
  let market: Market

  before(async () => {
    const terms = {
      recipients: ['UVA'],
      purposes: ['research'],
      until: null,
      services: [],
      forbid: [],
      maxRows: null,
      onward: 'none'
    }
    const madeFrom = { request: 'bafyrequest', contract: 'bafycontract', terms }
    const kept = { ...wageDataset('kept', KEPT), madeFrom }
    market = await Market.open([{ ...UVA, roles: ['dataProvider'], datasets: [kept] }, provider('VU', VU)])
  })
  after(async () => await market?.closeClean())

  const uva = () => market.agent('UVA')
  const about = (changes: Record<string, unknown> = {}) =>
    wageAgreement('UVA', { dataset: 'kept', computeProviders: [], ...changes })

  it('goes no further than the terms that it came with: nothing wider is signed', async () => {
    const wider = about({ consumers: [{ organisation: 'VU' }], purposes: ['research', 'marketing'] })
    const error = await uva()
      .sign(wider)
      .then(
        () => undefined,
        (thrown: unknown) => toError(thrown)
      )
    expect(error?.message).to.match(/consumers.*wider than the terms.*onward: none/)
    expect(await uva().agreements()).to.deep.equal([])
  })

  it('is used inside the organisation that received it', async () => {
    await uva().sign(about())
    const view = await uva().ask(wageRequest({ datasets: ['kept'], query: JOINED }))
    expect(view.status, JSON.stringify([view.error, view.refusals])).to.equal('completed')
    expect(view.results?.[0]?.rows).to.deep.equal(averages(KEPT))
  })

  it('comes with its terms, which the answer shows', async () => {
    await market.agent('VU').sign(wageAgreement('VU', { valid: { until: '2040-01-01' } }))
    const view = await uva().ask(wageRequest({ providers: ['VU'] }))
    expect(view.status, JSON.stringify([view.error, view.refusals])).to.equal('completed')
    expect(view.terms).to.deep.include({
      recipients: ['UVA'],
      purposes: ['research'],
      until: '2040-01-01T00:00:00.000Z',
      onward: 'none'
    })
  })
})
