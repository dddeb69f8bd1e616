import { openDocument, type Signed } from '../../protocol/documents/index.ts'
import { codeOf } from '../../protocol/errors/index.ts'
import {
  DESCRIBE_PROTOCOL,
  described,
  type LookupKind,
  MAX_PROVIDERS_PAGE,
  nothing,
  PROVIDERS_PROTOCOL,
  providersQuestion
} from '../../protocol/streams/index.ts'
import { assertMember, type Members } from '../membership/index.ts'
import type { Clock, Log, Network } from '../network/index.ts'
import { Announcer } from './announcer.ts'
import { Catalogue, type Known, MEMBER_ROLE, offers } from './catalogue.ts'
import { type Dht, dhtOf } from './dht.ts'
import { announcedCid } from './keys.ts'
import { Lookups } from './lookups.ts'
import { Search } from './search.ts'

const DESCRIBE_MS = 2_000
const MAX_ADDRESSES = 16

export interface DiscoveryComponents {
  network: Network
  members: Members
  clock: Clock
  log: Log
  /**
   * This agent's capability as one organisation may see it; without an argument, as every member may. Another content needs
   * another sequence number.
   */
  capability: (audience?: string) => Promise<Signed<'capability'>>
  /** The last word on what may be told: whether an organisation, or any member without one, may know of a dataset. */
  visibleTo: (dataset: string, organisation?: string) => boolean
  /** @default the network's own */
  dht?: Dht
}

export interface PeerDescription {
  readonly peer: string
  readonly organisation: string
  readonly roles: readonly string[]
  readonly addresses: readonly string[]
  readonly connected: boolean
}

/** Who offers what: announces this agent, finds others, and believes of others only what they say of themselves. */
export class Discovery {
  readonly #components: DiscoveryComponents
  readonly #catalogue: Catalogue
  readonly #lookups: Lookups<Known>
  readonly #search: Search
  readonly #announcer: Announcer
  readonly #describing = new Map<string, Promise<Known>>()

  constructor(components: DiscoveryComponents) {
    const { network, members, clock, log } = components
    const dht = components.dht ?? dhtOf(() => network.node)
    const now = (): number => clock.now()
    this.#components = components
    this.#catalogue = new Catalogue(now, log, (peer, proof) =>
      network.emit('refused', { peer, protocol: DESCRIBE_PROTOCOL, code: 'malformed-document', proof })
    )
    this.#lookups = new Lookups(now, ({ peer }) => network.connected(peer))
    this.#search = new Search({
      network,
      catalogue: this.#catalogue,
      dht,
      log,
      clock,
      discoveryKey: members.discoveryKey,
      describe: async (peer, options) => await this.#known(peer, options)
    })
    this.#announcer = new Announcer({
      dht,
      clock,
      log,
      cids: async () => await this.#cids(),
      peers: () => network.readyPeers().length
    })
    this.#serve()
  }

  /** After the network started. */
  async start(): Promise<void> {
    const { network, members } = this.#components
    network.on('peer:ready', this.#onReady)
    network.on('peer:changed', this.#onChanged)
    members.on('dropped', this.#onDropped)
    network.capabilityChanged((await this.#own()).payload.sequence)
    this.#announcer.start()
  }

  /** Before the network stops. */
  async stop(): Promise<void> {
    const { network, members } = this.#components
    network.off('peer:ready', this.#onReady)
    network.off('peer:changed', this.#onChanged)
    members.off('dropped', this.#onDropped)
    await this.#announcer.stop()
  }

  /**
   * This agent's capability changed: connected peers are told at once, the DHT is brought up to date.
   *
   * @returns at how many agents the least known key is stored
   */
  async announce(): Promise<number> {
    this.#lookups.clear()
    this.#components.network.capabilityChanged((await this.#own()).payload.sequence)
    return await this.#announcer.announce()
  }

  /** Every agent that provides a dataset, this one included; within 3 s also when there is none. */
  async findDataset(id: string, options: { signal?: AbortSignal } = {}): Promise<readonly Known[]> {
    return await this.#find('dataset', id, options)
  }

  /** Every agent that runs computations for others, this one included. */
  async findComputeProviders(options: { signal?: AbortSignal } = {}): Promise<readonly Known[]> {
    return await this.#find('role', 'computeProvider', options)
  }

  /** Every agent that can be found, this one included: fills {@link capabilities} and {@link peers}. */
  async findMembers(options: { signal?: AbortSignal } = {}): Promise<readonly Known[]> {
    return await this.#find('role', MEMBER_ROLE, options)
  }

  /**
   * A peer's own capability: what is known when nothing newer was announced, else asked.
   *
   * @throws {CapabilityRefused}, {PeerUnreachable}, {PeerSilent}, {NotMember}
   */
  async describe(peer: string, options: { signal?: AbortSignal } = {}): Promise<Signed<'capability'>> {
    return (await this.#known(peer, options)).capability
  }

  /** Capabilities collected so far, that still hold, of agents that are connected now; this agent's own first. */
  async capabilities(): Promise<readonly Known[]> {
    const { network } = this.#components
    return [await this.#forOwn(), ...this.#catalogue.all().filter(({ peer }) => network.connected(peer))]
  }

  /** Who is there, as far as known; {@link findMembers} looks further. */
  async peers(): Promise<PeerDescription[]> {
    const { network, members } = this.#components
    const known = new Set([...network.readyPeers(), ...members.all().flatMap(({ agents }) => agents)])
    known.delete(network.peerId)
    return await Promise.all(
      [...known].sort().map(async (peer) => ({
        peer,
        organisation: members.organisationOf(peer) ?? '',
        roles: this.#catalogue.get(peer)?.capability.payload.roles ?? members.memberOf(peer)?.roles ?? [],
        addresses: await network.addressesOf(peer),
        connected: network.connected(peer)
      }))
    )
  }

  async #find(
    kind: LookupKind,
    name: string,
    { signal }: { signal?: AbortSignal }
  ): Promise<readonly Known[]> {
    signal?.throwIfAborted()
    const others = await this.#lookups.find(
      `${kind}\0${name}`,
      async () => await this.#search.run(kind, name)
    )
    signal?.throwIfAborted()
    const self = await this.#forOwn()
    return offers(self.capability, kind, name) ? [self, ...others] : others
  }

  async #known(peer: string, options: { signal?: AbortSignal }): Promise<Known> {
    const known = this.#catalogue.get(peer)
    if (known !== undefined && this.#catalogue.isCurrent(peer) && this.#components.network.connected(peer)) {
      return known
    }
    if (peer === this.#components.network.peerId) return await this.#forOwn()
    const running = this.#describing.get(peer)
    if (running !== undefined) {
      // Begun before the newest announcement, it may bring what was true before.
      const described = await running
      if (this.#catalogue.isCurrent(peer)) return described
    }
    const asking = this.#ask(peer, options)
    this.#describing.set(peer, asking)
    try {
      return await asking
    } finally {
      if (this.#describing.get(peer) === asking) this.#describing.delete(peer)
    }
  }

  async #ask(peer: string, { signal }: { signal?: AbortSignal }): Promise<Known> {
    const { network, members } = this.#components
    const answer = await network.ask(peer, DESCRIBE_PROTOCOL, {}, described, {
      timeoutMs: DESCRIBE_MS,
      ...(signal !== undefined && { signal })
    })
    const capability = await openDocument('capability', answer.capability)
    return this.#catalogue.accept(peer, assertMember(members, peer), capability, answer.confidential)
  }

  async #own(): Promise<Signed<'capability'>> {
    return await this.#guarded(undefined)
  }

  /** This agent, as its own organisation may see it. */
  async #forOwn(): Promise<Known> {
    const { members, capability } = this.#components
    return this.#self(await capability(members.own.organisation))
  }

  #self(capability: Signed<'capability'>): Known {
    const { network, members, clock } = this.#components
    return {
      peer: network.peerId,
      organisation: members.own.organisation,
      capability,
      confidential: new Set(),
      askedAt: clock.now()
    }
  }

  /** What may leave for an audience: a dataset it may not know of is a bug that must not become a leak. */
  async #guarded(audience: string | undefined): Promise<Signed<'capability'>> {
    const { capability, visibleTo } = this.#components
    const leaks = ({ payload }: Signed<'capability'>) =>
      payload.datasets.some(({ id }) => !visibleTo(id, audience))
    const document = await capability(audience)
    if (!leaks(document)) return document
    // What may be told can change while it is signed.
    const again = await capability(audience)
    if (leaks(again)) throw new Error(`a capability for ${audience ?? 'everybody'} names a hidden dataset`)
    return again
  }

  async #cids() {
    const { network, members } = this.#components
    const { payload } = await this.#own()
    const cid = (kind: LookupKind, name: string) =>
      announcedCid(members.discoveryKey, kind, name, network.peerId)
    return [
      cid('role', MEMBER_ROLE),
      ...payload.roles.map((role) => cid('role', role)),
      ...payload.datasets.map(({ id }) => cid('dataset', id))
    ]
  }

  #serve(): void {
    const { network } = this.#components
    network.handle(DESCRIBE_PROTOCOL, nothing, async (_question, { member }) => {
      const [theirs, everybodys] = await Promise.all([this.#guarded(member.organisation), this.#own()])
      const open = new Set(everybodys.payload.datasets.map(({ id }) => id))
      return {
        capability: theirs.bytes,
        confidential: theirs.payload.datasets.map(({ id }) => id).filter((id) => !open.has(id))
      }
    })
    network.handle(PROVIDERS_PROTOCOL, providersQuestion, async ({ kind, name, after }) => {
      const self = this.#self(await this.#own())
      const providers = [self, ...this.#catalogue.all()]
        .filter(({ peer }) => network.connected(peer) && (after === undefined || peer > after))
        .filter(({ capability, confidential }) => offers(capability, kind, name) && !confidential.has(name))
        .sort((a, b) => (a.peer < b.peer ? -1 : 1))
      const page = providers.slice(0, MAX_PROVIDERS_PAGE)
      return {
        providers: await Promise.all(
          page.map(async ({ peer, organisation }) => ({
            peer,
            organisation,
            addresses: (await network.addressesOf(peer)).slice(0, MAX_ADDRESSES)
          }))
        ),
        more: providers.length > page.length
      }
    })
  }

  readonly #onReady = ({ peer, capability }: { peer: string; capability: number }): void => {
    this.#search.reachable(peer)
    this.#announcer.peerCame()
    this.#onChanged({ peer, capability })
    this.#lookups.clear()
  }

  readonly #onChanged = ({ peer, capability }: { peer: string; capability: number }): void => {
    if (!this.#catalogue.announced(peer, capability)) return
    this.#lookups.clear()
    this.#known(peer, {}).catch((thrown: unknown) => {
      this.#components.log.debug({ peer, code: codeOf(thrown) }, 'not described')
    })
  }

  readonly #onDropped = ({ peers }: { peers: readonly string[] }): void => {
    for (const peer of peers) this.#catalogue.forget(peer)
    this.#lookups.clear()
  }
}
