import { codeOf } from '../../protocol/errors/index.ts'
import { type LookupKind, PROVIDERS_PROTOCOL, providersPage } from '../../protocol/streams/index.ts'
import { DHT_BUCKET, type Log, type Network, withDeadline } from '../network/index.ts'
import { type Catalogue, type Known, offers } from './catalogue.ts'
import type { Dht, FoundProvider } from './dht.ts'
import { searchedCids } from './keys.ts'

/** An absent dataset is answered within 3 s, everything included. */
const SEARCH_MS = 2_800
/** With something found, the rest is not waited for longer than this. */
const SETTLED_MS = 1_500
const VERIFY_MS = 2_000
const UNREACHABLE_MS = 10_000
const MAX_PAGES = 16

interface SearchComponents {
  network: Network
  catalogue: Catalogue
  dht: Dht
  log: Log
  now: () => number
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
  async run(kind: LookupKind, name: string): Promise<Known[]> {
    const found = new Map<string, Known>()
    const controller = new AbortController()
    const verify = this.#verifier(kind, name, found, controller.signal)
    const started = this.#components.now()
    const late = (): Error => new DOMException('searched long enough', 'TimeoutError')
    const settled = setTimeout(() => {
      if (found.size > 0) controller.abort(late())
    }, SETTLED_MS)
    try {
      await withDeadline({ milliseconds: SEARCH_MS, signal: controller.signal, late }, async (signal) => {
        const local = this.#local(kind, name).map(
          async (peer) => await verify({ peer, addresses: [] }, signal)
        )
        await Promise.all([...local, this.#inDht(kind, name, verify, signal)])
        if (found.size >= DHT_BUCKET) await this.#page(kind, name, found, verify, signal)
      })
    } catch (thrown) {
      const milliseconds = this.#components.now() - started
      this.#components.log.debug(
        { kind, found: found.size, milliseconds, code: codeOf(thrown) },
        'search cut short'
      )
    } finally {
      clearTimeout(settled)
      controller.abort(late())
    }
    return [...found.values()]
      .filter(({ peer }) => this.#components.network.connected(peer))
      .sort((a, b) => (a.peer < b.peer ? -1 : 1))
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
      await Promise.all(
        fresh.map(async (peer) => {
          for await (const one of this.#knownAt(peer, kind, name, signal)) await verify(one, signal)
        })
      )
    }
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

  #verifier(kind: LookupKind, name: string, found: Map<string, Known>, ended: AbortSignal): Verify {
    const { network, catalogue, describe, now, log } = this.#components
    const begun = new Set<string>([network.peerId])
    return async ({ peer, addresses }, signal) => {
      if (begun.has(peer) || (this.#unreachable.get(peer) ?? 0) > now()) return
      begun.add(peer)
      try {
        await network.dial(peer, addresses, { signal, timeoutMs: VERIFY_MS })
        const known = await describe(peer, { signal })
        if (!ended.aborted && offers(known.capability, kind, name)) found.set(peer, known)
      } catch (thrown) {
        if (signal.aborted) return
        log.debug({ peer, code: codeOf(thrown) }, 'not offered: not verified')
        if (!network.connected(peer)) {
          this.#unreachable.set(peer, now() + UNREACHABLE_MS)
          catalogue.forget(peer)
        }
      }
    }
  }
}

type Verify = (one: FoundProvider, signal: AbortSignal) => Promise<void>
