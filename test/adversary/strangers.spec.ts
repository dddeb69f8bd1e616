import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PrivateKey } from '@libp2p/interface'
import { expect } from 'chai'
import { loadKey } from '../../agent/identity/index.ts'
import {
  admit,
  createMarketplace,
  type MembershipPackage,
  openMarketplace,
  openPackage
} from '../../agent/membership/index.ts'
import { HELLO_PROTOCOL, KAD_PROTOCOL } from '../../protocol/streams/index.ts'
import { Market, type TestAgent } from '../integration/harness.ts'
import { provider, UVA, wageAgreement, wages } from '../integration/wages.ts'
import { keyOf } from '../membership/builders.ts'
import { beside, evidence, Stranger } from './hostile-edge.ts'

const VU = wages(1, 20)
const DAY = 86_400_000

describe('Somebody who does not belong', function () {
  this.timeout(120_000)
  let market: Market
  let vu: TestAgent
  let ours: MembershipPackage
  let authority: PrivateKey
  let eveKey: PrivateKey
  const strangers: Stranger[] = []

  before(async () => {
    market = await Market.open([UVA, provider('VU', VU), { name: 'EVE', users: ['eve@eve.nl'] }])
    vu = market.agent('VU')
    await vu.sign(wageAgreement('VU'))
    const eve = market.agent('EVE')
    await eve.stop()
    eveKey = await loadKey(eve.config.identity.key)
    ours = await openPackage(await readFile(eve.config.marketplace, 'utf8'))
    authority = await loadKey(join(market.dir, 'marketplace', 'authority.key'))
  })
  afterEach(async () => await Promise.all(strangers.splice(0).map(async (one) => await one.stop())))
  after(async () => await market?.closeClean())

  const stranger = async (key?: PrivateKey): Promise<Stranger> => {
    const one = await Stranger.start(key)
    strangers.push(one)
    return one
  }

  /** A membership for Eve's key, by whom and when it pleases. */
  const membership = async (by: PrivateKey, now: number) => {
    const founded = await createMarketplace(
      { name: 'elsewhere', contact: 'nobody', discoveryKey: new Uint8Array(randomBytes(32)) },
      { keys: [by], now }
    )
    return { founded, admitted: await admission(founded, by, now) }
  }
  const admission = async (marketplace: Parameters<typeof admit>[0], by: PrivateKey, now: number) =>
    (
      await admit(
        marketplace,
        {
          organisation: 'EVE',
          agents: [market.agent('EVE').peerId],
          stewards: [],
          roles: [],
          speaksFor: ['eve.nl']
        },
        { keys: [by], now }
      )
    ).membership

  const refused = async (
    code: string,
    shown: () => Promise<Parameters<Stranger['hello']>[1]>
  ): Promise<void> => {
    const one = await stranger(eveKey)
    const said = await beside(market, { VU }, async () => await one.hello(vu, await shown()))
    expect(said).to.equal(code)
    await evidence(vu, 'refusal', { code, peer: one.peer, protocol: HELLO_PROTOCOL })
  }

  it('is not believed a membership whose signature is by nobody of ours', async () => {
    await refused('bad-signature', async () => {
      const forger = await keyOf('forger')
      // As hers, word for word, but for who signed it.
      const { bytes } = ours.membership
      const forged = (await membership(forger, Date.now())).admitted.bytes
      return {
        marketplace: ours.charter.id,
        membership: { ...bytes, signatures: forged.signatures }
      }
    })
  })

  it('is not believed a membership that has expired', async () => {
    await refused('membership-expired', async () => {
      const past = await openMarketplace(
        await readFile(join(market.dir, 'marketplace', 'marketplace.json'), 'utf8')
      )
      const expired = await admission(past, authority, Date.now() - 400 * DAY)
      return { marketplace: ours.charter.id, membership: expired.bytes }
    })
  })

  it('is not believed a membership of another marketplace, under either name', async () => {
    const { founded, admitted } = await membership(await keyOf('elsewhere'), Date.now())
    for (const marketplace of [founded.charter.id, ours.charter.id])
      await refused('not-member', async () => ({ marketplace, membership: admitted.bytes }))
  })

  it('is not believed another’s membership', async () => {
    const one = await stranger()
    const shown = { marketplace: ours.charter.id, membership: ours.membership.bytes }
    expect(await beside(market, { VU }, async () => await one.hello(vu, shown))).to.equal('not-member')
    await evidence(vu, 'refusal', { code: 'not-member', peer: one.peer, protocol: HELLO_PROTOCOL })
  })

  it('is refused with a clock a day ahead, member or not', async () => {
    await refused('clock-skew', async () => ({
      marketplace: ours.charter.id,
      membership: ours.membership.bytes,
      clock: Date.now() + DAY
    }))
  })

  it('gets no word in kad, nor of what members speak', async () => {
    const one = await stranger()
    for (const protocol of [KAD_PROTOCOL, '/ipfs/ping/1.0.0']) {
      expect(
        await beside(market, { VU }, async () => await one.speak(vu, protocol, randomBytes(32)))
      ).to.equal(0)
      await evidence(vu, 'refusal', { code: 'not-member', peer: one.peer, protocol })
    }
  })
})
