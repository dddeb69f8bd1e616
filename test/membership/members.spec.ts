import { expect } from 'chai'
import {
  admit,
  charterText,
  createMarketplace,
  Expelled,
  expel,
  joinRequestText,
  MembershipExpired,
  MembershipFileInvalid,
  marketplaceText,
  NotMember,
  openCharter,
  openJoinRequest,
  openMarketplace,
  openPackage,
  packageText,
  renewStatus
} from '../../agent/membership/index.ts'
import { BadSignature, signDocument } from '../../protocol/documents/index.ts'
import { thrownBy } from '../streams/loopback.ts'
import { keyOf, MemoryMembershipStore, NOW, peerOf, TestMarketplace } from './builders.ts'

const DAY = 86_400_000

function thrownIn(action: () => unknown): unknown {
  try {
    action()
  } catch (thrown) {
    return thrown
  }
  throw new Error('expected an error, found success')
}

describe('membership', () => {
  let market: TestMarketplace
  beforeEach(async () => {
    market = await TestMarketplace.found()
  })

  async function vuKnowing(other: string) {
    const [vu, key] = [await keyOf('VU'), await keyOf(other)]
    const shown = (await market.admit(other, key)).membership
    const members = await market.members(await market.admit('VU', vu), vu)
    return { members, shown, peer: peerOf(key), key }
  }

  it('of a member that shows it makes the agent that organisation', async () => {
    const { members, shown, peer } = await vuKnowing('UVA')
    expect(members.organisationOf(peer)).to.equal(undefined)
    const member = await members.learn(shown, peer)
    expect(member.organisation).to.equal('UVA')
    expect(members.organisationOf(peer)).to.equal('UVA')
    expect(members.all().map(({ organisation }) => organisation)).to.have.members(['VU', 'UVA'])
  })

  it('is refused when another agent shows it', async () => {
    const { members, shown } = await vuKnowing('UVA')
    const thief = peerOf(await keyOf('thief'))
    expect(thrownIn(() => members.verifyMembership(shown, thief))).to.be.instanceOf(NotMember)
  })

  it('is refused when it has expired, and no longer counts from that moment', async () => {
    const { members, shown, peer } = await vuKnowing('UVA')
    await members.learn(shown, peer)
    market.now = NOW + 90 * DAY - 1
    expect(members.organisationOf(peer)).to.equal('UVA')
    market.now = NOW + 90 * DAY
    expect(members.organisationOf(peer)).to.equal(undefined)
    expect(thrownIn(() => members.verifyMembership(shown, peer))).to.be.instanceOf(MembershipExpired)
  })

  it('is refused when another marketplace’s authority signed it', async () => {
    const { members, key, peer } = await vuKnowing('UVA')
    const foreign = await TestMarketplace.found()
    const { membership } = await foreign.admit('UVA', key)
    expect(thrownIn(() => members.verifyMembership(membership, peer))).to.be.instanceOf(NotMember)
    const forged = await signDocument(
      'membership',
      { ...membership.payload, marketplace: members.marketplace },
      foreign.authority
    )
    expect(thrownIn(() => members.verifyMembership(forged, peer))).to.be.instanceOf(BadSignature)
  })

  it('needs as many authorities as the charter says', async () => {
    const [one, two, vu] = [await keyOf('one'), await keyOf('two'), await keyOf('VU')]
    const founded = await createMarketplace(
      {
        name: 'TwoOfTwo',
        contact: '',
        discoveryKey: new Uint8Array(32),
        authorities: [peerOf(one), peerOf(two)],
        threshold: 2
      },
      { keys: [one, two], now: NOW }
    )
    const admission = { organisation: 'VU', agents: [peerOf(vu)], stewards: [], roles: [], speaksFor: [] }
    const both = await admit(founded, admission, { keys: [one, two], now: NOW })
    const members = await market.members({ ...founded, membership: both.membership }, vu)
    expect(members.own.organisation).to.equal('VU')
    const alone = await admit(founded, admission, { keys: [one], now: NOW })
    expect(thrownIn(() => members.verifyMembership(alone.membership, peerOf(vu)))).to.be.instanceOf(
      BadSignature
    )
  })

  it('ends with a newer status list that expels the agent, and says so', async () => {
    const { members, shown, peer } = await vuKnowing('UVA')
    await members.learn(shown, peer)
    const dropped: unknown[] = []
    members.on('dropped', (event) => dropped.push(event))
    const { status } = await expel(market.marketplace, [peer], { keys: [market.authority], now: NOW })
    expect(await members.acceptStatus(status)).to.equal(true)
    expect(dropped).to.deep.equal([{ peers: [peer], code: 'expelled' }])
    expect(members.organisationOf(peer)).to.equal(undefined)
    expect(thrownIn(() => members.verifyMembership(shown, peer))).to.be.instanceOf(Expelled)
  })

  it('of an organisation with two agents outlives the expulsion of one', async () => {
    const [vu, a, b] = [await keyOf('VU'), await keyOf('a'), await keyOf('b')]
    const shown = (await market.admit('UVA', a, { agents: [peerOf(a), peerOf(b)] })).membership
    const members = await market.members(await market.admit('VU', vu), vu)
    await members.learn(shown, peerOf(b))
    const { status } = await expel(market.marketplace, [peerOf(a)], { keys: [market.authority], now: NOW })
    await members.acceptStatus(status)
    expect(members.organisationOf(peerOf(a))).to.equal(undefined)
    expect(members.organisationOf(peerOf(b))).to.equal('UVA')
  })

  it('takes only status lists with a higher number, signed by the authority', async () => {
    const { members } = await vuKnowing('UVA')
    expect(await members.acceptStatus(market.marketplace.status)).to.equal(false)
    const next = await renewStatus(market.marketplace, { keys: [market.authority], now: NOW })
    const forged = await signDocument('status', next.status.payload, await keyOf('somebody'))
    expect(await thrownBy(members.acceptStatus(forged))).to.be.instanceOf(BadSignature)
    expect(await members.acceptStatus(next.status)).to.equal(true)
    expect(members.statusNumber).to.equal(2)
  })

  it('is not acted upon when the status list is older than the charter allows', async () => {
    const { members } = await vuKnowing('UVA')
    expect(members.statusTooOld(NOW + 7 * DAY)).to.equal(false)
    expect(members.statusTooOld(NOW + 7 * DAY + 1)).to.equal(true)
  })

  it('that is newer replaces the keys of the older one', async () => {
    const { members, shown, peer } = await vuKnowing('UVA')
    await members.learn(shown, peer)
    market.now = NOW + DAY
    const fresh = await keyOf('UVA, new key')
    const { membership } = await market.admit('UVA', fresh)
    await members.learn(membership, peerOf(fresh))
    expect(members.organisationOf(peer)).to.equal(undefined)
    expect(thrownIn(() => members.verifyMembership(shown, peer))).to.be.instanceOf(NotMember)
  })

  it('says for whom an organisation speaks', async () => {
    const { members, shown, peer } = await vuKnowing('UVA')
    await members.learn(shown, peer)
    expect(members.speaksFor('UVA', 'analyst@uva.nl')).to.equal(true)
    expect(members.speaksFor('VU', 'analyst@uva.nl')).to.equal(false)
    expect(members.speaksFor('UVA', 'analyst@xuva.nl')).to.equal(false)
    expect(members.resolveUser('Analyst@UvA.nl')).to.deep.equal({
      organisation: 'UVA',
      name: 'analyst@uva.nl'
    })
    expect(members.resolveUser('analyst@example.org')).to.equal(undefined)
    expect(members.resolveUser('uva.nl')).to.equal(undefined)
  })

  it('resolves no user whom two organisations claim', async () => {
    const { members, shown, peer } = await vuKnowing('UVA')
    await members.learn(shown, peer)
    const twin = await keyOf('twin')
    const { membership } = await market.admit('Twin', twin, { speaksFor: ['uva.nl'] })
    await members.learn(membership, peerOf(twin))
    expect(members.resolveUser('analyst@uva.nl')).to.equal(undefined)
  })

  it('survives a restart through the store, checked anew', async () => {
    const [vu, uva, rug] = [await keyOf('VU'), await keyOf('UVA'), await keyOf('RUG')]
    const shown = [await market.admit('UVA', uva), await market.admit('RUG', rug)].map(
      (one) => one.membership
    )
    const home = await market.admit('VU', vu)
    const store = new MemoryMembershipStore()
    const before = await market.members(home, vu, undefined, store)
    for (const document of shown) await before.learn(document, document.payload.agents[0] ?? '')
    const { status } = await expel(market.marketplace, [peerOf(rug)], { keys: [market.authority], now: NOW })
    await before.acceptStatus(status)
    store.saved.push({ kind: 'membership', id: 'x', bytes: new Uint8Array([1, 2, 3]) })
    const after = await market.members(home, vu, undefined, store)
    expect(after.statusNumber).to.equal(2)
    expect(after.organisationOf(peerOf(uva))).to.equal('UVA')
    expect(after.organisationOf(peerOf(rug))).to.equal(undefined)
  })

  describe('files', () => {
    it('bring a package home with everything in it', async () => {
      const vu = await keyOf('VU')
      const home = await market.admit('VU', vu)
      const opened = await openPackage(packageText(home))
      expect(opened.membership.id).to.equal(home.membership.id)
      expect(opened.charter.id).to.equal(home.charter.id)
      expect(opened.discoveryKey).to.deep.equal(home.discoveryKey)
      expect(await thrownBy(market.members(opened, await keyOf('UVA')))).to.be.instanceOf(NotMember)
    })

    it('are refused when the readable part was altered', async () => {
      const text = packageText(await market.admit('VU', await keyOf('VU')))
      const altered = text.replace('"organisation": "VU"', '"organisation": "VUmc"')
      expect(altered).not.to.equal(text)
      expect(await thrownBy(openPackage(altered))).to.be.instanceOf(MembershipFileInvalid)
    })

    it('are refused when a foreign charter was put in', async () => {
      const ours = JSON.parse(packageText(await market.admit('VU', await keyOf('VU'))))
      const foreign = await TestMarketplace.found()
      const theirs = JSON.parse(packageText(await foreign.admit('VU', await keyOf('VU'))))
      const mixed = { ...ours, charter: theirs.charter }
      expect(await thrownBy(openPackage(JSON.stringify(mixed)))).to.be.instanceOf(MembershipFileInvalid)
      const moved = { ...mixed, marketplace: theirs.marketplace }
      expect(await thrownBy(openPackage(JSON.stringify(moved)))).to.be.instanceOf(NotMember)
    })

    it('are refused when they are something else, with what was expected', async () => {
      for (const text of [
        '',
        '{}',
        '[1]',
        'charter',
        JSON.stringify({ kind: 'dynamos-charter', version: 1 })
      ]) {
        expect(await thrownBy(openCharter(text))).to.be.instanceOf(MembershipFileInvalid)
      }
    })

    it('keep the authority’s state and the public charter', async () => {
      await market.admit('VU', await keyOf('VU'))
      const opened = await openMarketplace(marketplaceText(market.marketplace))
      expect(opened.memberships).to.have.length(1)
      expect((await openCharter(charterText(opened.charter))).id).to.equal(opened.charter.id)
      expect(charterText(opened.charter)).not.to.contain('discoveryKey')
    })

    it('ask to join with proof of the key', async () => {
      const request = {
        marketplace: market.marketplace.charter.id,
        organisation: 'VU',
        roles: ['dataProvider' as const],
        stewards: [],
        speaksFor: ['vu.nl'],
        about: {}
      }
      const text = await joinRequestText(request, await keyOf('VU'))
      expect((await openJoinRequest(text)).peer).to.equal(peerOf(await keyOf('VU')))
      expect(await thrownBy(openJoinRequest(text.replace('"VU"', '"UVA"')))).to.be.instanceOf(
        MembershipFileInvalid
      )
    })
  })
})
