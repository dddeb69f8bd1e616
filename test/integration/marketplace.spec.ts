import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { z } from 'zod'
import { marketplaceView, memberView, takenDocuments } from '../../agent/api/index.ts'
import { createKey, loadKey, peerOfKeyFile } from '../../agent/identity/index.ts'
import {
  type Authority,
  admit,
  expel,
  type Marketplace,
  openMarketplace,
  openPackage,
  packageText,
  renewStatus
} from '../../agent/membership/index.ts'
import { encodeSigned, type Signed } from '../../protocol/documents/index.ts'
import { Market, TestAgent } from './harness.ts'
import { provider, UVA, wageAgreement, wageRequest, wages } from './wages.ts'

const DAY = 86_400_000
const base64 = (document: Signed<'status'> | Signed<'membership'>): string =>
  Buffer.from(encodeSigned(document)).toString('base64')

describe('A marketplace that goes on', function () {
  this.timeout(180_000)
  let market: Market
  let state: Marketplace
  let by: Authority

  const ask = () => wageRequest({ providers: ['VU'], archetype: 'computeToData' })
  const standing = async (name: string) =>
    await market.agent(name).client.get('/api/v1/marketplace', marketplaceView)

  /** What everybody holds is as old as this. */
  async function listOf(days: number): Promise<void> {
    const aged = await renewStatus(state, { ...by, now: Date.now() - days * DAY })
    state = aged
    for (const { config } of market.agents) {
      const contents = await openPackage(await readFile(config.marketplace, 'utf8'))
      await writeFile(config.marketplace, packageText({ ...contents, status: aged.status }), { mode: 0o600 })
    }
  }

  async function publish(name: string, next: Marketplace) {
    state = next
    const json = { status: base64(next.status) }
    return await market.agent(name).client.post('/api/v1/marketplace', { json }, takenDocuments)
  }

  async function until(fits: () => Promise<boolean>): Promise<void> {
    const limit = AbortSignal.timeout(30_000)
    while (!(await fits())) {
      limit.throwIfAborted()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  before(async () => {
    market = await Market.prepare([UVA, provider('VU', wages(1, 12))])
    const folder = join(market.dir, 'marketplace')
    state = await openMarketplace(await readFile(join(folder, 'marketplace.json'), 'utf8'))
    by = { keys: [await loadKey(join(folder, 'authority.key'))], now: Date.now() }
    await listOf(8)
    for (const agent of market.agents) await agent.start()
    await market.untilAllSee()
  })
  after(async () => await market?.closeClean())

  it('refuses everything with a list that is too old, says until when it was good, and goes on with a newer one', async () => {
    const refused = await market.agent('UVA').ask(ask())
    expect(refused.status).to.equal('refused')
    expect(refused.refusals?.map(({ code }) => code)).to.deep.equal(['status-list-too-old'])
    expect((await standing('UVA')).status.tooOld).to.equal(true)
    const taken = await publish('VU', await renewStatus(state, { ...by, now: Date.now() }))
    expect(taken.status).to.deep.equal({ number: state.status.payload.number, taken: true })
    await until(async () => !(await standing('UVA')).status.tooOld)
    await market.agent('VU').sign(wageAgreement('VU'))
    expect((await market.agent('UVA').ask(ask())).status).to.equal('completed')
  })

  it('takes no list of another marketplace, nor the same again', async () => {
    const json = { status: base64(state.status) }
    const { status } = await market.agent('VU').client.post('/api/v1/marketplace', { json }, takenDocuments)
    expect(status?.taken).to.equal(false)
  })

  it('refuses a user whom the membership covers no longer, at the other end too', async () => {
    const uva = market.agent('UVA')
    const before = state.memberships.find(({ payload }) => payload.organisation === 'UVA')
    if (before === undefined) throw new Error('expected a membership of UVA')
    const without = await admit(
      state,
      { ...before.payload, speaksFor: ['elsewhere.nl'] },
      { ...by, now: Date.now() }
    )
    const json = { membership: base64(without.membership) }
    const { membership } = await uva.client.post('/api/v1/marketplace', { json }, takenDocuments)
    expect(membership?.taken).to.equal(true)
    const refused = await uva.ask(ask())
    expect(refused.refusals?.map(({ code }) => code)).to.deep.equal(['consumer-not-permitted'])
    const again = await admit(without.marketplace, before.payload, { ...by, now: Date.now() })
    state = again.marketplace
    await uva.client.post(
      '/api/v1/marketplace',
      { json: { membership: base64(again.membership) } },
      takenDocuments
    )
    expect((await uva.ask(ask())).status).to.equal('completed')
  })

  it('keeps its agreements when an agent comes with a new key, and forgets the one before', async () => {
    const { config } = market.agent('UVA')
    const { peer: old } = await peerOfKeyFile(config.identity.key)
    await market.agent('UVA').stop()
    await rename(config.identity.key, `${config.identity.key}.before`)
    await createKey(config.identity.key)
    const { peer } = await peerOfKeyFile(config.identity.key)
    const before = state.memberships.find(({ payload }) => payload.organisation === 'UVA')
    if (before === undefined) throw new Error('expected a membership of UVA')
    const { marketplace, membership } = await admit(
      state,
      { ...before.payload, agents: [peer] },
      { ...by, now: Date.now() }
    )
    state = marketplace
    await writeFile(config.marketplace, packageText({ ...marketplace, membership }), { mode: 0o600 })
    const uva = await restarted(market.agent('UVA'), peer)
    const known = async () => await market.agent('VU').client.get('/api/v1/members', z.array(memberView))
    await until(async () => (await known()).some(({ agents }) => agents.includes(peer)))
    expect((await known()).flatMap(({ agents }) => agents)).not.to.include(old)
    expect((await uva.ask(ask())).status).to.equal('completed')
  })

  async function restarted(agent: TestAgent, peerId: string): Promise<TestAgent> {
    const index = market.agents.indexOf(agent)
    const renewed = new TestAgent({ name: agent.name, config: agent.config, peerId, steward: '', log: '' })
    market.agents[index] = renewed
    await renewed.start()
    await market.untilAllSee()
    return renewed
  }

  it('cuts off an organisation that is expelled, which is told why', async () => {
    const { agents, stewards } =
      state.memberships.find(({ payload }) => payload.organisation === 'UVA')?.payload ?? {}
    const keys = [...(agents ?? []), ...(stewards ?? [])]
    await publish('VU', await expel(state, keys, { ...by, now: Date.now(), reason: 'left' }))
    await until(async () => {
      // Whoever asks for something dials; left alone it would try again some time.
      expect((await market.agent('UVA').ask(ask())).status).to.equal('refused')
      return (await standing('UVA')).encounters.some(({ refusedUs }) => refusedUs === 'expelled')
    })
    const { status } = await standing('VU')
    expect(status.expelled.map(({ peer, reason }) => ({ peer, reason }))).to.deep.include({
      peer: agents?.[0],
      reason: 'left'
    })
  })
})
