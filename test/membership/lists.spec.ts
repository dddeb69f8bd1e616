import { expect } from 'chai'
import fc from 'fast-check'
import {
  type Admission,
  type Authority,
  Expelled,
  expel,
  FromTheFuture,
  type MembershipChange,
  NotMember,
  ownStanding,
  renewStatus,
  standingOf
} from '../../agent/membership/index.ts'
import {
  BadSignature,
  MalformedDocument,
  openDocument,
  signDocument
} from '../../protocol/documents/index.ts'
import { thrownBy } from '../streams/loopback.ts'
import { keyOf, MemoryMembershipStore, NOW, peerOf, TestMarketplace } from './builders.ts'

const DAY = 86_400_000

describe('status lists', () => {
  let market: TestMarketplace
  let by: Authority
  beforeEach(async () => {
    market = await TestMarketplace.found()
    by = { keys: [market.authority], now: NOW }
  })

  /** VU, which knows UVA. */
  async function vuKnowing(more: Partial<Admission> = {}, store = new MemoryMembershipStore()) {
    const [vu, uva] = [await keyOf('VU'), await keyOf('UVA')]
    const shown = (await market.admit('UVA', uva, more)).membership
    const home = await market.admit('VU', vu)
    const members = await market.members(home, vu, undefined, store)
    await members.learn(shown, peerOf(uva))
    const again = async () => await market.members(home, vu, undefined, store)
    return { members, shown, uva: peerOf(uva), store, again }
  }

  it('of an earlier number change nothing, whoever brings them again', async () => {
    const { members, uva } = await vuKnowing()
    const first = market.marketplace
    const second = await expel(first, [uva], by)
    const third = await renewStatus(second, by)
    expect(await members.acceptStatus(third.status)).to.equal(true)
    for (const { status } of [first, second]) expect(await members.acceptStatus(status)).to.equal(false)
    expect(members.statusNumber).to.equal(3)
    expect(members.whyNot(uva)).to.equal('expelled')
  })

  it('end at the same number in whatever order they come', async () => {
    const lists = [market.marketplace]
    for (let number = 2; number <= 5; number += 1)
      lists.push(
        await expel(lists[number - 2] ?? market.marketplace, [peerOf(await keyOf(`k${number}`))], by)
      )
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(lists, { minLength: lists.length }), async (order) => {
        const { members } = await vuKnowing()
        let highest = 1
        for (const { status } of order) {
          const newer = status.payload.number > highest
          expect(await members.acceptStatus(status)).to.equal(newer)
          highest = Math.max(highest, status.payload.number)
        }
        expect(members.statusNumber).to.equal(5)
        expect(members.expelled()).to.have.length(4)
        expect(members.statusConflicts).to.deep.equal([])
      }),
      { numRuns: 20 }
    )
  })

  it('of one number are both kept, both count, and are shown until a higher number comes, and after', async () => {
    const { members, uva, store, again } = await vuKnowing()
    const other = peerOf(await keyOf('RUG'))
    const one = await expel(market.marketplace, [uva], by)
    const two = await expel(market.marketplace, [other], by)
    const lists = [one.status.id, two.status.id].sort()
    expect(await members.acceptStatus(one.status)).to.equal(true)
    expect(await members.acceptStatus(two.status)).to.equal(true)
    expect(await members.acceptStatus(two.status)).to.equal(false)
    for (const known of [members, await again()]) {
      expect(known.statusConflicts).to.deep.equal([{ number: 2, lists }])
      expect([known.whyNot(uva), known.whyNot(other)]).to.deep.equal(['expelled', 'expelled'])
    }
    const third = await renewStatus(two, by)
    expect(await members.acceptStatus(third.status)).to.equal(true)
    expect(members.expulsionOf(uva)).to.equal(undefined)
    for (const known of [members, await again()])
      expect(known.statusConflicts).to.deep.equal([{ number: 2, lists }])
    expect(store.saved.filter(({ kind }) => kind === 'status')).to.have.length(3)
  })

  it('without end under one number fill no disk', async () => {
    const { members, store } = await vuKnowing()
    for (let index = 0; index < 10; index += 1)
      await members.acceptStatus(
        (await expel(market.marketplace, [peerOf(await keyOf(`r${index}`))], by)).status
      )
    expect(store.saved.filter(({ kind }) => kind === 'status')).to.have.length(4)
  })

  it('that are past are forgotten', async () => {
    const { members, store } = await vuKnowing()
    let latest = market.marketplace
    for (let index = 0; index < 5; index += 1) {
      latest = await renewStatus(latest, by)
      await members.acceptStatus(latest.status)
    }
    expect(store.saved.filter(({ kind }) => kind === 'status')).to.have.length(1)
  })

  it('are refused when somebody else signed, or for another marketplace', async () => {
    const { members } = await vuKnowing()
    const { payload } = market.marketplace.status
    const thief = await keyOf('thief')
    const forged = await signDocument('status', { ...payload, number: 9, issuer: peerOf(thief) }, thief)
    expect(await thrownBy(members.acceptStatus(forged))).to.be.instanceOf(BadSignature)
    const foreign = await TestMarketplace.found(NOW + 1)
    expect(await thrownBy(members.acceptStatus(foreign.marketplace.status))).to.be.instanceOf(NotMember)
    expect(members.statusNumber).to.equal(1)
  })

  it('are refused when they are dated ahead, as they would never be too old', async () => {
    const { members } = await vuKnowing()
    const ahead = await renewStatus(market.marketplace, { ...by, now: NOW + 120_001 })
    expect(await thrownBy(members.acceptStatus(ahead.status))).to.be.instanceOf(FromTheFuture)
    const nearly = await renewStatus(market.marketplace, { ...by, now: NOW + 120_000 })
    expect(await members.acceptStatus(nearly.status)).to.equal(true)
  })

  it('name at most 4096 keys: no authority signs more, nobody reads a million', async function () {
    this.timeout(60_000)
    const peer = peerOf(await keyOf('x'))
    const keys = Array.from({ length: 4097 }, (_, index) => peer.slice(0, -4) + base58(index))
    const error = await thrownBy(expel(market.marketplace, keys, by))
    expect(error.message).to.include('at most 4096 keys, found 4097')
    const full = await expel(market.marketplace, keys.slice(1), by)
    const { members } = await vuKnowing()
    expect(await members.acceptStatus(full.status)).to.equal(true)
    const payload = { ...full.status.payload, expelled: Array(1_000_000).fill({ peer, since: 1 }) }
    expect(await thrownBy(signDocument('status', payload, market.authority))).to.be.instanceOf(
      MalformedDocument
    )
    const bytes = { payload: new Uint8Array(40_000_000), signatures: full.status.bytes.signatures }
    expect(await thrownBy(openDocument('status', bytes))).to.be.instanceOf(MalformedDocument)
  })

  it('too old refuse everything, and say so once, when the clock gets there', async () => {
    const { members } = await vuKnowing()
    const changes: MembershipChange[] = []
    const stop = members.onChange((change) => changes.push(change))
    expect(ownStanding(members)).to.equal(null)
    expect(members.nextExpiry()).to.equal(NOW + 7 * DAY + 1)
    market.now = NOW + 7 * DAY + 1
    expect(ownStanding(members)?.code).to.equal('status-list-too-old')
    members.recheck()
    members.recheck()
    expect(changes).to.deep.equal([{ kind: 'status-aged', number: 1 }])
    expect(members.nextExpiry()).to.equal(NOW + 90 * DAY)
    const next = await renewStatus(market.marketplace, { ...by, now: market.now })
    await members.acceptStatus(next.status)
    expect(changes.slice(1)).to.deep.equal([{ kind: 'status', number: 2 }])
    expect(ownStanding(members)).to.equal(null)
    stop()
    members.recheck()
    expect(changes).to.have.length(2)
  })

  it('tell whoever listens of all that changes', async () => {
    const { members, uva } = await vuKnowing()
    const changes: MembershipChange[] = []
    members.onChange((change) => changes.push(change))
    const rug = await keyOf('RUG')
    await members.learn((await market.admit('RUG', rug)).membership, peerOf(rug))
    await members.acceptStatus((await expel(market.marketplace, [uva], by)).status)
    market.now = NOW + 90 * DAY
    members.recheck()
    expect(changes).to.deep.include.members([
      { kind: 'member', organisation: 'RUG' },
      { kind: 'status', number: 2 },
      { kind: 'dropped', peers: [uva], code: 'expelled' },
      { kind: 'status-aged', number: 2 }
    ])
    expect(members.whyNot(peerOf(rug))).to.equal('membership-expired')
    expect(standingOf(members, peerOf(rug), 'RUG')?.code).to.equal('membership-expired')
    expect(standingOf(members, uva, 'UVA')?.code).to.equal('expelled')
    expect(ownStanding(members)?.code).to.equal('membership-expired')
  })

  it('keep out an earlier membership of an organisation that was expelled, also after a restart', async () => {
    const old = await keyOf('UVA, earlier key')
    const earlier = (await market.admit('UVA', old)).membership
    market.now = NOW + 1
    const { members, uva, again } = await vuKnowing()
    await members.acceptStatus((await expel(market.marketplace, [uva], { ...by, now: NOW + 2 })).status)
    for (const known of [members, await again()])
      expect(await thrownBy(known.learn(earlier, peerOf(old)))).to.be.instanceOf(NotMember)
  })

  it('end the agent’s own membership too', async () => {
    const { members } = await vuKnowing()
    await members.acceptStatus((await expel(market.marketplace, [members.self], by)).status)
    expect(() => members.own).to.throw(Expelled)
    expect(ownStanding(members)?.code).to.equal('expelled')
  })

  describe('that name a stolen key', () => {
    const stolenFrom = NOW - 10 * DAY

    it('distrust what was not held before', async () => {
      const { members, uva } = await vuKnowing()
      await members.acceptStatus((await expel(market.marketplace, [uva], { ...by, stolenFrom })).status)
      expect(members.distrusts(uva, stolenFrom - 1)).to.equal(false)
      expect(members.distrusts(uva, stolenFrom)).to.equal(true)
      expect(members.distrusts(peerOf(await keyOf('VU')), NOW)).to.equal(false)
    })

    it('never trust it more by a later list', async () => {
      const { uva } = await vuKnowing()
      const first = await expel(market.marketplace, [uva], { ...by, stolenFrom, reason: 'laptop' })
      const second = await expel(first, [uva], { ...by, now: NOW + 1, stolenFrom: NOW })
      expect(second.status.payload.expelled).to.deep.equal([
        { peer: uva, since: NOW, reason: 'laptop', stolenFrom }
      ])
      const third = await expel(first, [uva], { ...by, stolenFrom: stolenFrom - 1 })
      expect(third.status.payload.expelled[0]?.stolenFrom).to.equal(stolenFrom - 1)
    })

    it('count it as a steward’s for what was held before it was stolen, and for nothing new', async () => {
      const steward = peerOf(await keyOf('steward'))
      const { members } = await vuKnowing({ stewards: [steward] })
      expect(members.stewardKeys('UVA', { issuedAt: NOW })).to.deep.equal([steward])
      await members.acceptStatus((await expel(market.marketplace, [steward], { ...by, stolenFrom })).status)
      expect(members.stewardKeys('UVA', { issuedAt: stolenFrom - DAY })).to.deep.equal([])
      const held = (heldSince: number) =>
        members.stewardKeys('UVA', { issuedAt: stolenFrom - DAY, heldSince })
      expect(held(stolenFrom - 1)).to.deep.equal([steward])
      expect(held(stolenFrom)).to.deep.equal([])
    })
  })

  describe('and keys of stewards', () => {
    it('that were replaced keep what was issued in their time, also after a restart', async () => {
      const [before, after] = [peerOf(await keyOf('s1')), peerOf(await keyOf('s2'))]
      const { members, uva, again } = await vuKnowing({ stewards: [before] })
      market.now = NOW + DAY
      await members.learn(
        (await market.admit('UVA', await keyOf('UVA'), { stewards: [after] })).membership,
        uva
      )
      for (const known of [members, await again()]) {
        expect(known.stewardKeys('UVA', { issuedAt: NOW })).to.have.members([before, after])
        expect(known.stewardKeys('UVA', { issuedAt: NOW + DAY })).to.deep.equal([after])
      }
    })
  })
})

const LETTERS = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
function base58(number: number): string {
  let text = ''
  for (let rest = number, at = 0; at < 4; at += 1, rest = Math.floor(rest / 58)) text += LETTERS[rest % 58]
  return text
}
