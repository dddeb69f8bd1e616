import { expect } from 'chai'
import type { ReleaseAnswers } from '../../agent/daemon/releases.ts'
import { decodeSigned } from '../../protocol/documents/index.ts'
import type { ReleaseReply } from '../../protocol/messages/index.ts'
import { Market } from './harness.ts'
import { HeldFlow, MovedClock } from './seams.ts'
import { averages, provider, SURF, UVA, wageAgreement, wageRequest, wages } from './wages.ts'

const VU = wages(1, 30)
const RUG = wages(101, 30)
/** VU lets nothing out that is for the press, once it was made. */
const NOT_FOR_THE_PRESS = `@message("the press office decides")
forbid (principal, action == Action::"release", resource) when { context.purpose == "press" };`

describe('A provider that wants the last word about results', function () {
  this.timeout(180_000)
  const word = new HeldFlow()
  /** Of the one who computes, and waits for releases. */
  const clock = new MovedClock()
  /** VU gives once more what it signed last; SURF hands out no release. */
  let lies = false
  const signed: ReleaseReply[] = []
  const releaseAnswers = (honest: ReleaseAnswers): ReleaseAnswers => ({
    answer: async (question, from) => {
      const last = signed.at(-1)
      if (lies && last !== undefined) return last
      const reply = await honest.answer(question, from)
      signed.push(reply)
      return reply
    },
    released: async (question, from) => (lies ? { releases: [] } : await honest.released(question, from))
  })
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
    vu.seams = { beforeRelease: word.beforePart, releaseAnswers }
    await vu.start()
    const surf = market.agent('SURF')
    await surf.stop()
    surf.seams = { clock, releaseAnswers }
    await surf.start()
    await market.untilAllSee()
  })
  afterEach(() => {
    word.release()
    lies = false
  })
  const released: string[] = []
  after(
    async () =>
      await market?.closeClean(async () => {
        for (const request of released) expect(await remembered(request), request).to.deep.equal([true])
      })
  )
  /** Of each release that SURF got, whether another head for that place in its signer's log would be proof of two logs. */
  const remembered = async (request: string) =>
    await market.agent('SURF').withStore(async (store) => {
      const documents = await store.documents.ofRequest(request)
      const releases = documents.filter(({ type }) => type === 'release')
      return await Promise.all(
        releases.map(async ({ type, bytes }) => {
          const { issuer: peer, log } = (await decodeSigned('release', bytes)).payload
          const other = { peer, sequence: log.sequence, head: 'f'.repeat(64), type, bytes, at: 0 }
          return await store.peerPositions.remember(other)
        })
      )
    })

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
      if (archetype === 'dataThroughTtp') released.push(view.request)
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

  it('is silent: it is waited for so long, and the one who asked is told that it was this provider', async () => {
    await agreed()
    word.hold()
    const id = await market.agent('UVA').submit(asked({ require: 'all' }))
    await word.reached()
    clock.move(30_000)
    const view = await market.agent('UVA').outcome(id)
    expect(view.status, JSON.stringify(view.error)).to.equal('failed')
    expect(view.error).to.include({ hop: 'VU', code: 'peer-silent' })
    expect(view.results).to.equal(undefined)
  })

  it('gave it for another result: nothing is sent, and it is blamed', async () => {
    await agreed()
    expect((await market.agent('UVA').ask(asked({ require: 'all' }))).status).to.equal('completed')
    lies = true
    const view = await market.agent('UVA').ask(asked({ require: 'all' }))
    expect(view.status, JSON.stringify(view.error)).to.equal('failed')
    expect(view.error).to.include({ hop: 'VU', code: 'release-missing' })
    expect(view.results).to.equal(undefined)
  })

  it('is passed over by the one who computed: the recipient keeps nothing, and says who', async () => {
    await agreed()
    signed.splice(0)
    lies = true
    const view = await market.agent('UVA').ask(asked({ require: 'all' }))
    expect(view.status, JSON.stringify(view.error)).to.equal('failed')
    expect(view.error).to.include({ hop: 'SURF', code: 'release-missing' })
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
