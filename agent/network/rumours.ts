import type { AbortOptions, PeerId, PeerInfo, PeerStore } from '@libp2p/interface'
import { toError } from '../../protocol/errors/index.ts'
import type { Log } from './clock.ts'
import { RateLimiter } from './rate.ts'

/** So many agents, of whom nothing is known but what others say, are kept at once. */
export const MAX_RUMOURS = 1024
const MAX_ADDRESSES = 16
/** Each is tried: dials are to go where somebody is. */
const NEW_ONES = { perSecond: 8, burst: 256 }
/**
 * The most that an honest answer names: as many providers as closer peers. An answer is taken in one go, before anything else
 * runs.
 */
const NEW_OF_ANSWER = 2 * 8

interface RumourComponents {
  log: Log
  /** Whether its membership was seen. */
  isMember: (peer: string) => boolean
}

/**
 * Peers that others speak of in the DHT. Whoever answers a lookup may name thousands that do not exist: libp2p keeps them all,
 * on disk and for ever, and tries each. Here few are kept until they show a membership, and what a known peer's addresses are is
 * that peer's own word.
 */
export class Rumours {
  readonly #components: RumourComponents
  readonly #rate = new RateLimiter(NEW_ONES)
  /** The newest last. */
  readonly #heard = new Map<string, PeerId>()
  #newOfAnswer = 0

  constructor(components: RumourComponents) {
    this.#components = components
  }

  /** What is believed of what was said: without addresses a peer is neither tried nor passed on. */
  readonly believed = (said: PeerInfo): PeerInfo => {
    const multiaddrs = this.#admits(said) ? said.multiaddrs.slice(0, MAX_ADDRESSES) : []
    return { ...said, multiaddrs }
  }

  /** Remembers where a peer that was named in the DHT may be found, if that is not known. */
  heard(peerStore: PeerStore, said: PeerInfo): void {
    const { id, multiaddrs } = this.believed(said)
    if (multiaddrs.length === 0) return
    const remember = async (): Promise<void> => {
      const known = (await peerStore.has(id)) && (await peerStore.get(id)).addresses.length > 0
      if (!known) await this.keep(peerStore, { id, multiaddrs })
    }
    remember().catch((thrown: unknown) =>
      this.#components.log.debug(
        { peer: id.toString(), error: toError(thrown).name },
        'what was said of a peer is not kept'
      )
    )
  }

  /** Keeps where a peer may be; forgets the oldest of whom nothing came. */
  async keep(peerStore: PeerStore, { id, multiaddrs }: PeerInfo, options?: AbortOptions): Promise<void> {
    const { isMember } = this.#components
    if (!isMember(id.toString())) this.#heard.set(id.toString(), id)
    await peerStore.merge(id, { multiaddrs: multiaddrs.slice(0, MAX_ADDRESSES) }, options)
    for (const [peer, oldest] of this.#heard) {
      if (!isMember(peer) && this.#heard.size <= MAX_RUMOURS) return
      this.#heard.delete(peer)
      if (!isMember(peer)) await peerStore.delete(oldest)
    }
  }

  #admits({ id, multiaddrs }: PeerInfo): boolean {
    const peer = id.toString()
    if (this.#components.isMember(peer) || this.#heard.has(peer)) return true
    if (multiaddrs.length === 0 || this.#newOfAnswer >= NEW_OF_ANSWER) return false
    if (!this.#rate.allows('', performance.now())) return false
    // One answer that names hundreds must not use up what is left for those of others.
    if (this.#newOfAnswer === 0) queueMicrotask(() => (this.#newOfAnswer = 0))
    this.#newOfAnswer++
    this.#heard.set(peer, id)
    return true
  }
}
