import { setMaxListeners } from 'node:events'
import type { CID } from 'multiformats/cid'
import { codeOf, DynamosError } from '../../protocol/errors/index.ts'
import { type Clock, type Log, withDeadline } from '../network/index.ts'
import type { Dht } from './dht.ts'

const PROVIDE_MS = 10_000
/** libp2p drops provider records after 60 minutes. */
const AGAIN_MS = 20 * 60_000
/** The DHT needs a moment with its first peer. */
const FIRST_MS = 250
/** New peers come in bursts, and each key costs several messages. */
const SETTLE_MS = 2_000
/** Until so many peers hold a record, each new peer is reason to announce again. */
const ENOUGH_PEERS = 8

interface AnnouncerComponents {
  dht: Dht
  clock: Clock
  log: Log
  /** What is to be announced now. */
  cids: () => Promise<readonly CID[]>
  peers: () => number
}

/** Keeps what this agent offers in the DHT: at the first peers, at each change, and again before records end. */
export class Announcer {
  readonly #components: AnnouncerComponents
  readonly #announced = new Map<string, CID>()
  #cancel = (): void => {}
  #ended = new AbortController()
  #stored = 0
  #running = false
  #work: Promise<number> = Promise.resolve(0)

  constructor(components: AnnouncerComponents) {
    this.#components = components
  }

  start(): void {
    this.#running = true
    this.#ended = new AbortController()
    setMaxListeners(0, this.#ended.signal)
    this.#later(FIRST_MS)
  }

  async stop(): Promise<void> {
    this.#running = false
    this.#cancel()
    this.#ended.abort(new DynamosError('shutting-down', 'the agent is shutting down'))
    await this.#work
  }

  /** A peer came: the record should be there too, as long as few hold it. */
  peerCame(): void {
    if (this.#stored === 0) this.#later(FIRST_MS)
    else if (this.#components.peers() <= ENOUGH_PEERS) this.#later(SETTLE_MS)
  }

  /** @returns at how many agents the least known key is stored; 0 without peers */
  async announce(): Promise<number> {
    const work = this.#work.then(async () => await this.#announceAll())
    this.#work = work.catch(() => 0)
    return await work
  }

  #later(milliseconds: number): void {
    if (!this.#running) return
    this.#cancel()
    this.#cancel = this.#components.clock.after(milliseconds, () => {
      this.announce().catch((thrown: unknown) => {
        this.#components.log.error({ code: codeOf(thrown) }, 'not announced')
      })
    })
  }

  async #announceAll(): Promise<number> {
    const { dht, cids, log, peers } = this.#components
    const wanted = await cids()
    for (const [key, cid] of this.#announced) {
      if (wanted.some((one) => one.toString() === key)) continue
      this.#announced.delete(key)
      await dht.withdraw(cid)
    }
    if (peers() === 0 || !this.#running) return 0
    const counts = await Promise.all(wanted.map(async (cid) => await this.#provide(cid)))
    this.#stored = counts.length === 0 ? 0 : Math.min(...counts)
    log.debug({ keys: wanted.length, stored: this.#stored }, 'announced')
    this.#later(AGAIN_MS)
    return this.#stored
  }

  async #provide(cid: CID): Promise<number> {
    this.#announced.set(cid.toString(), cid)
    const late = (): Error => new DOMException('not announced in time', 'TimeoutError')
    try {
      return await withDeadline(
        { milliseconds: PROVIDE_MS, late, signal: this.#ended.signal },
        async (signal) => await this.#components.dht.provide(cid, signal)
      )
    } catch (thrown) {
      this.#components.log.debug({ code: codeOf(thrown) }, 'key not announced')
      return 0
    }
  }
}
