import type { Connection, Stream, StreamHandler, Topology } from '@libp2p/interface'
import type { KadDHTComponents } from '@libp2p/kad-dht'
import { HELLO_PROTOCOL } from '../../protocol/streams/index.ts'
import type { Member } from '../membership/index.ts'
import type { Clock, Log } from './clock.ts'
import { HelloMissing } from './errors.ts'
import { LibraryStreams } from './library-streams.ts'
import { overriding } from './overriding.ts'

export type Registrar = KadDHTComponents['registrar']
export type ConnectionManager = KadDHTComponents['connectionManager']

const MAX_HELD_STREAMS = 8
const HOLD_MS = 2_000
/** A connection that has not said hello by then is closed. */
const HELLO_MS = 5_000

/** Told of each connection that never said hello, and each stream that came before it and was reset. */
type GateRefused = (refused: { peer: string; protocol: string; code: string }) => void

interface Door {
  readonly passed: Promise<Member>
  readonly admit: (member: Member) => void
  readonly refuse: (error: Error) => void
  member: Member | undefined
  refused: Error | undefined
  held: number
}

/**
 * Nothing but hello runs on a connection before both ends know each other as members. Streams that come earlier are held, at
 * most 8 for 2 s, then run or are reset.
 *
 * libp2p's own middleware cannot do this: in libp2p 3.3 `Connection.onIncomingStream` appends each stream's handler to the
 * stored middleware array, so the second stream of a protocol runs its handler twice and outbound streams run it too. So the
 * gate wraps what services get to see of libp2p instead: the registrar and the connection manager.
 */
export class Gate {
  readonly #doors = new WeakMap<Connection, Door>()
  readonly #ready = new Map<string, Set<Connection>>()
  readonly #clock: Clock
  readonly #log: Log
  readonly #refused: GateRefused
  readonly #library: LibraryStreams

  constructor(clock: Clock, log: Log, refused: GateRefused = () => undefined) {
    this.#clock = clock
    this.#log = log
    this.#refused = refused
    this.#library = new LibraryStreams(refused)
  }

  /** A connection opened: it has {@link HELLO_MS} to say hello. */
  opened(connection: Connection): void {
    const door = this.#door(connection)
    const cancel = this.#clock.after(HELLO_MS, () => {
      if (door.member !== undefined || door.refused !== undefined) return
      const peer = connection.remotePeer.toString()
      this.#refused({ peer, protocol: HELLO_PROTOCOL, code: 'not-member' })
      this.refuse(connection, new HelloMissing('expected a hello within 5 s, found none'))
      connection.abort(new HelloMissing('no hello'))
    })
    door.passed.then(cancel, cancel)
  }

  /** @returns whether it is the peer's first connection that is ready */
  admit(connection: Connection, member: Member): boolean {
    const door = this.#door(connection)
    if (door.refused !== undefined || connection.status !== 'open') return false
    const peer = connection.remotePeer.toString()
    const connections = this.#ready.get(peer) ?? new Set()
    const first = connections.size === 0
    connections.add(connection)
    this.#ready.set(peer, connections)
    door.member = member
    door.admit(member)
    return first
  }

  refuse(connection: Connection, error: Error): void {
    const door = this.#door(connection)
    door.refused ??= error
    door.member = undefined
    door.refuse(error)
  }

  /** @returns whether it was the peer's last connection that was ready */
  closed(connection: Connection): boolean {
    this.refuse(connection, new HelloMissing('the connection was closed'))
    const peer = connection.remotePeer.toString()
    const connections = this.#ready.get(peer)
    if (connections?.delete(connection) !== true || connections.size > 0) return false
    this.#ready.delete(peer)
    return true
  }

  readyPeers(): string[] {
    return [...this.#ready.keys()]
  }

  readyConnection(peer: string): Connection | undefined {
    for (const connection of this.#ready.get(peer) ?? []) if (connection.status === 'open') return connection
    return undefined
  }

  /** The oldest first. */
  readyConnections(peer: string): Connection[] {
    return [...(this.#ready.get(peer) ?? [])].filter(({ status }) => status === 'open')
  }

  memberAt(connection: Connection): Member | undefined {
    return this.#door(connection).member
  }

  /** Waits until both ends said hello. @throws why not */
  async passed(connection: Connection, options: { signal?: AbortSignal } = {}): Promise<Member> {
    const door = this.#door(connection)
    if (door.refused !== undefined) throw door.refused
    if (door.member !== undefined) return door.member
    options.signal?.throwIfAborted()
    const { promise, reject } = Promise.withResolvers<never>()
    const onAbort = (): void => reject(options.signal?.reason)
    options.signal?.addEventListener('abort', onAbort, { once: true })
    try {
      return await Promise.race([door.passed, promise])
    } finally {
      options.signal?.removeEventListener('abort', onAbort)
    }
  }

  /** A handler that runs only for members; streams that come before the hello are held, paused. */
  guard(handler: (stream: Stream, connection: Connection) => void | Promise<void>): StreamHandler {
    return async (stream, connection) => {
      if (this.memberAt(connection) === undefined && !(await this.#hold(stream, connection))) return
      await handler(stream, connection)
    }
  }

  /** What a libp2p service sees of the registrar: its handlers guarded and bounded, its topologies told of members only. */
  registrar(registrar: Registrar): Registrar {
    return overriding(registrar, {
      handle: async (protocol, handler, options) => {
        const bounded: StreamHandler = (stream, connection) => {
          this.#library.inbound(stream, connection)
          return handler(stream, connection)
        }
        await registrar.handle(protocol, this.guard(bounded), options)
      },
      register: async (protocol, topology) => await registrar.register(protocol, this.#membersOnly(topology))
    })
  }

  /** What a libp2p service sees of the connection manager: streams are opened to members only, and bounded. */
  connectionManager(manager: ConnectionManager): ConnectionManager {
    return overriding(manager, {
      openStream: async (peer, protocol, options) => {
        const connection = await manager.openConnection(peer, options)
        await this.passed(connection, options?.signal === undefined ? {} : { signal: options.signal })
        const stream = await connection.newStream(protocol, options)
        this.#library.outbound(stream, connection)
        return stream
      }
    })
  }

  #membersOnly(topology: Topology): Topology {
    return {
      ...topology,
      onConnect: (peer, connection) => {
        this.passed(connection).then(
          () => topology.onConnect?.(peer, connection),
          () => undefined
        )
      }
    }
  }

  async #hold(stream: Stream, connection: Connection): Promise<boolean> {
    const door = this.#door(connection)
    const peer = connection.remotePeer.toString()
    const fields = { peer, protocol: stream.protocol, code: 'not-member' }
    if (door.refused !== undefined || door.held >= MAX_HELD_STREAMS) {
      this.#log.warn({ ...fields, held: door.held }, 'stream reset: no hello')
      this.#refused(fields)
      stream.abort(new HelloMissing('expected a hello first'))
      return false
    }
    if (stream.readStatus === 'readable') stream.pause()
    door.held++
    const late = new AbortController()
    const cancel = this.#clock.after(HOLD_MS, () =>
      late.abort(new HelloMissing('expected a hello within 2 s'))
    )
    try {
      await this.passed(connection, { signal: late.signal })
    } catch {
      this.#log.warn(fields, 'stream reset: no hello in time')
      this.#refused(fields)
      stream.abort(new HelloMissing('expected a hello first'))
      return false
    } finally {
      cancel()
      door.held--
    }
    if (stream.readStatus === 'paused') stream.resume()
    return true
  }

  #door(connection: Connection): Door {
    const known = this.#doors.get(connection)
    if (known !== undefined) return known
    const { promise, resolve, reject } = Promise.withResolvers<Member>()
    promise.catch(() => undefined)
    const door: Door = {
      passed: promise,
      admit: resolve,
      refuse: reject,
      member: undefined,
      refused: undefined,
      held: 0
    }
    this.#doors.set(connection, door)
    return door
  }
}
