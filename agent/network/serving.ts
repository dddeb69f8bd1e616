import { setMaxListeners } from 'node:events'
import type { Connection, Stream } from '@libp2p/interface'
import type { z } from 'zod'
import { decodePlain, encodePlain } from '../../protocol/documents/index.ts'
import { codeOf, DynamosError, toError } from '../../protocol/errors/index.ts'
import {
  encodeRefusal,
  encodeReply,
  memoryPair,
  openReply,
  PeerRefused,
  serveOnce
} from '../../protocol/streams/index.ts'
import { type Member, type Members, NotMember } from '../membership/index.ts'
import type { Log } from './clock.ts'
import { PeerSilent, RateLimited } from './errors.ts'
import type { Gate } from './gate.ts'
import type { Node } from './node.ts'
import { RateLimiter } from './rate.ts'

const MAX_STREAMS = 128
const HANDLER_MS = 30_000

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
  /** Per peer. @default 100 */
  ratePerSecond?: number
  /** Per peer. @default 200 */
  burst?: number
  /** From the first byte of the question to the last of the reply, in milliseconds. @default 30 s */
  timeoutMs?: number
}

/**
 * Serves streams for bulk data. It reads (`readPaced`, `readFrames`) before its first `await`; the stream is reset when it
 * throws.
 */
export type ServeStream = (stream: Stream, caller: Caller) => void | Promise<void>

interface Answerer {
  run: (bytes: Uint8Array, caller: Caller) => Promise<unknown>
  timeoutMs: number
}

export interface ServingComponents {
  members: Members
  log: Log
  self: string
}

/** The protocols this agent answers, to members within their rates, and to itself. */
export class Serving {
  readonly #components: ServingComponents
  readonly #answerers = new Map<string, Answerer>()
  readonly #streams = new Map<string, ServeStream>()
  readonly #serve = new Map<string, (stream: Stream, peer: string, member: Member) => Promise<void>>()
  readonly #working = new Set<AbortController>()

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
    const size = maxBytes === undefined ? {} : { maxBytes }
    this.#answerers.set(protocol, {
      timeoutMs,
      run: async (bytes, caller) => await handler(decodePlain(bytes, schema, maxBytes), caller)
    })
    this.#serve.set(protocol, async (stream, peer, member) => {
      await this.#work(protocol, stream, { peer, member }, timeoutMs, async (caller) => {
        const limited = async (message: T): Promise<unknown> => {
          if (rate.allows(peer, performance.now())) return await handler(message, caller)
          throw new RateLimited(`expected at most the permitted rate of ${protocol}, found more; try later`)
        }
        await serveOnce(stream, schema, limited, { signal: caller.signal, ...size })
      })
    })
  }

  stream(protocol: string, handler: ServeStream, limits: HandleLimits): void {
    const rate = rateOf(limits)
    this.#streams.set(protocol, handler)
    this.#serve.set(protocol, async (stream, peer, member) => {
      await this.#work(protocol, stream, { peer, member }, undefined, async (caller) => {
        if (!rate.allows(peer, performance.now())) throw new RateLimited(`too many streams of ${protocol}`)
        await handler(stream, caller)
      })
    })
  }

  async register(node: Node, gate: Gate): Promise<void> {
    for (const [protocol, serve] of this.#serve) {
      const handler = async (stream: Stream, connection: Connection): Promise<void> => {
        const member = gate.memberAt(connection)
        if (member === undefined) stream.abort(new NotMember('no longer a member'))
        else await serve(stream, connection.remotePeer.toString(), member)
      }
      const limits = { maxInboundStreams: MAX_STREAMS, maxOutboundStreams: MAX_STREAMS }
      await node.handle(protocol, gate.guard(handler), limits)
    }
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
    const reply = await answerer.run(question, caller).then(encodeReply, encodeRefusal)
    return openReply(reply, schema)
  }

  streamToSelf(protocol: string): Stream {
    const handler = this.#streams.get(protocol)
    if (handler === undefined) throw notSpoken(protocol)
    const { self, members } = this.#components
    const [outbound, inbound] = memoryPair(protocol)
    const self_ = { peer: self, member: members.own }
    void this.#work(protocol, inbound, self_, undefined, async (caller) => await handler(inbound, caller))
    return outbound
  }

  async #work(
    protocol: string,
    stream: Stream,
    from: { peer: string; member: Member },
    timeoutMs: number | undefined,
    work: (caller: Caller) => Promise<void>
  ): Promise<void> {
    const controller = new AbortController()
    setMaxListeners(0, controller.signal)
    const onClose = (event: Event): void => {
      if ('error' in event && event.error instanceof Error) controller.abort(event.error)
    }
    const late = (): void => controller.abort(new PeerSilent(`${protocol}: not done within ${timeoutMs} ms`))
    const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs)
    this.#working.add(controller)
    stream.addEventListener('close', onClose)
    try {
      await work({ ...from, signal: controller.signal })
    } catch (thrown) {
      const error = toError(thrown)
      const fields = { peer: from.peer, protocol, code: codeOf(error), error: error.name }
      if (fields.code === 'internal')
        this.#components.log.error({ ...fields, stack: error.stack }, 'handler failed')
      else this.#components.log.debug(fields, 'stream refused')
      if (stream.status === 'open') stream.abort(error)
    } finally {
      clearTimeout(timer)
      stream.removeEventListener('close', onClose)
      this.#working.delete(controller)
    }
  }
}

function rateOf({ ratePerSecond = 100, burst = 200 }: HandleLimits): RateLimiter {
  return new RateLimiter({ perSecond: ratePerSecond, burst })
}

function notSpoken(protocol: string): PeerRefused {
  return new PeerRefused('request-type-not-supported', `this agent does not speak ${protocol}`)
}
