import { expect } from 'chai'
import { objectionToParties, refuseAll, refuseFlowWith } from '../../agent/decisions/standing.ts'
import { expel, type Members } from '../../agent/membership/index.ts'
import { keyOf, NOW, peerOf, TestMarketplace } from '../membership/builders.ts'

describe('a hop that is asked whether a contract goes on', () => {
  let market: TestMarketplace
  let members: Members
  let self: { peer: string }
  let uva: string
  const user = { organisation: 'UVA', name: 'analyst@uva.nl' }
  const parties = () => [
    { peer: self.peer, organisation: 'VU' },
    { peer: uva, organisation: 'UVA' }
  ]
  const codeOf = () => objectionToParties({ members, self }, { parties: parties(), user })?.refusal.code

  beforeEach(async () => {
    market = await TestMarketplace.found()
    const [vu, key] = [await keyOf('VU'), await keyOf('UVA')]
    self = { peer: peerOf(vu) }
    uva = peerOf(key)
    const shown = (await market.admit('UVA', key)).membership
    members = await market.members(await market.admit('VU', vu), vu)
    await members.learn(shown, uva)
  })

  it('has nothing against parties and a user who are what the contract says', () => {
    expect(codeOf()).to.equal(undefined)
    expect(refuseAll({ members })).to.equal(null)
    expect(refuseFlowWith({ members }, uva)).to.equal(null)
  })

  it('refuses by the code of what became of a party', async () => {
    const by = { keys: [market.authority] as const, now: NOW }
    await members.acceptStatus((await expel(market.marketplace, [uva], by)).status)
    expect(codeOf()).to.equal('expelled')
    // for a plan without that party
    expect(objectionToParties({ members, self }, { parties: parties(), user })?.hop).to.equal(uva)
    expect(refuseFlowWith({ members }, uva)?.code).to.equal('expelled')
    expect(refuseAll({ members })).to.equal(null)
  })

  it('refuses an agent that another organisation’s membership lists', async () => {
    const wrong = parties().map((party) => ({ ...party, organisation: 'VU' }))
    expect(objectionToParties({ members, self }, { parties: wrong, user })?.refusal.code).to.equal(
      'not-member'
    )
  })

  it('refuses when its own list is too old, or it was expelled itself', async () => {
    market.now = NOW + 8 * 86_400_000
    expect(codeOf()).to.equal('status-list-too-old')
    expect(refuseFlowWith({ members }, uva)?.code).to.equal('status-list-too-old')
    const by = { keys: [market.authority] as const, now: market.now }
    await members.acceptStatus((await expel(market.marketplace, [self.peer], by)).status)
    expect(codeOf()).to.equal('expelled')
  })

  it('refuses when the requester’s organisation speaks for the user no longer', async () => {
    market.now = NOW + 1
    const { membership } = await market.admit('UVA', await keyOf('UVA'), { speaksFor: [] })
    await members.learn(membership, uva)
    expect(codeOf()).to.equal('consumer-not-permitted')
  })
})
