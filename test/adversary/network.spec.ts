import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { peerIdFromString } from '@libp2p/peer-id'
import { expect } from 'chai'
import { loadKey } from '../../agent/identity/index.ts'
import { admit, openMarketplace, openPackage } from '../../agent/membership/index.ts'
import { frameOf, KAD_PROTOCOL } from '../../protocol/streams/index.ts'
import { Market, type TestAgent } from '../integration/harness.ts'
import { HostilePeer } from '../integration/hostile-peer.ts'
import { provider, UVA, wageAgreement, wageRequest, wages } from '../integration/wages.ts'
import { keyOf, peerOf } from '../membership/builders.ts'
import { addressesOf, beside, evidence, Stranger } from './hostile-edge.ts'
import { addProvider, findNode, keptByNetwork, lieInKad, putValue, spoken } from './hostile-kad.ts'

const VU = wages(1, 20)
/** More than an agent may announce. */
const ANNOUNCED = 1200
const BATCH = 300
const AT_ONCE = 20
const PADDING = 1000
const RECORDS_PER_PEER = 1024
/** Those who are there, and those that others speak of. */
const MOST_PEERS = 1024 + 10

describe('Whoever abuses the network', function () {
  this.timeout(120_000)
  let market: Market
  let vu: TestAgent
  let uva: TestAgent
  const hers: HostilePeer[] = []

  before(async () => {
    market = await Market.open([UVA, provider('VU', VU), { name: 'EVE', users: ['eve@eve.nl'] }])
    vu = market.agent('VU')
    uva = market.agent('UVA')
    await vu.sign(wageAgreement('VU'))
    await market.agent('EVE').stop()
  })
  afterEach(async () => await Promise.all(hers.splice(0).map(async (one) => await one.stop())))
  after(async () => await market?.closeClean())

  const refused = async (agent: TestAgent, { peer }: { peer: string }, protocol: string, code: string) =>
    await evidence(agent, 'refusal', { code, peer, protocol })

  it('is not heard in kad as a stranger, whatever it says there and however often', async () => {
    const one = await Stranger.start()
    try {
      const floods = [[findNode()], [addProvider(one.peer)], [await putValue()]].map((said) =>
        Array.from({ length: 100 }, () => said).flat()
      )
      const ended = await beside(market, { VU }, async () => {
        const connection = await one.node.dial(addressesOf(vu))
        return await Promise.all(floods.map(async (said) => await spoken(connection, KAD_PROTOCOL, said)))
      })
      for (const { status, heard } of ended) {
        expect(status).to.equal('reset')
        expect(heard).to.have.length(0)
      }
      await refused(vu, one, KAD_PROTOCOL, 'not-member')
    } finally {
      await one.stop()
    }
  })

  const her = async (): Promise<HostilePeer> => {
    const one = await HostilePeer.start(market.agent('EVE'))
    hers.push(one)
    return one
  }
  const connected = async (one: HostilePeer, agent: TestAgent) => {
    await one.connect(agent)
    const [connection] = one.network.node.getConnections(peerIdFromString(agent.peerId))
    if (connection === undefined) throw new Error('expected a connection')
    return connection
  }

  it('is held to a rate in kad, and has no values stored, nor more announcements than an agent makes', async () => {
    const eve = await her()
    const connection = await connected(eve, vu)
    const say = async (...said: Uint8Array[]) => await spoken(connection, KAD_PROTOCOL, said)
    const value = await putValue()
    const [stored, asked] = await beside(market, { VU }, async () => {
      const answers = [await say(value)]
      for (let said = 0; said < ANNOUNCED; said += BATCH)
        answers.push(await say(...Array.from({ length: BATCH }, () => addProvider(eve.peer)), findNode()))
      const flood = []
      for (let said = 0; said < BATCH; said += AT_ONCE)
        flood.push(
          ...(await Promise.all(Array.from({ length: AT_ONCE }, async () => await say(findNode(PADDING)))))
        )
      return [answers, flood] as const
    })
    // The question after the announcements is heard only when they were.
    expect(stored.map(({ heard }) => heard.length > 0)).to.deep.equal([false, true, true, true, false])
    await refused(vu, eve, KAD_PROTOCOL, 'request-type-not-supported')
    await refused(vu, eve, KAD_PROTOCOL, 'rate-limited')
    expect(asked.filter(({ heard }) => heard.length === 0)).not.to.have.length(0)
    await beside(market, { VU }, async () => undefined)
  })

  for (const [what, answer, code] of [
    ['more names than any lookup holds', 700, undefined],
    ['an answer that is too long', 2000, 'malformed-document'],
    ['bytes that mean nothing', frameOf(new Uint8Array(4096).fill(0x81)).subarray(), undefined]
  ] as const)
    it(`hides nothing and stops nobody when she answers lookups with ${what}`, async () => {
      const eve = await her()
      await eve.connect(uva)
      const asked = await lieInKad(eve, answer)
      const [absent] = await beside(market, { VU }, async () => [
        await uva.ask(wageRequest({ datasets: [`nowhere-${String(code)}-${answer.toString().length}`] }))
      ])
      expect(absent?.refusals?.map((refusal) => refusal.code)).to.deep.equal(['dataset-unknown'])
      expect(asked()).to.be.greaterThan(0)
      if (code !== undefined) await refused(uva, eve, KAD_PROTOCOL, code)
    })

  it('leaves nothing on the disks of others but few announcements of her own', async () => {
    await Promise.all([vu, uva].map(async (agent) => await agent.stop()))
    const [atVu, atUva] = [await keptByNetwork(vu), await keptByNetwork(uva)]
    for (const keys of [atVu, atUva]) {
      expect(keys.filter((key) => key.startsWith('/peers/')).length).to.be.lessThan(MOST_PEERS)
      expect(keys.filter((key) => key.startsWith('/dht/record'))).to.deep.equal([])
    }
    const { peerId } = market.agent('EVE')
    const announced = atVu.filter((key) => key.startsWith('/dht/provider/') && key.endsWith(peerId))
    expect(announced).to.have.length(RECORDS_PER_PEER)
  })
})
