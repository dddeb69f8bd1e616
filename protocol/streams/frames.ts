import type { Stream } from '@libp2p/interface'
import * as lp from 'it-length-prefixed'
import { pipe } from 'it-pipe'
import { encode as varint } from 'uint8-varint'
import { Uint8ArrayList } from 'uint8arraylist'
import type { z } from 'zod'
import { decodePlain, encodePlain, MalformedDocument } from '../documents/index.ts'
import { DynamosError, toError } from '../errors/index.ts'
import { StreamEndedEarly, StreamIdle } from './errors.ts'
import { type Chunk, drained, readPaced, writeAll } from './pace.ts'

/** How one kind of frame becomes bytes. `decode` crosses the trust boundary and throws on anything it does not expect. */
export interface FrameCodec<T> {
  encode(frame: T): Uint8Array
  decode(bytes: Uint8Array): T
}

export interface FrameLimits {
  /** The largest frame, in bytes; a longer length prefix fails before anything is buffered for it. */
  maxFrame: number
  /** How long the other end may send (or take) nothing, in milliseconds; stands still while the consumer works. */
  idleMs: number
  signal?: AbortSignal
}

/** Frames of dag-cbor, each checked by a schema. */
export function plainFrames<T>(schema: z.ZodType<T>, maxFrame?: number): FrameCodec<T> {
  return { encode: encodePlain, decode: (bytes) => decodePlain(bytes, schema, maxFrame) }
}

/** One length prefix and its body, without copying the body. */
export function frameOf(body: Uint8Array): Uint8ArrayList {
  return new Uint8ArrayList(varint(body.byteLength), body)
}

class IdleTimer {
  readonly #controller = new AbortController()
  readonly #milliseconds: number
  readonly signal: AbortSignal
  #timer: NodeJS.Timeout | undefined

  constructor({ idleMs, signal }: FrameLimits) {
    this.#milliseconds = idleMs
    this.signal =
      signal === undefined ? this.#controller.signal : AbortSignal.any([this.#controller.signal, signal])
  }

  arm(): void {
    this.disarm()
    const error = new StreamIdle(`expected a frame within ${this.#milliseconds} ms, found silence`)
    this.#timer = setTimeout(() => this.#controller.abort(error), this.#milliseconds)
  }

  disarm(): void {
    clearTimeout(this.#timer)
  }
}

function frameError(thrown: unknown, maxFrame: number): Error {
  const error = toError(thrown)
  if (error instanceof DynamosError) return error
  if (error.name === 'InvalidDataLengthError' || error.name === 'InvalidMessageLengthError') {
    return new MalformedDocument(`expected a frame of at most ${maxFrame} bytes, found a longer one`, {
      cause: error
    })
  }
  if (error.name === 'InvalidDataLengthLengthError') {
    return new MalformedDocument('expected a length prefix, found garbage', { cause: error })
  }
  return new StreamEndedEarly(`the stream broke off: ${error.message}`, { cause: error })
}

/**
 * Frames in, with back-pressure, a size limit, an idle limit and a required end frame. Leaving the loop early resets the
 * stream. The end frame is not yielded; it is the generator's return value.
 *
 * @throws {MalformedDocument} for frames that are too long or break the codec
 * @throws {StreamIdle} after `idleMs` of silence
 * @throws {StreamEndedEarly} when the stream ends without its end frame
 */
export function readFrames<T>(
  stream: Stream,
  codec: FrameCodec<T>,
  isEnd: (frame: T) => boolean,
  limits: FrameLimits
): AsyncGenerator<T, T> {
  const idle = new IdleTimer(limits)
  // Not inside the generator, which runs only when it is first asked: the stream must be paused at once.
  const chunks = readPaced(stream, { signal: idle.signal })

  async function* read(): AsyncGenerator<T, T> {
    let complete = false
    idle.arm()
    try {
      const frames = pipe(chunks, (source) => lp.decode(source, { maxDataLength: limits.maxFrame }))
      for await (const bytes of frames) {
        idle.disarm()
        const frame = codec.decode(bytes.subarray())
        if (isEnd(frame)) {
          complete = true
          return frame
        }
        yield frame
        idle.arm()
      }
      throw new StreamEndedEarly('expected an end frame, found the end of the stream')
    } catch (thrown) {
      throw idle.signal.aborted ? idle.signal.reason : frameError(thrown, limits.maxFrame)
    } finally {
      idle.disarm()
      if (complete) await stream.close(limits.signal === undefined ? {} : { signal: limits.signal })
      else stream.abort(new StreamEndedEarly('the reader gave up'))
    }
  }
  return read()
}

/** Writes one frame and waits while the other end is not ready for more. */
export async function writeFrame<T>(
  stream: Stream,
  codec: FrameCodec<T>,
  frame: T,
  limits: FrameLimits
): Promise<void> {
  const body = encodeFrame(codec, frame, limits.maxFrame)
  if (stream.send(frameOf(body))) return
  const idle = new IdleTimer(limits)
  idle.arm()
  try {
    await drained(stream, { signal: idle.signal })
  } finally {
    idle.disarm()
  }
}

/**
 * Frames out: everything `source` gives, then `end`, then the half-close. The stream is reset when the source throws or
 * the other end takes nothing for `idleMs`, so that the reader never mistakes it for the end.
 */
export async function writeFrames<T>(
  stream: Stream,
  codec: FrameCodec<T>,
  source: AsyncIterable<T> | Iterable<T>,
  end: T,
  limits: FrameLimits
): Promise<void> {
  const idle = new IdleTimer(limits)
  async function* encoded(frames: AsyncIterable<T> | Iterable<T>): AsyncGenerator<Chunk> {
    for await (const frame of frames) {
      idle.arm()
      yield frameOf(encodeFrame(codec, frame, limits.maxFrame))
      idle.disarm()
    }
    idle.arm()
    yield frameOf(encodeFrame(codec, end, limits.maxFrame))
  }
  try {
    await pipe(source, encoded, (frames) => writeAll(stream, frames, { signal: idle.signal }))
  } finally {
    idle.disarm()
  }
}

function encodeFrame<T>(codec: FrameCodec<T>, frame: T, maxFrame: number): Uint8Array {
  const body = codec.encode(frame)
  if (body.byteLength > maxFrame) {
    throw new MalformedDocument(`expected a frame of at most ${maxFrame} bytes, found ${body.byteLength}`)
  }
  return body
}
