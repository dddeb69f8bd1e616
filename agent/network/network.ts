import { EventEmitter } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { PrivateKey, Stream } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { MemoryDatastore } from 'datastore-core'
import { LevelDatastore } from 'datastore-level'
import type { z } from 'zod'
import type { Signed } from '../../protocol/documents/index.ts'
import { DynamosError, toError } from '../../protocol/errors/index.ts'
import { PeerRefused, StreamEndedEarly } from '../../protocol/streams/index.ts'
import type { Member, Members } from '../membership/index.ts'
import type { Asking, AskOptions } from './asking.ts'
import type { Clock, Log } from './clock.ts'
import { Connections } from './connections.ts'
import { Conversations } from './conversations.ts'
import { withDeadline } from './deadline.ts'
import type { Encounter } from './encounters.ts'
import { PeerSilent, PeerUnreachable } from './errors.ts'
import type { Node } from './node.ts'
import { type Caller, type HandleLimits, type ServeStream, Serving } from './serving.ts'
import { Standing } from './standing.ts'

const ASK_MS = 5_000

export interface NetworkInit {
  key: PrivateKey
  /** Multiaddrs to listen on. */
  listen: readonly string[]
  /** Multiaddrs told to others instead of those listened on. @default none */
  announce?: readonly string[]
  /** Multiaddrs of agents to stay connected to. @default none */
  bootstrap?: readonly string[]
  /** Where peers, addresses and provider records survive a restart. @default in memory */
  directory?: string
}

export interface NetworkComponents {
  members: Members
  clock: Clock
  log: Log
}

export interface NetworkEvents {
  /** A member can be talked to; `capability` is the sequence number it said. */
  'peer:ready': [{ peer: string; member: Member; capability: number }]
  /** The last connection to it is gone. */
  'peer:gone': [{ peer: string }]
  /** It says that its capability has this sequence number. */
  'peer:changed': [{ peer: string; capability: number }]
  /** It was not heard out: at hello, or by the protocol it spoke. `proof`: documents of its own that contradict each other. */
  refused: [{ peer: string; protocol: string; code: string; proof?: readonly Signed<'capability'>[] }]
}

/** Everything between this agent and others: connections of members, questions and replies, streams for bulk data. */
export class Network extends EventEmitter<NetworkEvents> implements Asking {
  readonly peerId: string
  readonly members: Members
  readonly #serving: Serving
  readonly #standing: Standing
  readonly #connections: Connections
  readonly #conversations: Conversations
  readonly #openStore: () => Promise<void>
  readonly #closeStore: () => Promise<void>

  constructor(init: NetworkInit, { members, clock, log }: NetworkComponents) {
    super()
    this.peerId = peerIdFromPrivateKey(init.key).toString()
    this.members = members
    const { key, listen, announce = [], bootstrap = [], directory } = init
    const path = directory === undefined ? undefined : join(directory, 'network')
    const level = path === undefined ? undefined : new LevelDatastore(path)
    this.#openStore = async () => {
      if (path === undefined) return
      await mkdir(path, { recursive: true, mode: 0o700 })
      await level?.open()
    }
    this.#closeStore = async () => await level?.close()
    this.#serving = new Serving({
      members,
      log,
      self: this.peerId,
      refused: (refused) => this.emit('refused', refused)
    })
    this.#standing = new Standing({
      members,
      clock,
      log,
      network: this,
      cut: (peer, error) => this.#connections.cut(peer, error),
      capabilityOf: (peer, capability) => this.emit('peer:changed', { peer, capability })
    })
    this.#connections = new Connections(
      { key, listen, announce, bootstrap, datastore: level ?? new MemoryDatastore(), self: this.peerId },
      {
        members,
        clock,
        log,
        capability: () => this.#standing.capability,
        refused: (refused) => this.emit('refused', refused),
        gone: (peer) => {
          this.#conversations.gone(peer)
          this.emit('peer:gone', { peer })
        },
        introduced: (peer, { member, status, list, capability }, first) => {
          if (first) this.emit('peer:ready', { peer, member, capability })
          else this.emit('peer:changed', { peer, capability })
          this.#standing.heard(peer, status, list)
        }
      }
    )
    this.#conversations = new Conversations(
      async (peer, protocol, signal) => await this.#connections.newStream(peer, protocol, signal)
    )
  }

  /** Multiaddrs at which this agent is reached, with its peer id. */
  get addresses(): string[] {
    return this.#connections.node.getMultiaddrs().map(String)
  }

  /** libp2p's node, for discovery alone; everything on it is behind the hello. */
  get node(): Node {
    return this.#connections.node
  }

  /** Whether there are agents to find the others through. */
  get bootstrapping(): boolean {
    return this.#connections.bootstrapping
  }

  /** @throws {CannotListen} */
  async start(): Promise<void> {
    await this.#openStore()
    try {
      await this.#connections.start(
        async (node) => await this.#serving.register(node, this.#connections.gate)
      )
    } catch (thrown) {
      await this.#closeStore()
      throw thrown
    }
    this.#standing.start()
  }

  async stop(): Promise<void> {
    this.#standing.stop()
    this.#serving.stop()
    this.#conversations.stop()
    await this.#connections.stop()
    await this.#closeStore()
  }

  /** Peers that said hello and are connected now. */
  readyPeers(): string[] {
    return this.#connections.gate.readyPeers()
  }

  /** What was seen of agents when they said hello last. */
  encounters(): Encounter[] {
    return this.#connections.encounters.all()
  }

  /** A member named the number of its status list: if that is newer than ours, it is fetched. */
  statusHeard(peer: string, number: number): void {
    this.#standing.heard(peer, number)
  }

  connected(peer: string): boolean {
    return peer === this.peerId || this.#connections.gate.readyConnection(peer) !== undefined
  }

  /**
   * Connects to a peer and waits for hello.
   *
   * @param addresses where it may be, if known
   * @throws {PeerUnreachable}, {PeerSilent}, {PeerRefused} when it does not believe us, or why we do not believe it
   */
  async dial(peer: string, addresses: readonly string[] = [], options: AskOptions = {}): Promise<void> {
    if (this.connected(peer)) return
    await this.#within(peer, options, async (signal) => {
      if (addresses.length > 0) await this.#connections.rememberAddresses(peer, addresses, signal)
      await this.#connections.to(peer, signal)
    })
  }

  /** Addresses at which a peer was reached or says it is. */
  async addressesOf(peer: string): Promise<string[]> {
    return peer === this.peerId ? this.addresses : await this.#connections.addressesOf(peer)
  }

  /** This agent's capability has a new sequence number: connected peers are told. */
  capabilityChanged(sequence: number): void {
    this.#standing.capability = sequence
  }

  /**
   * Answers a protocol: one checked message in, one reply out. Before {@link start}.
   *
   * @param handler what it throws goes to the caller as `{error: {code, message}}`
   */
  handle<T>(
    protocol: string,
    requestSchema: z.ZodType<T>,
    handler: (message: T, caller: Caller) => Promise<unknown>,
    limits: HandleLimits = {}
  ): void {
    this.#serving.answer(protocol, requestSchema, handler, limits)
  }

  /** Serves streams of a protocol, for bulk data. Before {@link start}. */
  handleStream(protocol: string, handler: ServeStream, limits: HandleLimits = {}): void {
    this.#serving.stream(protocol, handler, limits)
  }

  /**
   * Asks a peer, over the connection there is or a new one. Asking oneself runs the local handler through the same encoding.
   *
   * @throws {PeerRefused} with the peer's code; {PeerUnreachable}; {PeerSilent} at the deadline; {MalformedDocument}
   */
  async ask<T>(
    peer: string,
    protocol: string,
    message: unknown,
    replySchema: z.ZodType<T>,
    options: AskOptions = {}
  ): Promise<T> {
    return await this.#within(peer, options, async (signal) => {
      if (peer === this.peerId) return await this.#serving.askSelf(protocol, message, replySchema, signal)
      const conversation = await this.#conversations.take(peer, protocol, signal)
      try {
        return await conversation.ask(message, replySchema, { signal })
      } finally {
        this.#conversations.give(peer, protocol, conversation)
      }
    })
  }

  /**
   * Opens a stream for bulk data; to oneself it is a stream in memory.
   *
   * @throws {PeerUnreachable}, {PeerSilent}, {PeerRefused} when the peer does not speak the protocol
   */
  async openStream(peer: string, protocol: string, options: AskOptions = {}): Promise<Stream> {
    if (peer === this.peerId) return this.#serving.streamToSelf(protocol)
    return await this.#within(
      peer,
      options,
      async (signal) => await this.#connections.newStream(peer, protocol, signal)
    )
  }

  async #within<T>(
    peer: string,
    { signal, timeoutMs = ASK_MS }: AskOptions,
    work: (signal: AbortSignal) => Promise<T>
  ): Promise<T> {
    const name = this.members.organisationOf(peer) ?? peer
    const late = (): Error =>
      new PeerSilent(`expected an answer of ${name} within ${timeoutMs} ms, found silence`)
    try {
      return await withDeadline({ milliseconds: timeoutMs, signal, late }, work)
    } catch (thrown) {
      if (signal?.aborted === true) throw signal.reason
      if (thrown instanceof PeerSilent) this.#connections.probe(peer)
      throw describe(thrown, name)
    }
  }
}

/** libp2p's errors in our words; ours stay as they are. */
function describe(thrown: unknown, peer: string): Error {
  const error = toError(thrown)
  if (error.name === 'UnsupportedProtocolError') {
    return new PeerRefused('request-type-not-supported', `${peer} does not speak this protocol`, {
      cause: error
    })
  }
  if (error instanceof StreamEndedEarly || !(error instanceof DynamosError)) {
    return new PeerUnreachable(`expected to reach ${peer}: ${error.message}`, { cause: error })
  }
  return error
}
