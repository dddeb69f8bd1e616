import { expect } from 'chai'
import { createSpeaker, type Dossier, UnknownDocument } from '../../agent/negotiation/index.ts'
import type { Signed } from '../../protocol/documents/index.ts'
import { keyOf, peerOf } from '../membership/builders.ts'
import { aContract, anAcceptance, aRequest, NOW, UVA, VU } from './documents.ts'

describe('an acceptance that comes in', () => {
  let dossier: Dossier
  let contract: Signed<'contract'>
  beforeEach(async () => {
    const asked = await aRequest()
    const agreed = await aContract(asked.request, { offers: new Map() })
    contract = agreed.contract
    dossier = await asked.dossier(UVA.peer)
    const section = agreed.sections.get(UVA.peer)
    if (section === undefined) throw new Error('UVA is no party')
    await dossier.holdContract(contract, UVA.peer, section)
  })

  /** VU's, with one thing in it changed. */
  async function changed(init: {
    organisation?: string
    marketplace?: string
  }): Promise<Signed<'acceptance'>> {
    const key = await keyOf(VU.organisation)
    const { organisation = VU.organisation, marketplace = contract.payload.marketplace } = init
    const speaker = createSpeaker({
      key,
      peer: peerOf(key),
      organisation,
      marketplace,
      clock: { now: () => NOW }
    })
    return await anAcceptance(contract, { organisation, peer: VU.peer, speaker })
  }

  it('is held when it is what the contract says of its signer', async () => {
    dossier.holdAcceptance(await changed({}))
    expect([...dossier.contract(contract.id).acceptances.keys()]).to.deep.equal([VU.peer])
  })

  it('is not held when its signer gives itself another organisation', async () => {
    const acceptance = await changed({ organisation: 'RUG' })
    expect(() => dossier.holdAcceptance(acceptance)).to.throw(UnknownDocument, 'RUG')
  })

  it('is not held when it is of another marketplace', async () => {
    const acceptance = await changed({ marketplace: `bafyrei${'b'.repeat(52)}` })
    expect(() => dossier.holdAcceptance(acceptance)).to.throw(UnknownDocument, 'marketplace')
  })
})
