import { expect } from 'chai'
import type { WireMessage } from '../../protocol/messages/index.ts'
import { acceptedAtProvider, startedAtRequester } from './conversations.ts'
import {
  AGREEMENT,
  aContract,
  anOffer,
  anOutcome,
  aRequest,
  aSignedReceipt,
  EVE,
  RUG,
  UVA,
  VU
} from './documents.ts'
import { Driver } from './driver.ts'

const refused = async (answers: Promise<WireMessage[]>): Promise<boolean> =>
  await answers.then(
    () => false,
    () => true
  )

describe('An outcome', () => {
  let driver: Driver

  afterEach(async () => await driver.close())

  it('of another request is not taken in an answer', async () => {
    driver = await Driver.open(VU)
    const { asked, contracted, start } = await acceptedAtProvider(driver)
    const earlier = await aRequest({ recipients: ['RUG'] })
    const others = await anOutcome(RUG, {
      request: earlier.request.id,
      contract: contracted.contract.id,
      result: 'cancelled'
    })
    let answered = 0
    driver.answer = async (_, message) => {
      if (message.kind !== 'started') return []
      answered += 1
      return [others]
    }
    await driver.receive(RUG, start)
    await driver.until(() => answered > 0 && driver.warnings > 0)
    const { hop, dossier } = driver.exchange(asked.request.id)
    expect(hop?.stage.phase).to.equal('started')
    expect(dossier.outcomes.size).to.equal(0)
  })

  it('is taken from nobody but the requester and parties, and the first of each alone', async () => {
    driver = await Driver.open(VU)
    const { asked, contracted, start } = await acceptedAtProvider(driver)
    await driver.receive(RUG, start)
    const about = { request: asked.request.id, contract: contracted.contract.id }
    const { hop, dossier } = driver.exchange(asked.request.id)
    for (const from of [EVE, UVA, RUG])
      expect(
        await refused(driver.receive(from, await anOutcome(EVE, { ...about, result: 'failed' })))
      ).to.equal(true)
    expect(dossier.outcomes.size).to.equal(0)
    expect(hop?.stage.phase).to.equal('started')
    await driver.receive(UVA, await anOutcome(RUG, { ...about, result: 'completed' }))
    await driver.receive(UVA, await anOutcome(RUG, { ...about, result: 'failed', code: 'timeout' }))
    expect([...dossier.outcomes.values()].map((one) => one.payload.result)).to.deep.equal(['completed'])
    const stage = driver.exchange(asked.request.id).hop?.stage
    expect(stage?.phase === 'ended' ? [stage.outcome.result, stage.late] : []).to.deep.equal([
      'completed',
      null
    ])
  })

  it('of the recipient is not taken about a contract that has another', async () => {
    driver = await Driver.open(UVA)
    const { request, contract } = await startedAtRequester(driver)
    const forged = await anOutcome(VU, { request, contract, result: 'completed' })
    await driver.receive(VU, forged)
    expect(driver.exchange(request).coordinator?.stage.phase).to.equal('running')
  })

  const LOST = { clause: null, reason: 'it is no member any more', acceptable: null, position: null }
  const ENDINGS = [
    { lost: UVA, what: 'the requester', code: 'membership-expired' },
    { lost: RUG, what: 'the recipient', code: 'expelled' }
  ] as const
  for (const { lost, what, code } of ENDINGS)
    for (const failed of [false, true])
      it(`is signed at once when ${what} is no member any more${failed ? ', also of a share that had failed' : ''}`, async () => {
        driver = await Driver.open(VU)
        const { asked, contracted, start } = await acceptedAtProvider(driver)
        await driver.receive(RUG, start)
        await driver.until(() => driver.shares.has(contracted.contract.id))
        const exchange = driver.exchange(asked.request.id)
        if (failed) {
          driver.shares.get(contracted.contract.id)?.reject(new Error('a job of a test'))
          await driver.until(() => driver.sent('failure').length > 0)
        }
        driver.objection = { refusal: { ...LOST, code }, hop: lost.peer }
        driver.clock.pass(1001)
        await driver.until(() => exchange.dossier.outcomes.has(VU.peer))
        const own = exchange.dossier.outcomes.get(VU.peer)?.payload
        expect(own).to.include({ result: 'expired', code })
        expect(exchange.hop?.stage).to.have.nested.property('outcome.hop', lost.peer)
        expect(driver.released.map((one) => one.contract)).to.deep.equal([contracted.contract.id])
      })

  it('is left to the recipient when another party is no member any more', async () => {
    driver = await Driver.open(VU)
    const { asked, contracted, start } = await acceptedAtProvider(driver)
    await driver.receive(RUG, start)
    await driver.until(() => driver.shares.has(contracted.contract.id))
    const code = 'membership-expired' as const
    driver.objection = { refusal: { ...LOST, code }, hop: EVE.peer }
    driver.clock.pass(1001)
    await driver.until(() => driver.sent('failure').length > 0)
    const { hop, dossier } = driver.exchange(asked.request.id)
    expect(hop?.stage).to.deep.include({ phase: 'started', share: 'failed' })
    expect(dossier.outcomes.size).to.equal(0)
  })

  it('is not the only thing that must be of the same request', async () => {
    driver = await Driver.open(UVA)
    const { request, contract } = await startedAtRequester(driver)
    const { dossier } = driver.exchange(request)
    const earlier = await aRequest()
    const held = dossier.contract(contract)
    const receipt = await aSignedReceipt(held.contract, VU, { request: earlier.request.id })
    const warnings = driver.warnings
    driver.answer = async () => [receipt]
    driver.clock.pass(3000)
    await driver.until(() => driver.warnings > warnings)
    expect([...held.receipts.keys()]).to.deep.equal([])
  })

  it('comes by the time limit when the plan was none that a coordinator takes', async () => {
    driver = await Driver.open(UVA)
    const asked = await aRequest()
    const { request } = asked
    const composed = Promise.withResolvers<void>()
    driver.compose = async () => {
      composed.resolve()
      return await aContract(request, { offers: new Map([[VU.peer, AGREEMENT]]) })
    }
    driver.answer = async (_, message) => {
      if (message.kind !== 'ask') return []
      const { offer, details } = await anOffer(request, VU)
      return [{ kind: 'offer', epoch: message.epoch, offer: offer.bytes, details }]
    }
    await driver.exchanges.coordinate(await asked.dossier(UVA.peer), [VU.peer], 600_000)
    await composed.promise
    await driver.until(() => driver.errors > 0)
    expect(driver.exchange(request.id).coordinator?.stage.phase).to.equal('composing')
    driver.clock.pass(11_000)
    await driver.until(() => driver.exchange(request.id).coordinator?.stage.phase !== 'composing')
    driver.clock.pass(11_000)
    await driver.until(() => driver.exchange(request.id).coordinator?.stage.phase === 'ended')
    expect(driver.shares.size).to.equal(0)
  })
})
