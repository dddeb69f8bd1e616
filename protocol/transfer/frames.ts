import type { Stream } from '@libp2p/interface'
import * as lp from 'it-length-prefixed'
import { encode as varint } from 'uint8-varint'
import { Uint8ArrayList } from 'uint8arraylist'
import { z } from 'zod'
import { decodePlain, encodePlain, failureCode, fields, refusalCode } from '../documents/index.ts'
import { DynamosError, toError } from '../errors/index.ts'
import { drained, readPaced } from '../streams/index.ts'
import { FlowFailed, FlowRefused } from './errors.ts'
import { flowId, manifest, partInfo } from './parts.ts'

/** No frame is longer: 1 MiB. */
export const MAX_FRAME_BYTES = 1 << 20
/** Large enough for full speed, small enough not to delay other streams of the connection. */
export const CHUNK_BYTES = 256 << 10

/** Everything but the bytes of parts: DAG-CBOR, checked by this schema. */
const control = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('open'), flow: flowId, parts: manifest }),
  /** Of the parts in the opening, those that need not be sent. */
  z.strictObject({ kind: z.literal('accept'), have: z.array(fields.count).max(4_096) }),
  z.strictObject({ kind: z.literal('refuse'), code: refusalCode }),
  z.strictObject({ kind: z.literal('part'), part: partInfo }),
  /** The digest of what was really sent. */
  z.strictObject({ kind: z.literal('part-end'), index: fields.count, digest: fields.digest }),
  z.strictObject({ kind: z.literal('end'), parts: manifest }),
  z.strictObject({ kind: z.literal('done'), parts: manifest }),
  z.strictObject({ kind: z.literal('failed'), code: failureCode })
])
export type Control = z.infer<typeof control>
/** A frame: a word of control, or a chunk of the part that was opened last. */
export type Frame = Control | { readonly kind: 'chunk'; readonly bytes: Uint8ArrayList }

// The first byte of a frame says what it is; a chunk is then not copied for an encoding.
const CONTROL = Uint8Array.of(0)
const CHUNK = Uint8Array.of(1)

function decodeFrame(bytes: Uint8ArrayList): Frame {
  const tag = bytes.byteLength === 0 ? undefined : bytes.get(0)
  if (tag === 1) return { kind: 'chunk', bytes: bytes.sublist(1) }
  if (tag !== 0) throw new FlowFailed('flow-altered', 'expected a frame of a known kind')
  try {
    return decodePlain(bytes.subarray(1), control, MAX_FRAME_BYTES)
  } catch (cause) {
    throw new FlowFailed('flow-altered', `expected a frame of the flow protocol: ${toError(cause).message}`, {
      cause
    })
  }
}

/** One end of a flow's stream: frames both ways, with back-pressure, limits on size and on idleness. */
export class FlowEnd {
  readonly #stream: Stream
  readonly #idleMs: number
  readonly #signal: AbortSignal | undefined
  readonly #abort = new AbortController()
  readonly #frames: AsyncGenerator<Uint8ArrayList>

  /** Pauses the stream at once: create it before the first `await` of a handler. */
  constructor(stream: Stream, options: { idleMs: number; signal: AbortSignal | undefined }) {
    this.#stream = stream
    this.#idleMs = options.idleMs
    this.#signal = options.signal
    this.#frames = lp.decode(readPaced(stream), { maxDataLength: MAX_FRAME_BYTES })
  }

  /** Ends all waiting at this end with an error, for what the other end said meanwhile. */
  interrupt(error: FlowFailed): void {
    this.#abort.abort(error)
  }

  /**
   * The next frame.
   *
   * @throws {FlowFailed} `timeout` after idleness, `flow-short` at the end of the stream, `flow-altered` for garbage, and
   * with the other end's own code when it says that it failed
   */
  async next(): Promise<Frame> {
    return this.#open(await this.soon(this.#read(), 'expected a frame'))
  }

  /** The next frame, however long it takes: for an end that is busy sending, which has an idle limit of its own. */
  async nextWhenever(): Promise<Frame> {
    return this.#open(await this.unlessEnded(this.#read()))
  }

  #open({ value, done }: IteratorResult<Uint8ArrayList>): Frame {
    if (done === true)
      throw new FlowFailed('flow-short', 'expected another frame, found the end of the stream')
    const frame = decodeFrame(value)
    if (frame.kind === 'failed')
      throw new FlowFailed(frame.code, `the other end failed: ${frame.code}`, { remote: true })
    return frame
  }

  async #read(): Promise<IteratorResult<Uint8ArrayList>> {
    try {
      return await this.#frames.next()
    } catch (thrown) {
      const error = toError(thrown)
      const garbage = error.name.startsWith('InvalidDataLength') || error.name === 'InvalidMessageLengthError'
      throw garbage
        ? new FlowFailed('flow-altered', `expected frames of at most ${MAX_FRAME_BYTES} bytes`, {
            cause: error
          })
        : new FlowFailed('flow-short', `the stream broke off: ${error.message}`, { cause: error })
    }
  }

  async send(frame: Control): Promise<void> {
    await this.#write(CONTROL, encodePlain(frame))
  }

  async sendChunk(bytes: Uint8Array): Promise<void> {
    await this.#write(CHUNK, bytes)
  }

  async #write(tag: Uint8Array, body: Uint8Array): Promise<void> {
    this.#signal?.throwIfAborted()
    this.#abort.signal.throwIfAborted()
    let more: boolean
    try {
      more = this.#stream.send(new Uint8ArrayList(varint(1 + body.byteLength), tag, body))
    } catch (cause) {
      throw new FlowFailed('flow-short', `the stream broke off: ${toError(cause).message}`, { cause })
    }
    if (more) return
    const stop = new AbortController()
    const waiting = drained(this.#stream, { signal: stop.signal }).catch((cause: unknown) => {
      throw new FlowFailed('flow-short', `the stream broke off: ${toError(cause).message}`, { cause })
    })
    try {
      await this.soon(waiting, 'expected the other end to take more')
    } finally {
      stop.abort()
    }
  }

  /** Waits, but not for longer than the idle limit. @throws {FlowFailed} `timeout` */
  async soon<T>(promise: Promise<T>, expected: string): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(
      () => reject(new FlowFailed('timeout', `${expected} within ${this.#idleMs} ms, found silence`)),
      this.#idleMs
    )
    try {
      return await this.unlessEnded(Promise.race([promise, late]))
    } finally {
      clearTimeout(timer)
    }
  }

  /** Waits, but not beyond the deadline or an interruption. */
  async unlessEnded<T>(promise: Promise<T>): Promise<T> {
    const { promise: ended, reject } = Promise.withResolvers<never>()
    const onSignal = (): void => reject(this.#signal?.reason)
    const onInterrupt = (): void => reject(this.#abort.signal.reason)
    this.#signal?.addEventListener('abort', onSignal)
    this.#abort.signal.addEventListener('abort', onInterrupt)
    if (this.#signal?.aborted === true) onSignal()
    if (this.#abort.signal.aborted) onInterrupt()
    try {
      return await Promise.race([promise, ended])
    } finally {
      this.#signal?.removeEventListener('abort', onSignal)
      this.#abort.signal.removeEventListener('abort', onInterrupt)
      promise.catch(() => {}) // whoever lost the race has nobody to report to
      ended.catch(() => {})
    }
  }

  /** What a source yields; a source that hangs is left behind when the transfer ends. */
  async *pull<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
    const iterator = source[Symbol.asyncIterator]()
    let exhausted = false
    try {
      for (;;) {
        const { value, done } = await this.unlessEnded(iterator.next())
        if (done === true) {
          exhausted = true
          return
        }
        yield value
      }
    } finally {
      // Not awaited: the return of a generator that hangs hangs too.
      if (!exhausted) Promise.resolve(iterator.return?.()).catch(() => {})
    }
  }

  /** Both ends have said all there is to say; whether the other one closes properly changes nothing any more. */
  async close(): Promise<void> {
    try {
      await this.soon(this.#stream.close(), 'expected the stream to close')
      const { done } = await this.soon(this.#read(), 'expected the other end to close')
      if (done !== true) throw new FlowFailed('flow-altered', 'expected nothing after the last frame')
    } catch (thrown) {
      this.#stream.abort(toError(thrown))
    }
  }

  /**
   * Ends with a failure. Unless the other end said so first, or the user wants it gone, it is told why: a reset would destroy
   * words that are still under way, so the other end is left to close, for at most two seconds. Who was stopped for a reason
   * says `cancelled`: the reason itself comes signed, by another way.
   */
  async fail(failure: FlowFailed): Promise<void> {
    const stream = this.#stream
    const unwanted = failure.code === 'cancelled' && !hasReason(failure)
    if (failure.remote || unwanted || stream.status !== 'open') {
      stream.abort(failure)
      return
    }
    const { promise: closed, resolve } = Promise.withResolvers<void>()
    const onClose = (): void => resolve()
    const timer = setTimeout(onClose, Math.min(this.#idleMs, 2_000))
    stream.addEventListener('close', onClose)
    try {
      stream.send(new Uint8ArrayList(...this.#lastWord(failure)))
      stream.close().catch(onClose)
      await closed
    } catch {
      // The stream went away meanwhile: nobody is left to tell.
    } finally {
      clearTimeout(timer)
      stream.removeEventListener('close', onClose)
      if (stream.status === 'open' || stream.status === 'closing') stream.abort(failure)
    }
  }

  #lastWord(failure: FlowFailed): Uint8Array[] {
    const word: Control =
      failure instanceof FlowRefused
        ? { kind: 'refuse', code: failure.reason }
        : { kind: 'failed', code: failure.code }
    const body = encodePlain(word)
    return [varint(1 + body.byteLength), CONTROL, body]
  }
}

function hasReason({ cause }: FlowFailed): boolean {
  return cause instanceof DynamosError && cause.code !== 'cancelled'
}
