import { setMaxListeners } from 'node:events'
import type { Connection, Stream } from '@libp2p/interface'
import type { z } from 'zod'
import { decodePlain, encodePlain } from '../../protocol/documents/index.ts'
import { codeOf, DynamosError, toError } from '../../protocol/errors/index.ts'
import {
  encodeRefusal,
  encodeReply,
  frameOf,
  memoryPair,
  openReply,
  PeerRefused,
  StreamEndedEarly,
  StreamIdle,
  serveAll
} from '../../protocol/streams/index.ts'
import { assertMember, type Member, type Members } from '../membership/index.ts'
import type { Log } from './clock.ts'
import { PeerSilent, RateLimited } from './errors.ts'
import type { Gate } from './gate.ts'
import type { Node } from './node.ts'
import { RateLimiter } from './rate.ts'

/** Of one agent and protocol, over all its connections. */
const MAX_STREAMS = 128
/** libp2p counts those of one connection, and tells nobody which it resets. */
const MAX_STREAMS_OF_CONNECTION = MAX_STREAMS + 32
/** Agents of one organisation together, as often as one of them. */
const OF_ORGANISATION = 2
const HANDLER_MS = 30_000
const FAREWELL_MS = 1_000
/** How long a kept stream may be silent; the asking end lets go of it in half that time. */
const IDLE_MS = 60_000

/** Who asks. */
export interface Caller {
  readonly peer: string
  readonly member: Member
  /** Aborts when the caller gives up, at the deadline, and when the network stops. */
  readonly signal: AbortSignal
}

export interface HandleLimits {
  /** The largest message, in bytes. @default MAX_MESSAGE_BYTES */
  maxBytes?: number
  /** Per peer. @default 200 */
  ratePerSecond?: number
  /** Per peer. @default 400 */
  burst?: number
  /** From the first byte of the question to the last of the reply, in milliseconds. @default 30 s */
  timeoutMs?: number
}

/**
 * Serves streams for bulk data. It reads (`readPaced`, `readFrames`) before its first `await`; the stream is reset when it
 * throws.
 */
export type ServeStream = (stream: Stream, caller: Caller) => void | Promise<void>

type Answerer = (question: Uint8Array, caller: Caller) => Promise<unknown>

export interface ServingComponents {
  members: Members
  log: Log
  self: string
  /** A peer was not heard out. */
  refused: (refused: { peer: string; protocol: string; code: string }) => void
}

/** The protocols this agent answers, to members within their rates, and to itself. */
export class Serving {
  readonly #components: ServingComponents
  readonly #answerers = new Map<string, Answerer>()
  readonly #streams = new Map<string, ServeStream>()
  readonly #serve = new Map<string, (stream: Stream, peer: string) => Promise<void>>()
  readonly #working = new Set<AbortController>()
  /** Streams that are open, by protocol and peer. */
  readonly #open = new Map<string, number>()

  constructor(components: ServingComponents) {
    this.#components = components
  }

  answer<T>(
    protocol: string,
    schema: z.ZodType<T>,
    handler: (message: T, caller: Caller) => Promise<unknown>,
    limits: HandleLimits
  ): void {
    const { maxBytes, timeoutMs = HANDLER_MS } = limits
    const rate = rateOf(limits)
    const run = async (bytes: Uint8Array, caller: Caller): Promise<unknown> =>
      await handler(decodePlain(bytes, schema, maxBytes), caller)
    this.#answerers.set(protocol, run)
    const serving = { idleMs: IDLE_MS, ...(maxBytes !== undefined && { maxBytes }) }
    this.#serve.set(protocol, async (stream, peer) => {
      const answer = async (question: Uint8Array): Promise<Uint8Array> => {
        try {
          const from = this.#from(peer)
          rate(from, protocol)
          return await this.#work(stream, from, timeoutMs, async (caller) =>
            encodeReply(await run(question, caller))
          )
        } catch (thrown) {
          this.#failed(protocol, peer, thrown)
          return encodeRefusal(thrown)
        }
      }
      await serveAll(stream, answer, serving)
    })
  }

  stream(protocol: string, handler: ServeStream, limits: HandleLimits): void {
    const rate = rateOf(limits)
    this.#streams.set(protocol, handler)
    this.#serve.set(protocol, async (stream, peer) => {
      const from = this.#from(peer)
      rate(from, protocol)
      await this.#work(stream, from, undefined, async (caller) => await handler(stream, caller))
    })
  }

  async register(node: Node, gate: Gate): Promise<void> {
    for (const [protocol, serve] of this.#serve) {
      const handler = async (stream: Stream, connection: Connection): Promise<void> => {
        const peer = connection.remotePeer.toString()
        const key = `${protocol} ${peer}`
        const open = (this.#open.get(key) ?? 0) + 1
        this.#open.set(key, open)
        try {
          if (open > MAX_STREAMS)
            throw new RateLimited(`expected at most ${MAX_STREAMS} open streams of ${protocol}, found more`)
          await serve(stream, peer)
        } catch (thrown) {
          this.#failed(protocol, peer, thrown)
          await this.#turnAway(stream, protocol, toError(thrown))
        } finally {
          const left = (this.#open.get(key) ?? 1) - 1
          if (left > 0) this.#open.set(key, left)
          else this.#open.delete(key)
        }
      }
      const limits = {
        maxInboundStreams: MAX_STREAMS_OF_CONNECTION,
        maxOutboundStreams: MAX_STREAMS_OF_CONNECTION
      }
      await node.handle(protocol, gate.guard(handler), limits)
    }
  }

  /** Where questions are answered, whoever opened one stream too many can read why. */
  async #turnAway(stream: Stream, protocol: string, error: Error): Promise<void> {
    if (stream.status !== 'open') return
    if (error instanceof RateLimited && this.#answerers.has(protocol)) {
      stream.send(frameOf(encodeRefusal(error)))
      const soon = { signal: AbortSignal.timeout(FAREWELL_MS) }
      await stream.close(soon).catch(() => undefined)
    }
    stream.abort(error)
  }

  /** Everything that works for somebody is told to stop. */
  stop(): void {
    for (const controller of this.#working) {
      controller.abort(new DynamosError('shutting-down', 'the agent is shutting down'))
    }
  }

  /** Asking oneself: the same handler, the same encoding and the same errors, without a stream. */
  async askSelf<T>(
    protocol: string,
    message: unknown,
    schema: z.ZodType<T>,
    signal: AbortSignal
  ): Promise<T> {
    const answerer = this.#answerers.get(protocol)
    if (answerer === undefined) throw notSpoken(protocol)
    const question = encodePlain(message)
    const caller = { peer: this.#components.self, member: this.#components.members.own, signal }
    const reply = await answerer(question, caller).then(encodeReply, encodeRefusal)
    return openReply(reply, schema)
  }

  streamToSelf(protocol: string): Stream {
    const handler = this.#streams.get(protocol)
    if (handler === undefined) throw notSpoken(protocol)
    const { self, members } = this.#components
    const [outbound, inbound] = memoryPair(protocol)
    const from = { peer: self, member: members.own }
    this.#work(inbound, from, undefined, async (caller) => await handler(inbound, caller)).catch(
      (thrown: unknown) => {
        this.#failed(protocol, self, thrown)
        if (inbound.status === 'open') inbound.abort(toError(thrown))
      }
    )
    return outbound
  }

  /** Asked for each question anew: streams are kept, memberships end. */
  #from(peer: string): { peer: string; member: Member } {
    return { peer, member: assertMember(this.#components.members, peer) }
  }

  #failed(protocol: string, peer: string, thrown: unknown): void {
    const error = toError(thrown)
    const fields = { peer, protocol, code: codeOf(error), error: error.name }
    const { log, self, refused } = this.#components
    if (fields.code === 'internal') log.error({ ...fields, stack: error.stack }, 'handler failed')
    else log.debug(fields, 'refused')
    // A line that broke is nobody's refusal.
    const broke = error instanceof StreamEndedEarly || error instanceof StreamIdle
    if (peer !== self && !broke && fields.code !== 'internal' && fields.code !== 'cancelled')
      refused({ peer, protocol, code: fields.code })
  }

  /** Work for a peer ends when the stream is reset, at the deadline, and when the agent stops. */
  async #work<T>(
    stream: Stream,
    from: { peer: string; member: Member },
    timeoutMs: number | undefined,
    work: (caller: Caller) => Promise<T>
  ): Promise<T> {
    const controller = new AbortController()
    setMaxListeners(0, controller.signal)
    const onClose = (event: Event): void => {
      if ('error' in event && event.error instanceof Error) controller.abort(event.error)
    }
    const late = (): void => controller.abort(new PeerSilent(`not done within ${timeoutMs} ms`))
    const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs)
    this.#working.add(controller)
    stream.addEventListener('close', onClose)
    try {
      return await work({ ...from, signal: controller.signal })
    } finally {
      clearTimeout(timer)
      stream.removeEventListener('close', onClose)
      this.#working.delete(controller)
    }
  }
}

/** @returns what throws {RateLimited} when an agent, or those of its organisation together, come too often */
function rateOf({
  ratePerSecond = 200,
  burst = 400
}: HandleLimits): (from: { peer: string; member: Member }, protocol: string) => void {
  const ofPeer = new RateLimiter({ perSecond: ratePerSecond, burst })
  const together = { perSecond: ratePerSecond * OF_ORGANISATION, burst: burst * OF_ORGANISATION }
  const ofOrganisation = new RateLimiter(together)
  return ({ peer, member }, protocol) => {
    const now = performance.now()
    if (!ofPeer.allows(peer, now) || !ofOrganisation.allows(member.organisation, now))
      throw new RateLimited(`expected at most the permitted rate of ${protocol}, found more; try later`)
  }
}

function notSpoken(protocol: string): PeerRefused {
  return new PeerRefused('request-type-not-supported', `this agent does not speak ${protocol}`)
}
