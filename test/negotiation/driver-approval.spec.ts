import { expect } from 'chai'
import { aContract, anOffer, aRequest, UVA, VU } from './documents.ts'
import { Driver } from './driver.ts'

const DAY = 86_400_000

describe('An exchange that waits for people', () => {
  let driver: Driver

  afterEach(async () => await driver.close())

  const waitsAt = async () => {
    driver = await Driver.open(VU)
    driver.awaits = { until: driver.clock.now() + 3 * DAY, by: ['steward@vu.nl'] }
    const asked = await aRequest()
    const replies = await driver.receive(UVA, asked.wire)
    return { asked, replies, request: asked.request.id }
  }

  it('tells the asker at once for how long and for whom', async () => {
    const { replies, request } = await waitsAt()
    expect(replies).to.deep.equal([
      { kind: 'waiting', request, epoch: 1, within: 3 * DAY, by: ['steward@vu.nl'] }
    ])
  })

  it('delivers the offer by itself once they have decided', async () => {
    const { request } = await waitsAt()
    driver.awaits = null
    driver.exchanges.approvalDecided(request)
    await driver.until(() => driver.sent('offer', UVA).length > 0)
  })

  it('still waits after a restart, and says so', async () => {
    const { asked, request } = await waitsAt()
    await driver.crash()
    await driver.until(() => driver.sent('waiting', UVA).length > 0)
    expect(driver.exchanges.waitsFor(request)).to.equal(true)
    expect((await driver.receive(UVA, asked.wire)).map((one) => one.kind)).to.deep.equal(['waiting'])
  })

  it('lets them be when the asker takes the request back, also after a restart', async () => {
    const { request } = await waitsAt()
    await driver.crash()
    await driver.receive(UVA, { kind: 'abort', request, contract: null, epoch: 1 })
    await driver.until(() => driver.withdrawn > 0)
    expect(driver.exchanges.waitsFor(request)).to.equal(false)
    await driver.crash()
    expect(driver.exchanges.get(request)).to.equal(undefined)
  })

  it('ends as any other when they never decide', async () => {
    const { request } = await waitsAt()
    driver.awaits = null
    driver.clock.pass(3 * DAY + 1)
    await driver.until(() => driver.sent('offer', UVA).length > 0)
    driver.clock.pass(DAY)
    await driver.until(() => driver.exchange(request).ended)
  })

  it('asks about a dry run without bothering them, and says in the message that it is one', async () => {
    driver = await Driver.open(UVA)
    const asked = await aRequest()
    const dossier = await asked.dossier(UVA.peer)
    dossier.explains = true
    await driver.exchanges.coordinate(dossier, [VU.peer], 60_000)
    await driver.until(() => driver.sent('ask', VU).length > 0)
    expect(driver.sent('ask', VU)[0]).to.have.property('explain', true)
    await driver.close()
    driver = await Driver.open(VU)
    await driver.receive(UVA, { ...asked.wire, explain: true })
    expect(driver.exchange(asked.request.id).dossier.explains).to.equal(true)
    await driver.receive(UVA, asked.wire)
    expect(driver.exchange(asked.request.id).dossier.explains).to.equal(false)
  })

  describe('at the asker', () => {
    const waits = async () => {
      driver = await Driver.open(UVA)
      const asked = await aRequest()
      const { request } = asked
      driver.answer = async (_, message) =>
        message.kind === 'ask'
          ? [{ kind: 'waiting', request: request.id, epoch: 1, within: 3 * DAY, by: ['steward@vu.nl'] }]
          : []
      const exchange = await driver.exchanges.coordinate(await asked.dossier(UVA.peer), [VU.peer], 60_000)
      const stands = () => driver.exchange(request.id).coordinator?.hops[0]?.answer
      await driver.until(() => stands() === 'approval')
      return { request, exchange, stands }
    }

    it('outlasts the deadline and a restart, and goes on with what it then hears', async () => {
      const { request, stands } = await waits()
      driver.clock.pass(DAY)
      await driver.until(() => driver.sent('ask').length === 2)
      await driver.crash()
      await driver.until(() => driver.sent('ask').length === 3)
      expect(stands()).to.equal('approval')
      let composed = false
      driver.compose = async () => {
        composed = true
        return await new Promise<never>(() => undefined)
      }
      const { offer, details } = await anOffer(request, VU)
      await Promise.race([
        driver.receive(VU, { kind: 'offer', epoch: 1, offer: offer.bytes, details }),
        driver.until(() => composed)
      ])
      expect(composed).to.equal(true)
    })

    it('still takes the result itself after a restart', async () => {
      const { request } = await waits()
      await driver.crash()
      const { offer, details } = await anOffer(request, VU)
      driver.compose = async () => await aContract(request, { offers: new Map([[VU.peer, offer.id]]) })
      await driver.receive(VU, { kind: 'offer', epoch: 1, offer: offer.bytes, details })
      const { coordinator, hop } = driver.exchange(request.id)
      expect(coordinator?.stage.phase).to.equal('proposing')
      expect(hop?.answered.map(({ answer }) => answer)).to.deep.equal(['accepted'])
    })

    it('is not ended by a hop that cannot be reached for a while', async () => {
      const { stands } = await waits()
      driver.answer = async () => {
        throw new Error('no way there')
      }
      driver.clock.pass(DAY)
      await driver.until(() => driver.sent('ask').length === 2)
      await new Promise((resolve) => setImmediate(resolve))
      expect(stands()).to.equal('approval')
    })
  })
})
