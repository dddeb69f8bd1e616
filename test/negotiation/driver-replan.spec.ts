import { expect } from 'chai'
import { openDocument } from '../../protocol/documents/index.ts'
import { aContract, anAcceptance, anOffer, aRequest, EVE, type Party, UVA, VU } from './documents.ts'
import { Driver } from './driver.ts'

describe('A plan without a party that failed', () => {
  let driver: Driver
  afterEach(async () => await driver.close())

  it('is made at once: who told of the failure is asked again, and answers', async () => {
    driver = await Driver.open(UVA)
    const asked = await aRequest()
    const { request } = asked
    const party = (peer: string): Party => (peer === VU.peer ? VU : EVE)
    let composed = 0
    driver.compose = async (dossier) => {
      composed += 1
      const offers = new Map(
        [...dossier.offers.values()].map(({ offer }) => [offer.payload.issuer, offer.id])
      )
      return await aContract(request, { offers, epoch: composed, ...(composed === 1 ? { beside: EVE } : {}) })
    }
    driver.answer = async (to, message) => {
      if (message.kind === 'ask') {
        const { offer, details } = await anOffer(request, party(to))
        return [{ kind: 'offer', epoch: message.epoch, offer: offer.bytes, details }]
      }
      if (message.kind !== 'propose') return []
      const proposed = await openDocument('contract', message.contract)
      return [{ kind: 'acceptance', acceptance: (await anAcceptance(proposed, party(to))).bytes }]
    }
    await driver.exchanges.coordinate(await asked.dossier(UVA.peer), [VU.peer, EVE.peer], 600_000)
    await driver.until(() => driver.exchange(request.id).coordinator?.stage.phase === 'running')
    const [contract = ''] = driver.exchange(request.id).dossier.contracts.keys()
    const failure = { request: request.id, code: 'peer-silent' as const, step: null, position: null }
    const answers = await driver.receive(VU, { kind: 'failure', contract, hop: EVE.peer, ...failure })
    expect(answers.map((one) => one.kind)).not.to.include('ask')
    // No time has passed: nobody was waited for.
    await driver.until(() => composed === 2)
    expect(driver.sent('ask', VU)).to.have.length(2)
    expect(driver.sent('ask', EVE)).to.have.length(1)
  })
})
