import { setMaxListeners } from 'node:events'
import { codeOf } from '../../protocol/errors/index.ts'
import { type LookupKind, PROVIDERS_PROTOCOL, providersPage } from '../../protocol/streams/index.ts'
import { type Clock, DHT_BUCKET, type Log, type Network, withDeadline } from '../network/index.ts'
import { type Catalogue, type Known, offers } from './catalogue.ts'
import type { Dht, FoundProvider } from './dht.ts'
import { searchedCids } from './keys.ts'
import type { Found } from './lookups.ts'

/** An absent dataset is answered within 3 s, everything included. */
const SEARCH_MS = 2_500
/** How often it is asked whether something was found: then the rest is not waited for. */
const SETTLED_MS = 1_000
const VERIFY_MS = 2_000
const UNREACHABLE_MS = 10_000
/** Others may name any number that do not exist. */
const MAX_UNREACHABLE = 4096
const MAX_PAGES = 16
/** So many connected peers are asked whom they know, beside the DHT, which needs a moment after the start. */
const ASKED_PEERS = 4

type Ready = (event: { peer: string }) => void

/** What a search needs of the network. */
export interface SearchNetwork
  extends Pick<Network, 'peerId' | 'bootstrapping' | 'readyPeers' | 'connected' | 'dial' | 'ask'> {
  on(event: 'peer:ready', listener: Ready): unknown
  off(event: 'peer:ready', listener: Ready): unknown
}

interface SearchComponents {
  network: SearchNetwork
  catalogue: Catalogue
  dht: Dht
  log: Log
  clock: Clock
  discoveryKey: Uint8Array
  describe: (peer: string, options: { signal: AbortSignal }) => Promise<Known>
}

/** Looks for providers everywhere at once: among those connected, in the DHT, and at those found; believes only what it verified. */
export class Search {
  readonly #components: SearchComponents
  readonly #unreachable = new Map<string, number>()

  constructor(components: SearchComponents) {
    this.#components = components
  }

  /** It is there again. */
  reachable(peer: string): void {
    this.#unreachable.delete(peer)
  }

  /** Providers that are connected and describe themselves as such, in order of their ids; the agent itself left out. */
  async run(kind: LookupKind, name: string): Promise<Found<Known>> {
    const { network, log, clock } = this.#components
    const found = new Map<string, Known>()
    const controller = new AbortController()
    const { signal } = controller
    setMaxListeners(0, signal)
    const verify = this.#verifier(kind, name, found, signal)
    const started = clock.now()
    const late = (): Error => new DOMException('searched long enough', 'TimeoutError')
    let cancel = (): void => {}
    const settle = (): void => {
      if (found.size > 0) controller.abort(late())
      else cancel = clock.after(SETTLED_MS, settle)
    }
    cancel = clock.after(SETTLED_MS, settle)
    const arriving: Promise<void>[] = []
    const onReady = ({ peer }: { peer: string }): void => {
      arriving.push(verify({ peer, addresses: [] }, signal), this.#askPeer(peer, kind, name, verify, signal))
    }
    network.on('peer:ready', onReady)
    let complete = false
    try {
      await withDeadline({ milliseconds: SEARCH_MS, signal, late }, async (ending) => {
        const local = this.#local(kind, name).map(
          async (peer) => await verify({ peer, addresses: [] }, ending)
        )
        const asked = network
          .readyPeers()
          .slice(0, ASKED_PEERS)
          .map(async (peer) => await this.#askPeer(peer, kind, name, verify, ending))
        await Promise.all([...local, ...asked, this.#inDht(kind, name, verify, ending)])
        await Promise.all(arriving)
        if (found.size >= DHT_BUCKET) await this.#page(kind, name, found, verify, ending)
      })
      complete = true
    } catch (thrown) {
      const fields = { kind, found: found.size, milliseconds: clock.now() - started, code: codeOf(thrown) }
      log.debug(fields, 'search cut short')
    } finally {
      network.off('peer:ready', onReady)
      cancel()
      controller.abort(late())
    }
    const there = [...found.values()].filter(({ peer }) => network.connected(peer))
    return { found: there.sort((a, b) => (a.peer < b.peer ? -1 : 1)), complete }
  }

  /** Whom to ask without the DHT: connected peers whose description may be out of date, and all that are known to offer it. */
  #local(kind: LookupKind, name: string): string[] {
    const { network, catalogue } = this.#components
    const ready = network.readyPeers()
    const outdated = ready.filter((peer) => !catalogue.isCurrent(peer))
    const known = catalogue.all().filter(({ capability }) => offers(capability, kind, name))
    return [...new Set([...outdated, ...known.map(({ peer }) => peer)])]
  }

  async #inDht(kind: LookupKind, name: string, verify: Verify, signal: AbortSignal): Promise<void> {
    const { network, dht, discoveryKey } = this.#components
    if (network.readyPeers().length === 0 && !network.bootstrapping) return
    const verifying: Promise<void>[] = []
    await Promise.all(
      searchedCids(discoveryKey, kind, name).map(async (cid) => {
        for await (const one of dht.providers(cid, signal)) verifying.push(verify(one, signal))
      })
    )
    await Promise.all(verifying)
  }

  /** A lookup in the DHT yields at most k: those found know others. */
  async #page(
    kind: LookupKind,
    name: string,
    found: ReadonlyMap<string, Known>,
    verify: Verify,
    signal: AbortSignal
  ): Promise<void> {
    const asked = new Set<string>()
    for (let before = -1; before < found.size; ) {
      before = found.size
      const fresh = [...found.keys()].filter((peer) => !asked.has(peer))
      for (const peer of fresh) asked.add(peer)
      await Promise.all(fresh.map(async (peer) => await this.#askPeer(peer, kind, name, verify, signal)))
    }
  }

  async #askPeer(
    peer: string,
    kind: LookupKind,
    name: string,
    verify: Verify,
    signal: AbortSignal
  ): Promise<void> {
    const verifying: Promise<void>[] = []
    for await (const one of this.#knownAt(peer, kind, name, signal)) verifying.push(verify(one, signal))
    await Promise.all(verifying)
  }

  async *#knownAt(
    peer: string,
    kind: LookupKind,
    name: string,
    signal: AbortSignal
  ): AsyncGenerator<FoundProvider> {
    let after: string | undefined
    for (let page = 0; page < MAX_PAGES; page++) {
      const question = { kind, name, ...(after !== undefined && { after }) }
      const answer = await this.#components.network
        .ask(peer, PROVIDERS_PROTOCOL, question, providersPage, { signal, timeoutMs: VERIFY_MS })
        .catch(() => undefined)
      if (answer === undefined) return
      yield* answer.providers
      const last = answer.providers.at(-1)?.peer
      if (!answer.more || last === undefined || (after !== undefined && last <= after)) return
      after = last
    }
  }

  #avoid(peer: string, until: number): void {
    this.#unreachable.delete(peer)
    this.#unreachable.set(peer, until)
    const oldest = this.#unreachable.keys().next()
    if (this.#unreachable.size > MAX_UNREACHABLE && oldest.done !== true)
      this.#unreachable.delete(oldest.value)
  }

  #verifier(kind: LookupKind, name: string, found: Map<string, Known>, ended: AbortSignal): Verify {
    const { network, catalogue, describe, clock, log } = this.#components
    const begun = new Set<string>([network.peerId])
    return async ({ peer, addresses }, signal) => {
      if (begun.has(peer) || (this.#unreachable.get(peer) ?? 0) > clock.now()) return
      begun.add(peer)
      try {
        await network.dial(peer, addresses, { signal, timeoutMs: VERIFY_MS })
        const known = await describe(peer, { signal })
        if (!ended.aborted && offers(known.capability, kind, name)) found.set(peer, known)
      } catch (thrown) {
        if (signal.aborted) return
        log.debug({ peer, code: codeOf(thrown) }, 'not offered: not verified')
        if (!network.connected(peer)) {
          this.#avoid(peer, clock.now() + UNREACHABLE_MS)
          catalogue.forget(peer)
        }
      }
    }
  }
}

type Verify = (one: FoundProvider, signal: AbortSignal) => Promise<void>
