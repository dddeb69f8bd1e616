import type { Stream } from '@libp2p/interface'
import * as lp from 'it-length-prefixed'
import type { Uint8ArrayList } from 'uint8arraylist'
import type { z } from 'zod'
import { encodePlain } from '../documents/index.ts'
import { toError } from '../errors/index.ts'
import { PeerRefused, StreamEndedEarly } from './errors.ts'
import {
  type ExchangeOptions,
  encodeRefusal,
  MAX_MESSAGE_BYTES,
  messageError,
  openReply
} from './exchange.ts'
import { frameOf } from './frames.ts'
import { drained, readPaced } from './pace.ts'

/**
 * The asking end of a stream that is kept: one question after the other, each with its reply. Opening a stream costs about
 * ten times what a question on an open one does.
 */
export class Conversation {
  readonly #stream: Stream
  readonly #maxBytes: number
  readonly #replies: AsyncGenerator<Uint8ArrayList>

  /** @param maxBytes the largest reply, in bytes */
  constructor(stream: Stream, maxBytes = MAX_MESSAGE_BYTES) {
    this.#stream = stream
    this.#maxBytes = maxBytes
    this.#replies = lp.decode(readPaced(stream), { maxDataLength: maxBytes })
  }

  /** Whether another question can be asked. */
  get usable(): boolean {
    const { status, writeStatus, remoteWriteStatus } = this.#stream
    return status === 'open' && writeStatus === 'writable' && remoteWriteStatus === 'writable'
  }

  /**
   * One question at a time. On any failure but a refusal the stream is reset.
   *
   * @throws {PeerRefused}, {StreamEndedEarly}, {MalformedDocument}
   */
  async ask<T>(
    message: unknown,
    replySchema: z.ZodType<T>,
    options: { signal?: AbortSignal } = {}
  ): Promise<T> {
    const { signal } = options
    const onAbort = (): void => this.#stream.abort(toError(signal?.reason))
    try {
      signal?.throwIfAborted()
      signal?.addEventListener('abort', onAbort, { once: true })
      if (!this.#stream.send(frameOf(encodePlain(message)))) await drained(this.#stream, options)
      const reply = await this.#next(signal)
      return openReply(reply.subarray(), replySchema, this.#maxBytes)
    } catch (thrown) {
      if (!(thrown instanceof PeerRefused)) this.#stream.abort(toError(thrown))
      throw thrown
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** No more questions. */
  close(): void {
    this.#stream.close().catch((thrown: unknown) => this.#stream.abort(toError(thrown)))
  }

  async #next(signal: AbortSignal | undefined): Promise<Uint8ArrayList> {
    let next: IteratorResult<Uint8ArrayList>
    try {
      next = await this.#replies.next()
    } catch (thrown) {
      signal?.throwIfAborted()
      throw messageError(thrown, this.#maxBytes)
    }
    if (next.done !== true) return next.value
    signal?.throwIfAborted()
    throw new StreamEndedEarly('expected a whole message, found the end of the stream')
  }
}

/**
 * The answering end: every question gets its reply, until the other end closes or asks nothing for `idleMs`.
 *
 * @param answer bytes of a question to bytes of a reply (`encodeReply`, `encodeRefusal`); it does not throw
 * @throws when the stream breaks off
 */
export async function serveAll(
  stream: Stream,
  answer: (question: Uint8Array) => Promise<Uint8Array>,
  options: Pick<ExchangeOptions, 'maxBytes'> & { idleMs: number }
): Promise<void> {
  const { maxBytes = MAX_MESSAGE_BYTES, idleMs } = options
  const questions = lp.decode(readPaced(stream), { maxDataLength: maxBytes })
  const onIdle = (): void => stream.abort(new StreamEndedEarly('nothing was asked for long'))
  let timer = setTimeout(onIdle, idleMs)
  try {
    for await (const question of questions) {
      clearTimeout(timer)
      const reply = await answer(question.subarray())
      if (stream.status !== 'open') return
      if (!stream.send(frameOf(reply))) await drained(stream)
      timer = setTimeout(onIdle, idleMs)
    }
    await stream.close()
  } catch (thrown) {
    const error = messageError(thrown, maxBytes)
    if (stream.status === 'open' && !(error instanceof StreamEndedEarly)) {
      stream.send(frameOf(encodeRefusal(error)))
      await stream.close()
      await stream.closeRead()
    } else {
      stream.abort(error)
    }
    throw error
  } finally {
    clearTimeout(timer)
  }
}
