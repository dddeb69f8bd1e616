import type { CID } from 'multiformats/cid'
import type { Node } from '../network/index.ts'

export interface FoundProvider {
  readonly peer: string
  readonly addresses: readonly string[]
}

/** The DHT as discovery needs it; a fake serves tests. */
export interface Dht {
  /** @returns how many agents stored the record; libp2p's own call is happy with none */
  provide(cid: CID, signal: AbortSignal): Promise<number>
  /** Takes back what was announced; others drop their records within the hour. */
  withdraw(cid: CID): Promise<void>
  /** Everybody who announced the key, as far as it is found before the signal aborts. */
  providers(cid: CID, signal: AbortSignal): AsyncIterable<FoundProvider>
}

/** Whoever answers may name thousands; an honest answer of more is found by asking those it names. */
const MAX_NAMED = 64

export function dhtOf(node: () => Node): Dht {
  return {
    async provide(cid, signal) {
      let stored = 0
      for await (const event of node().services.dht.provide(cid, { signal })) {
        if (event.name === 'PEER_RESPONSE' && event.messageName === 'ADD_PROVIDER') stored++
      }
      return stored
    },
    async withdraw(cid) {
      await node().services.dht.cancelReprovide(cid)
    },
    async *providers(cid, signal) {
      const seen = new Set<string>()
      for await (const event of node().services.dht.findProviders(cid, { signal })) {
        if (event.name !== 'PROVIDER') continue
        for (const { id, multiaddrs } of event.providers.slice(0, MAX_NAMED)) {
          const peer = id.toString()
          if (seen.has(peer)) continue
          seen.add(peer)
          yield { peer, addresses: multiaddrs.map(String) }
        }
      }
    }
  }
}
