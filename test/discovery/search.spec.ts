import { EventEmitter } from 'node:events'
import { expect } from 'chai'
import type { z } from 'zod'
import { Catalogue, type Known } from '../../agent/discovery/catalogue.ts'
import type { Dht, FoundProvider } from '../../agent/discovery/dht.ts'
import { Search, type SearchNetwork } from '../../agent/discovery/search.ts'
import { PeerUnreachable, silentLog } from '../../agent/network/index.ts'
import { decodePlain, encodePlain } from '../../protocol/documents/index.ts'
import { keyOf, peerOf } from '../membership/builders.ts'
import { aCapability } from './harness.ts'

/** A network in which everybody answers at once, or is not there. */
class FakeNetwork extends EventEmitter<{ 'peer:ready': [{ peer: string }] }> implements SearchNetwork {
  readonly peerId = 'self'
  bootstrapping = false
  readonly ready = new Set<string>()
  readonly gone = new Set<string>()
  readonly dialled: string[] = []
  /** Whom a peer says it knows. */
  readonly knows = new Map<string, string[]>()

  readyPeers(): string[] {
    return [...this.ready]
  }

  connected(peer: string): boolean {
    return this.ready.has(peer)
  }

  async dial(peer: string): Promise<void> {
    if (this.connected(peer)) return
    this.dialled.push(peer)
    if (this.gone.has(peer)) throw new PeerUnreachable(`${peer} is gone`)
    this.ready.add(peer)
  }

  async ask<T>(peer: string, _protocol: string, message: unknown, schema: z.ZodType<T>): Promise<T> {
    const after =
      typeof message === 'object' && message !== null && 'after' in message ? String(message.after) : ''
    const known = (this.knows.get(peer) ?? []).filter((one) => one > after).sort()
    const page = known.slice(0, 3)
    const providers = page.map((one) => ({ peer: one, organisation: 'X', addresses: [] }))
    return decodePlain(encodePlain({ providers, more: known.length > page.length }), schema)
  }
}

class FakeDht implements Dht {
  readonly records: string[] = []
  /** A DHT that has no peers yet answers nothing and does not end. */
  hangs = false

  async provide(): Promise<number> {
    return 0
  }

  async withdraw(): Promise<void> {}

  async *providers(_cid: unknown, signal: AbortSignal): AsyncGenerator<FoundProvider> {
    for (const peer of this.records) yield { peer, addresses: [] }
    if (this.hangs) {
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    }
  }
}

/** Once everything that can happen has happened, time passes. */
async function settled(clock: { tick(): void }): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  clock.tick()
}

describe('a search', () => {
  const peers: string[] = []
  const capabilities = new Map<string, Awaited<ReturnType<typeof aCapability>>>()
  before(async () => {
    for (let n = 0; n < 20; n++) {
      const key = await keyOf(`peer ${n}`)
      peers.push(peerOf(key))
      capabilities.set(
        peerOf(key),
        await aCapability(key, { datasets: [{ id: n === 19 ? 'rare' : 'common', title: '', tables: [] }] })
      )
    }
  })

  function aSearch() {
    const network = new FakeNetwork()
    const dht = new FakeDht()
    const described: string[] = []
    const describe = async (peer: string): Promise<Known> => {
      described.push(peer)
      const capability = capabilities.get(peer)
      if (capability === undefined) throw new PeerUnreachable('nobody')
      return { peer, organisation: 'X', capability, confidential: new Set(), askedAt: 0 }
    }
    const timers = new Set<() => void>()
    const clock = {
      now: () => 0,
      after: (_milliseconds: number, action: () => void) => {
        timers.add(action)
        return () => {
          timers.delete(action)
        }
      },
      tick: () => {
        for (const action of timers) action()
      }
    }
    const search = new Search({
      network,
      dht,
      describe,
      catalogue: new Catalogue(() => Date.now(), silentLog),
      log: silentLog,
      clock,
      discoveryKey: new Uint8Array(32)
    })
    return { network, dht, search, described, clock }
  }

  async function foundBy(search: Search, name = 'common'): Promise<string[]> {
    return (await search.run('dataset', name)).found.map(({ peer }) => peer)
  }

  it('finds more providers than one lookup in the DHT can return, page by page', async () => {
    const { network, dht, search } = aSearch()
    network.ready.add(peers[0] ?? '')
    dht.records.push(...peers.slice(0, 8))
    network.knows.set(peers[5] ?? '', peers.slice(3, 15))
    network.knows.set(peers[14] ?? '', peers.slice(0, 19))
    expect(await foundBy(search)).to.have.members(peers.slice(0, 19))
  })

  it('offers nobody who does not say so itself', async () => {
    const { network, dht, search, described } = aSearch()
    network.ready.add(peers[0] ?? '')
    dht.records.push(...peers.slice(18, 20))
    expect(await foundBy(search, 'rare')).to.deep.equal([peers[19]])
    expect(described).to.include(peers[18])
  })

  it('offers nobody who cannot be reached, and does not try again at once', async () => {
    const { network, dht, search } = aSearch()
    const [first = '', second = ''] = peers
    network.ready.add(first)
    network.gone.add(second)
    dht.records.push(first, second)
    expect(await foundBy(search)).to.deep.equal([first])
    expect(await foundBy(search)).to.deep.equal([first])
    expect(network.dialled).to.deep.equal([second])
    search.reachable(second)
    network.gone.clear()
    expect(await foundBy(search)).to.have.members([first, second])
  })

  it('asks those connected whom they know while the DHT has no peers yet', async () => {
    const { network, dht, search, clock } = aSearch()
    const [first = '', second = ''] = peers
    dht.hangs = true
    network.ready.add(first)
    network.knows.set(first, [second])
    const searching = search.run('dataset', 'common')
    await settled(clock)
    const { found, complete } = await searching
    expect(found.map(({ peer }) => peer)).to.have.members([first, second])
    expect(complete).to.equal(false)
  })

  it('takes in who arrives while it runs', async () => {
    const { network, dht, search, clock } = aSearch()
    const [first = ''] = peers
    dht.hangs = true
    network.bootstrapping = true
    const searching = foundBy(search)
    network.ready.add(first)
    network.emit('peer:ready', { peer: first })
    await settled(clock)
    expect(await searching).to.deep.equal([first])
  })

  it('ends at once without peers and without hope of any', async () => {
    const { dht, search } = aSearch()
    dht.hangs = true
    expect(await search.run('dataset', 'common')).to.deep.equal({ found: [], complete: true })
  })
})
