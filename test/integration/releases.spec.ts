import { expect } from 'chai'
import { Market } from './harness.ts'
import { HeldFlow } from './seams.ts'
import { averages, provider, SURF, UVA, wageAgreement, wageRequest, wages } from './wages.ts'

const VU = wages(1, 30)
const RUG = wages(101, 30)
/** VU lets nothing out that is for the press, once it was made. */
const NOT_FOR_THE_PRESS = `@message("the press office decides")
forbid (principal, action == Action::"release", resource) when { context.purpose == "press" };`

describe('A provider that wants the last word about results', function () {
  this.timeout(180_000)
  const word = new HeldFlow()
  let market: Market

  before(async () => {
    market = await Market.open([
      SURF,
      UVA,
      provider('VU', VU, { rules: NOT_FOR_THE_PRESS }),
      provider('RUG', RUG)
    ])
    const vu = market.agent('VU')
    await vu.stop()
    vu.seams = { beforeRelease: word.beforePart }
    await vu.start()
    await market.untilAllSee()
  })
  afterEach(() => word.release())
  after(async () => await market?.closeClean())

  const agreed = async (changes: Record<string, unknown> = {}) => {
    const purposes = ['research', 'press']
    await market.agent('VU').sign(wageAgreement('VU', { purposes, releaseAsk: true, ...changes }))
    await market.agent('RUG').sign(wageAgreement('RUG', { purposes }))
  }
  const asked = (changes: Record<string, unknown> = {}) =>
    wageRequest({ providers: ['VU', 'RUG'], archetype: 'dataThroughTtp', ...changes })

  it('gives it for each result, in either archetype, and the terms say so', async () => {
    await agreed()
    for (const archetype of ['dataThroughTtp', 'computeToData']) {
      const view = await market.agent('UVA').ask(asked({ archetype }))
      expect(view.status, JSON.stringify([archetype, view.refusals, view.error])).to.equal('completed')
      expect(view.results?.[0]?.rows).to.deep.equal(averages(VU, RUG))
      expect(view.terms?.releaseAsk).to.equal(true)
    }
  })

  it('refuses, and no row reaches the one who asked', async () => {
    await agreed()
    const view = await market.agent('UVA').ask(asked({ purpose: 'press', require: 'all' }))
    expect(view.status, JSON.stringify(view)).to.equal('failed')
    expect(view.error).to.include({ hop: 'VU', code: 'release-refused' })
    expect(view.stopped?.[0]).to.include({ code: 'release-refused' })
    expect(view.results).to.equal(undefined)
    expect(JSON.stringify(view)).not.to.contain('the press office decides')
  })

  it('is silent: it ends by its deadline, and nothing has left', async () => {
    await agreed()
    word.hold()
    const view = await market.agent('UVA').ask(asked({ deadline: 'PT16S' }))
    expect(view.status, JSON.stringify(view.error)).to.be.oneOf(['failed', 'timed-out'])
    expect(view.results).to.equal(undefined)
  })

  it('is asked again after it was away', async () => {
    await agreed()
    word.hold()
    const id = await market.agent('UVA').submit(asked())
    await word.reached()
    const vu = market.agent('VU')
    await vu.stop(0)
    vu.seams = {}
    word.release()
    await vu.start()
    const view = await market.agent('UVA').outcome(id)
    expect(view.status, JSON.stringify([view.refusals, view.error])).to.equal('completed')
    expect(view.results?.[0]?.rows).to.deep.equal(averages(VU, RUG))
    await market.untilAllSee()
  })

  it('cannot have it where the one who computes receives, and refuses that from the start', async () => {
    await agreed({ recipients: ['SURF'] })
    const view = await market.agent('UVA').ask(asked({ recipients: ['SURF'], providers: ['VU'] }))
    expect(view.status).to.equal('refused')
    expect(view.refusals?.[0]).to.include({
      hop: 'VU',
      code: 'clause-not-enforceable',
      clause: 'wages-vu#releaseAsk'
    })
    const direct = await market
      .agent('UVA')
      .ask(asked({ recipients: ['SURF'], providers: ['VU'], archetype: 'computeToData' }))
    expect(direct.status, JSON.stringify([direct.refusals, direct.error])).to.equal('completed')
    expect(direct.results ?? []).to.deep.equal([])
  })
})
