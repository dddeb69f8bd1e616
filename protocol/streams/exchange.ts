import type { Stream } from '@libp2p/interface'
import * as lp from 'it-length-prefixed'
import { z } from 'zod'
import { decodePlain, encodePlain, MAX_DOCUMENT_BYTES, MalformedDocument } from '../documents/index.ts'
import { DynamosError, toError } from '../errors/index.ts'
import { PeerRefused, StreamEndedEarly } from './errors.ts'
import { frameOf } from './frames.ts'
import { drained, readPaced } from './pace.ts'

/** A message may carry a document of the largest size and its signatures. */
export const MAX_MESSAGE_BYTES = MAX_DOCUMENT_BYTES + (64 << 10)

const refusal = z.strictObject({
  error: z.strictObject({
    code: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'expected a code'),
    message: z.string().max(2048)
  })
})

export interface ExchangeOptions {
  signal?: AbortSignal
  /** The largest message accepted, in bytes. @default MAX_MESSAGE_BYTES */
  maxBytes?: number
}

/** What broke while a message was read, in our words. */
export function messageError(thrown: unknown, maxBytes: number): DynamosError {
  const error = toError(thrown)
  if (error instanceof DynamosError) return error
  if (error.name.startsWith('InvalidDataLength') || error.name === 'InvalidMessageLengthError') {
    return new MalformedDocument(`expected a message of at most ${maxBytes} bytes, found a longer one`, {
      cause: error
    })
  }
  return new StreamEndedEarly(`expected a whole message, the stream broke off: ${error.message}`, {
    cause: error
  })
}

async function readOne(stream: Stream, options: ExchangeOptions): Promise<Uint8Array> {
  const maxDataLength = options.maxBytes ?? MAX_MESSAGE_BYTES
  try {
    for await (const bytes of lp.decode(readPaced(stream, options), { maxDataLength }))
      return bytes.subarray()
  } catch (thrown) {
    options.signal?.throwIfAborted()
    throw messageError(thrown, maxDataLength)
  }
  options.signal?.throwIfAborted()
  throw new StreamEndedEarly('expected a whole message, found the end of the stream')
}

async function writeOne(stream: Stream, body: Uint8Array, options: ExchangeOptions): Promise<void> {
  if (!stream.send(frameOf(body))) await drained(stream, options)
  await stream.close(options.signal === undefined ? {} : { signal: options.signal })
}

/** The bytes of a reply, or of the error in its place. */
export function encodeReply(reply: unknown): Uint8Array {
  return encodePlain({ reply })
}

/** Errors with a published code travel as they are; anything else as `internal`, so that no engine's words leave. */
export function encodeRefusal(thrown: unknown): Uint8Array {
  const error =
    thrown instanceof DynamosError
      ? { code: thrown.code, message: thrown.message.slice(0, 2048) }
      : { code: 'internal', message: 'the agent failed; its own log says more' }
  return encodePlain({ error })
}

/**
 * Opens the bytes of a reply.
 *
 * @throws {PeerRefused} with the peer's code and words
 * @throws {MalformedDocument}
 */
export function openReply<T>(bytes: Uint8Array, schema: z.ZodType<T>, maxBytes = MAX_MESSAGE_BYTES): T {
  const answer = decodePlain(bytes, z.union([refusal, z.strictObject({ reply: schema })]), maxBytes)
  if ('error' in answer) throw new PeerRefused(answer.error.code, answer.error.message)
  return answer.reply
}

/**
 * Sends one message and waits for its one reply; the stream is used up. On any failure it is reset, so that neither end
 * keeps it.
 *
 * @throws {PeerRefused} when the peer answers with an error
 * @throws {StreamEndedEarly} when the stream breaks off; {MalformedDocument} when the reply breaks its schema
 */
export async function exchangeOnce<T>(
  stream: Stream,
  message: unknown,
  replySchema: z.ZodType<T>,
  options: ExchangeOptions = {}
): Promise<T> {
  try {
    const [bytes] = await Promise.all([
      readOne(stream, options),
      writeOne(stream, encodePlain(message), options)
    ])
    return openReply(bytes, replySchema, options.maxBytes)
  } catch (thrown) {
    const error = toError(thrown)
    stream.abort(error)
    throw error
  }
}

/**
 * Answers one message: reads, checks, runs the handler, replies. What the handler throws travels as a typed error and is
 * also thrown here, for the log.
 */
export async function serveOnce<T>(
  stream: Stream,
  requestSchema: z.ZodType<T>,
  handler: (message: T) => Promise<unknown>,
  options: ExchangeOptions = {}
): Promise<void> {
  let reply: Uint8Array
  let failure: Error | undefined
  try {
    reply = encodeReply(
      await handler(decodePlain(await readOne(stream, options), requestSchema, options.maxBytes))
    )
  } catch (thrown) {
    failure = toError(thrown)
    if (failure instanceof StreamEndedEarly || options.signal?.aborted === true) {
      stream.abort(failure)
      throw failure
    }
    reply = encodeRefusal(failure)
  }
  try {
    await writeOne(stream, reply, options)
  } catch (thrown) {
    stream.abort(toError(thrown))
    throw failure ?? thrown
  }
  if (failure !== undefined) throw failure
}
