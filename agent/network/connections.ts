import type { Connection, PrivateKey, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { Datastore } from 'interface-datastore'
import { codeOf, DynamosError, toError } from '../../protocol/errors/index.ts'
import { HELLO_PROTOCOL, hello, PeerRefused, serveOnce } from '../../protocol/streams/index.ts'
import { type Members, NotMember } from '../membership/index.ts'
import { Bootstrap } from './bootstrap.ts'
import type { Clock, Log } from './clock.ts'
import { withDeadline } from './deadline.ts'
import { Encounters } from './encounters.ts'
import { CannotListen, PeerSilent, RateLimited } from './errors.ts'
import { Gate } from './gate.ts'
import { Introducer, type Introduction } from './introduce.ts'
import { Newcomers } from './newcomers.ts'
import { createNode, type Node } from './node.ts'
import { Rumours } from './rumours.ts'

const HELLO_MS = 5_000
const MAX_HELLO_BYTES = 1 << 17
const BOOTSTRAP_DIAL_MS = 10_000
const PROBE_MS = 1_000
/** How long a refused peer has to read why. */
const FAREWELL_MS = 1_000
const MAX_STREAMS = 128
/** Two agents that dial each other at once have two; more are of use to nobody. */
const MAX_OF_PEER = 4

export interface ConnectionsInit {
  key: PrivateKey
  listen: readonly string[]
  announce: readonly string[]
  bootstrap: readonly string[]
  datastore: Datastore
  self: string
}

export interface ConnectionsComponents {
  members: Members
  clock: Clock
  log: Log
  /** Sequence number of our own capability. */
  capability: () => number
  /** Hello succeeded; `first` when it is the peer's only connection. */
  introduced: (peer: string, introduction: Introduction, first: boolean) => void
  gone: (peer: string) => void
  /** It was not believed at hello, or spoke before it. */
  refused: (refused: { peer: string; protocol: string; code: string }) => void
}

/** libp2p's node with hello first on every connection; connections are reused, dialled again when they died. */
export class Connections {
  readonly gate: Gate
  readonly encounters = new Encounters()
  readonly #init: ConnectionsInit
  readonly #components: ConnectionsComponents
  readonly #introducer: Introducer
  readonly #bootstrap: Bootstrap
  readonly #rumours: Rumours
  readonly #newcomers: Newcomers
  #node: Node | undefined

  constructor(init: ConnectionsInit, components: ConnectionsComponents) {
    const { members, clock, log, capability } = components
    this.#init = init
    this.#components = components
    this.gate = new Gate(clock, log, components.refused)
    this.#rumours = new Rumours({ log, isMember: (peer) => members.memberOf(peer) !== undefined })
    this.#newcomers = new Newcomers(components.refused)
    this.#introducer = new Introducer({
      members,
      now: () => clock.now(),
      capability,
      encounters: this.encounters
    })
    this.#bootstrap = new Bootstrap(init.bootstrap, init.self, {
      clock,
      log,
      connected: (peer) => this.gate.readyConnection(peer) !== undefined,
      dial: async (address) => (await this.#dialAddress(address)).remotePeer
    })
  }

  get node(): Node {
    if (this.#node === undefined) throw new Error('the network was not started')
    return this.#node
  }

  get bootstrapping(): boolean {
    return this.#bootstrap.size > 0
  }

  /** @throws {CannotListen} */
  async start(register: (node: Node) => Promise<void>): Promise<void> {
    const { key, listen, announce, datastore, self } = this.#init
    const node = await createNode(
      {
        key,
        listen: [...listen],
        announce: [...announce],
        datastore,
        rumours: this.#rumours,
        newcomers: this.#newcomers,
        self
      },
      this.gate
    )
    this.#node = node
    node.addEventListener('connection:open', ({ detail }) => this.#opened(detail))
    node.addEventListener('connection:close', ({ detail }) => this.#closed(detail))
    await node.handle(HELLO_PROTOCOL, async (stream, connection) => await this.#answer(stream, connection), {
      maxInboundStreams: 1,
      maxOutboundStreams: 1
    })
    await register(node)
    try {
      await node.start()
    } catch (thrown) {
      await node.stop()
      throw new CannotListen(listen, { cause: toError(thrown) })
    }
    this.#bootstrap.start()
  }

  async stop(): Promise<void> {
    this.#bootstrap.stop()
    await this.#node?.stop()
  }

  /** Where a peer may be; a lie is found out when it is dialled. */
  async rememberAddresses(peer: string, addresses: readonly string[], signal: AbortSignal): Promise<void> {
    const multiaddrs = addresses.map((text) => multiaddr(text))
    await this.#rumours.keep(this.node.peerStore, { id: peerIdFromString(peer), multiaddrs }, { signal })
  }

  async addressesOf(peer: string): Promise<string[]> {
    try {
      const { addresses } = await this.node.peerStore.get(peerIdFromString(peer))
      return addresses.map(({ multiaddr }) => multiaddr.toString())
    } catch {
      return []
    }
  }

  /** A connection on which hello succeeded: the one there is, or a new one. */
  async to(peer: string, signal: AbortSignal): Promise<Connection> {
    const ready = this.gate.readyConnection(peer)
    if (ready !== undefined) return ready
    const connection = await this.node.dial(peerIdFromString(peer), { signal })
    await this.gate.passed(connection, { signal })
    return connection
  }

  async newStream(peer: string, protocol: string, signal: AbortSignal): Promise<Stream> {
    const options = { signal, maxOutboundStreams: MAX_STREAMS }
    const connection = await this.to(peer, signal)
    try {
      return await connection.newStream(protocol, options)
    } catch (thrown) {
      // It died under us before anything was said: once more over a new one.
      if (connection.status === 'open' || signal.aborted) throw thrown
      return await (await this.to(peer, signal)).newStream(protocol, options)
    }
  }

  /** A peer that did not answer in time: if it does not answer a ping either, its connection is dead. */
  probe(peer: string): void {
    const connection = this.gate.readyConnection(peer)
    if (connection === undefined) return
    this.node.services.ping
      .ping(peerIdFromString(peer), { signal: AbortSignal.timeout(PROBE_MS) })
      .catch(() => connection.abort(new PeerSilent('expected an answer to a ping within 1 s, found none')))
  }

  /** Cuts a peer off, for good reason. */
  cut(peer: string, error: Error): void {
    for (const connection of this.#node?.getConnections(peerIdFromString(peer)) ?? []) {
      this.gate.refuse(connection, error)
      connection.abort(error)
    }
  }

  #opened(connection: Connection): void {
    this.gate.opened(connection)
    if (connection.direction !== 'outbound') return
    this.#sayHello(connection).catch((thrown: unknown) => {
      const peer = connection.remotePeer.toString()
      this.#components.log.warn({ peer, code: codeOf(thrown) }, 'hello failed')
      // That it refuses us, or says nothing, is no refusal of ours.
      if (thrown instanceof DynamosError && !(thrown instanceof PeerRefused || thrown instanceof PeerSilent))
        this.#components.refused({ peer, protocol: HELLO_PROTOCOL, code: thrown.code })
      this.gate.refuse(connection, toError(thrown))
      connection.close().catch((error: unknown) => connection.abort(toError(error)))
    })
  }

  #closed(connection: Connection): void {
    if (!this.gate.closed(connection)) return
    const peer = connection.remotePeer.toString()
    this.#components.gone(peer)
    this.#bootstrap.lost(peer)
  }

  async #sayHello(connection: Connection): Promise<void> {
    const late = (): Error => new PeerSilent('expected a hello within 5 s, found none')
    const introduction = await withDeadline(
      { milliseconds: HELLO_MS, late },
      async (signal) => await this.#introducer.say(connection, { signal })
    )
    this.#introduced(connection, introduction)
  }

  async #answer(stream: Stream, connection: Connection): Promise<void> {
    const refuse = (error: Error): void => {
      const peer = connection.remotePeer.toString()
      this.#components.log.warn({ peer, code: codeOf(error) }, 'stranger refused')
      this.#components.refused({ peer, protocol: HELLO_PROTOCOL, code: codeOf(error) })
      this.gate.refuse(connection, error)
      this.#components.clock.after(FAREWELL_MS, () => {
        if (connection.status === 'open') connection.abort(new NotMember('refused at hello'))
      })
    }
    try {
      await serveOnce(
        stream,
        hello,
        async (theirs) => {
          const answer = await this.#introducer.answer(theirs, connection)
          if ('introduction' in answer) this.#introduced(connection, answer.introduction)
          else refuse(answer.error)
          return answer.reply
        },
        { maxBytes: MAX_HELLO_BYTES, signal: AbortSignal.timeout(HELLO_MS) }
      )
    } catch (thrown) {
      refuse(toError(thrown))
    }
  }

  #introduced(connection: Connection, introduction: Introduction): void {
    const first = this.gate.admit(connection, introduction.member)
    if (this.gate.memberAt(connection) === undefined) return
    this.#newcomers.introduced(connection)
    const peer = connection.remotePeer.toString()
    for (const surplus of this.gate.readyConnections(peer).slice(0, -MAX_OF_PEER)) {
      this.#components.refused({ peer, protocol: HELLO_PROTOCOL, code: 'rate-limited' })
      surplus.abort(new RateLimited(`expected at most ${MAX_OF_PEER} connections of one agent, found more`))
    }
    this.node.services.identify.identify(connection).catch((thrown: unknown) => {
      this.#components.log.debug({ peer, error: toError(thrown).name }, 'identify failed')
    })
    this.#components.introduced(peer, introduction, first)
  }

  async #dialAddress(address: Multiaddr): Promise<Connection> {
    const late = (): Error => new PeerSilent(`expected an agent at ${address.toString()}, found silence`)
    return await withDeadline({ milliseconds: BOOTSTRAP_DIAL_MS, late }, async (signal) => {
      const connection = await this.node.dial(address, { signal })
      await this.gate.passed(connection, { signal })
      return connection
    })
  }
}
