import type { PrivateKey } from '@libp2p/interface'
import { expect } from 'chai'
import {
  admit,
  agreeable,
  cosign,
  createMarketplace,
  expel,
  keysOf,
  type Marketplace,
  MembershipFileInvalid,
  marketplaceText,
  membershipOf,
  missingIn,
  NotMember,
  NotToBeSigned,
  openMarketplace,
  openProposal,
  proposalText,
  renewMembership,
  renewStatus
} from '../../agent/membership/index.ts'
import { BadSignature, signDocument } from '../../protocol/documents/index.ts'
import { thrownBy } from '../streams/loopback.ts'
import { keyOf, NOW, peerOf } from './builders.ts'

const DAY = 86_400_000
const NOTHING: ReadonlyMap<number, string> = new Map()

describe('an authority', () => {
  let one: PrivateKey
  let two: PrivateKey
  let three: PrivateKey
  before(async () => {
    one = await keyOf('one')
    two = await keyOf('two')
    three = await keyOf('three')
  })

  async function founded(threshold: number): Promise<Marketplace> {
    const authorities = [one, two, three].map(peerOf)
    const init = { name: 'Uni', contact: '', discoveryKey: new Uint8Array(32), authorities, threshold }
    return await createMarketplace(init, { keys: [one], now: NOW })
  }
  const admission = async (organisation: string, key: PrivateKey) => ({
    organisation,
    agents: [peerOf(key)],
    stewards: [peerOf(await keyOf(`steward of ${organisation}`))],
    roles: [],
    speaksFor: []
  })

  it('expels an organisation with every key by which it could still be taken for a member', async () => {
    const by = { keys: [one] as const, now: NOW }
    const [first, second] = [await keyOf('VU'), await keyOf('VU, new key')]
    let market = (await admit(await founded(1), await admission('VU', first), by)).marketplace
    market = (await admit(market, await admission('VU', second), by)).marketplace
    const steward = peerOf(await keyOf('steward of VU'))
    expect(keysOf(market, 'VU', NOW)).to.have.members([peerOf(first), peerOf(second), steward])
    expect(keysOf(market, 'VU', NOW + 90 * DAY)).to.have.members([peerOf(second), steward])
    const expelled = await expel(market, keysOf(market, 'VU', NOW), by)
    expect(membershipOf(expelled, 'VU')).to.equal(undefined)
    const reopened = await openMarketplace(marketplaceText(expelled))
    expect(await thrownBy(admit(reopened, await admission('VU', first), by))).to.be.instanceOf(NotMember)
  })

  it('renews a membership without the keys that were expelled, and none of which no agent is left', async () => {
    const by = { keys: [one] as const, now: NOW }
    const [a, b] = [await keyOf('a'), await keyOf('b')]
    const both = { ...(await admission('VU', a)), agents: [peerOf(a), peerOf(b)] }
    let market = (await admit(await founded(1), both, by)).marketplace
    market = await expel(market, [peerOf(a)], by)
    const { membership } = await renewMembership(market, 'VU', { ...by, now: NOW + DAY })
    expect(membership.payload.agents).to.deep.equal([peerOf(b)])
    expect(membership.payload.expires).to.equal(NOW + 91 * DAY)
    market = await expel(market, [peerOf(b)], by)
    expect(await thrownBy(renewMembership(market, 'VU', by))).to.be.instanceOf(NotMember)
  })

  it('dates two memberships of one moment one after the other', async () => {
    const by = { keys: [one] as const, now: NOW }
    const first = await admit(await founded(1), await admission('VU', await keyOf('VU')), by)
    const second = await renewMembership(first.marketplace, 'VU', by)
    expect(second.membership.payload.issuedAt).to.equal(NOW + 1)
  })

  it('never uses a number for two lists, not even when the first came to nothing', async () => {
    const market = await founded(1)
    const next = await renewStatus(market, { keys: [one], now: NOW, lastNumber: 7 })
    expect(next.status.payload.number).to.equal(8)
  })

  describe('of several', () => {
    it('holds once enough have signed, each a file from the other', async () => {
      const proposed = await founded(2)
      expect(missingIn(proposed)).to.deep.include({ signatures: 1, from: [two, three].map(peerOf) })
      expect(await thrownBy(openMarketplace(marketplaceText(proposed)))).to.be.instanceOf(BadSignature)
      const read = await openProposal(proposalText(proposed))
      const signed = await cosign(agreeable(undefined, read, NOTHING), two)
      expect(missingIn(signed).signatures).to.equal(0)
      const opened = await openMarketplace(marketplaceText(signed))
      expect(opened.charter.signers).to.have.members([one, two].map(peerOf))
      const third = await cosign(signed, three)
      expect(third.status.signers).to.have.length(2)
    })

    async function inForce(): Promise<Marketplace> {
      return await cosign(await founded(2), two)
    }

    it('is one whose key the charter lists', async () => {
      expect(await thrownBy(cosign(await founded(2), await keyOf('thief')))).to.be.instanceOf(NotToBeSigned)
    })

    it('takes no proposal with a signature of somebody else', async () => {
      const market = await inForce()
      const thief = await keyOf('thief')
      const { payload } = market.status
      const forged = await signDocument('status', { ...payload, number: 9, issuer: peerOf(thief) }, thief)
      expect(await thrownBy(openProposal(proposalText({ ...market, status: forged })))).to.be.instanceOf(
        MembershipFileInvalid
      )
    })

    it('signs no second list of a number', async () => {
      const market = await inForce()
      const [mine, theirs] = [
        await expel(market, [peerOf(await keyOf('x'))], { keys: [one], now: NOW }),
        await expel(market, [peerOf(await keyOf('y'))], { keys: [two], now: NOW })
      ]
      const signed = new Map([[2, mine.status.id]])
      expect(() => agreeable(market, theirs, signed)).to.throw(NotToBeSigned, 'no second status list 2')
      expect(() => agreeable(market, mine, signed)).not.to.throw()
      const inForceHere = await cosign(mine, two)
      expect(() => agreeable(inForceHere, theirs, NOTHING)).to.throw(NotToBeSigned, 'as it is in force')
    })

    it('signs no list that goes back, nor one that lets somebody in again', async () => {
      const market = await inForce()
      const later = await cosign(
        await expel(market, [peerOf(await keyOf('x'))], { keys: [one], now: NOW }),
        two
      )
      expect(() => agreeable(later, market, NOTHING)).to.throw(NotToBeSigned, 'or a later one')
      const without = await renewStatus(market, { keys: [one], now: NOW, lastNumber: 2 })
      expect(() => agreeable(later, without, NOTHING)).to.throw(NotToBeSigned, 'left out')
    })

    it('signs nothing of another marketplace', async () => {
      const other = await createMarketplace(
        { name: 'Other', contact: '', discoveryKey: new Uint8Array(32), authorities: [one, two].map(peerOf) },
        { keys: [one], now: NOW }
      )
      const market = await inForce()
      expect(() => agreeable(market, other, NOTHING)).to.throw(NotToBeSigned)
    })

    it('loses no member that another admitted meanwhile', async () => {
      const market = await inForce()
      const by = { keys: [one] as const, now: NOW }
      const withVu = await cosign(
        (await admit(market, await admission('VU', await keyOf('VU')), by)).marketplace,
        two
      )
      const withUva = (await admit(market, await admission('UVA', await keyOf('UVA')), by)).marketplace
      const agreed = agreeable(withVu, withUva, NOTHING)
      expect(agreed.memberships.map(({ payload }) => payload.organisation)).to.have.members(['VU', 'UVA'])
    })
  })
})
