import type { Datastore, Key } from 'interface-datastore'
import { RateLimited } from './errors.ts'
import { overriding } from './overriding.ts'

/** As libp2p's DHT names what it stores: `/dht/provider/KEY/PEER`. */
const RECORDS = '/dht/provider'
/** A peer that has 256 datasets and all roles announces a quarter of this; records end within the hour. */
export const MAX_RECORDS_PER_PEER = 1024

/** @returns who announced it, when it is such a record */
function announcer(key: Key): string | undefined {
  const [dht, kind, , peer] = key.list()
  return `/${dht}/${kind}` === RECORDS ? peer : undefined
}

/**
 * What the DHT stores on disk, with a bound for what each other peer may have stored here: the library has none, and keys cost
 * nothing.
 *
 * @param self whose own announcements are as many as it makes
 */
export function boundedRecords(datastore: Datastore, self: string): Datastore {
  let counted: Promise<Map<string, Set<string>>> | undefined
  const count = async (): Promise<Map<string, Set<string>>> => {
    const keys = new Map<string, Set<string>>()
    for await (const key of datastore.queryKeys({ prefix: RECORDS })) {
      const peer = announcer(key)
      if (peer !== undefined) keys.set(peer, (keys.get(peer) ?? new Set()).add(key.toString()))
    }
    return keys
  }
  const keysOf = async (peer: string): Promise<Set<string>> => {
    // A disk that could not be read once may be read the next time.
    counted ??= count().catch((error: unknown) => {
      counted = undefined
      throw error
    })
    const byPeer = await counted
    const keys = byPeer.get(peer) ?? new Set()
    byPeer.set(peer, keys)
    return keys
  }
  return overriding(datastore, {
    put: async (key, value, options) => {
      const peer = announcer(key)
      if (peer === undefined || peer === self) return await datastore.put(key, value, options)
      const keys = await keysOf(peer)
      if (!keys.has(key.toString()) && keys.size >= MAX_RECORDS_PER_PEER)
        throw new RateLimited(`expected at most ${MAX_RECORDS_PER_PEER} announcements of a peer, found more`)
      keys.add(key.toString())
      return await datastore.put(key, value, options)
    },
    delete: async (key, options) => {
      await datastore.delete(key, options)
      const peer = announcer(key)
      if (peer !== undefined && counted !== undefined) (await keysOf(peer)).delete(key.toString())
    }
  })
}
