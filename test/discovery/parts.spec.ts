import { expect } from 'chai'
import { Catalogue } from '../../agent/discovery/catalogue.ts'
import { CapabilityRefused, discoveryCid } from '../../agent/discovery/index.ts'
import { Lookups } from '../../agent/discovery/lookups.ts'
import { type Log, silentLog } from '../../agent/network/index.ts'
import { keyOf, NOW, peerOf, TestMarketplace } from '../membership/builders.ts'
import { aCapability } from './harness.ts'

describe('keys in the DHT', () => {
  it('differ by kind, name, shard and marketplace, and show no name', () => {
    const [one, two] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    const cids = [
      discoveryCid(one, 'dataset', 'wageGap'),
      discoveryCid(two, 'dataset', 'wageGap'),
      discoveryCid(one, 'role', 'wageGap', 0),
      discoveryCid(one, 'role', 'wageGap', 1),
      discoveryCid(one, 'dataset', 'wageGap2')
    ].map(String)
    expect(new Set(cids).size).to.equal(cids.length)
    expect(cids[0]).to.equal(discoveryCid(one, 'dataset', 'wageGap').toString())
  })
})

describe('the catalogue of capabilities', () => {
  async function vu(log: Log = silentLog) {
    const market = await TestMarketplace.found(NOW)
    const key = await keyOf('VU')
    const members = await market.members(await market.admit('VU', key), key)
    const clock = { now: NOW }
    const catalogue = new Catalogue(() => clock.now, log)
    const capability = async (fields: Parameters<typeof aCapability>[1] = {}, by = key) =>
      await aCapability(by, {
        marketplace: members.marketplace,
        issuer: peerOf(key),
        issuedAt: NOW,
        expires: NOW + 10_000,
        ...fields
      })
    const peer = peerOf(key)
    const accept = async (fields: Parameters<typeof aCapability>[1] = {}, by = key) =>
      catalogue.accept(peer, members.own, await capability(fields, by), [])
    return { catalogue, accept, clock, peer }
  }

  async function refusal(promise: Promise<unknown>): Promise<string> {
    const error = await promise.then(
      () => undefined,
      (thrown: unknown) => thrown
    )
    expect(error).to.be.instanceOf(CapabilityRefused)
    return error instanceof CapabilityRefused ? error.code : ''
  }

  it('keeps the newest and refuses an older one', async () => {
    const { catalogue, accept, peer } = await vu()
    await accept({ sequence: 5 })
    expect(await refusal(accept({ sequence: 4 }))).to.equal('malformed-document')
    await accept({ sequence: 6 })
    expect(catalogue.get(peer)?.capability.payload.sequence).to.equal(6)
  })

  it('refuses what another signed, what is for another organisation, what has expired or comes from the future', async () => {
    const { accept } = await vu()
    expect(await refusal(accept({}, await keyOf('UVA')))).to.equal('bad-signature')
    expect(await refusal(accept({ organisation: 'UVA' }))).to.equal('not-member')
    expect(await refusal(accept({ marketplace: '' }))).to.equal('not-member')
    expect(await refusal(accept({ expires: NOW }))).to.equal('document-expired')
    expect(await refusal(accept({ issuedAt: NOW + 120_001 }))).to.equal('clock-skew')
  })

  it('refuses another capability for one sequence number, and says so', async () => {
    const warnings: object[] = []
    const { accept } = await vu({ ...silentLog, warn: (fields) => warnings.push(fields) })
    await accept({ sequence: 1, load: 0 })
    await accept({ sequence: 1, load: 0 })
    expect(warnings).to.have.length(0)
    expect(await refusal(accept({ sequence: 1, load: 1 }))).to.equal('malformed-document')
    expect(warnings).to.have.length(1)
  })

  it('knows when something newer was announced, and when it is time to ask again', async () => {
    const { catalogue, accept, clock, peer } = await vu()
    expect(catalogue.isCurrent(peer)).to.equal(false)
    await accept({ sequence: 2, keepFor: 1_000 })
    expect(catalogue.isCurrent(peer)).to.equal(true)
    clock.now = NOW + 1_001
    expect(catalogue.isCurrent(peer)).to.equal(false)
    clock.now = NOW
    expect(catalogue.announced(peer, 2)).to.equal(false)
    expect(catalogue.announced(peer, 3)).to.equal(true)
    clock.now = NOW + 10_000
    expect(catalogue.get(peer)).to.equal(undefined)
  })
})

describe('remembered lookups', () => {
  function aLookup(found: () => string[], complete = true) {
    const clock = { now: 0 }
    const there = new Set(['a', 'b'])
    const lookups = new Lookups<string>(
      () => clock.now,
      (one) => there.has(one)
    )
    let searches = 0
    const find = async () =>
      await lookups.find('key', async () => {
        searches++
        return { found: found(), complete }
      })
    return { clock, there, lookups, find, searches: () => searches }
  }

  it('are used at once for 10 s, then while a fresh one is fetched, then no more', async () => {
    const { clock, find, searches } = aLookup(() => ['a', 'b'])
    await find()
    clock.now = 10_000
    await find()
    expect(searches()).to.equal(1)
    clock.now = 10_001
    expect(await find()).to.deep.equal(['a', 'b'])
    expect(searches()).to.equal(2)
    clock.now = 80_000
    await find()
    expect(searches()).to.equal(3)
  })

  it('are not used once a provider is gone, or something changed', async () => {
    const { there, lookups, find, searches } = aLookup(() => ['a', 'b'])
    await find()
    there.delete('b')
    await find()
    expect(searches()).to.equal(2)
    there.add('b')
    await find()
    expect(searches()).to.equal(2)
    lookups.clear()
    await find()
    expect(searches()).to.equal(3)
  })

  it('of nothing are remembered for 2 s', async () => {
    const { clock, find, searches } = aLookup(() => [])
    await find()
    clock.now = 2_000
    await find()
    expect(searches()).to.equal(1)
    clock.now = 2_001
    await find()
    expect(searches()).to.equal(2)
  })

  it('that were cut short are not remembered', async () => {
    const { find, searches } = aLookup(() => ['a'], false)
    await find()
    expect(await find()).to.deep.equal(['a'])
    expect(searches()).to.equal(2)
  })

  it('that run at the same time are one search', async () => {
    const { find, searches } = aLookup(() => ['a'])
    await Promise.all([find(), find(), find()])
    expect(searches()).to.equal(1)
  })

  it('begun before a change are not remembered', async () => {
    const { lookups, find, searches } = aLookup(() => ['a'])
    const before = find()
    lookups.clear()
    await before
    await find()
    expect(searches()).to.equal(2)
  })
})
