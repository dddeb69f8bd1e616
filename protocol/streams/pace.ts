import { type Stream, StreamResetError } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import { toError } from '../errors/index.ts'

export type Chunk = Uint8Array | Uint8ArrayList

function errorOf(event: Event): Error {
  return 'error' in event && event.error instanceof Error
    ? event.error
    : new StreamResetError('the stream was closed')
}

/**
 * Waits until the stream takes more data. `stream.onDrain()` cannot serve: its promise is never renewed, so it waits once
 * per stream (libp2p 3.3, @libp2p/utils 7.4.1).
 */
export async function drained(stream: Stream, options: { signal?: AbortSignal } = {}): Promise<void> {
  const { signal } = options
  signal?.throwIfAborted()
  if (!stream.writableNeedsDrain) return
  if (stream.status !== 'open' || stream.remoteReadStatus === 'closed')
    throw new StreamResetError('the stream was closed')
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onDrain = (): void => resolve()
  const onClose = (event: Event): void => reject(errorOf(event))
  const onAbort = (): void => reject(signal?.reason)
  stream.addEventListener('drain', onDrain)
  stream.addEventListener('close', onClose)
  signal?.addEventListener('abort', onAbort)
  try {
    await promise
  } finally {
    stream.removeEventListener('drain', onDrain)
    stream.removeEventListener('close', onClose)
    signal?.removeEventListener('abort', onAbort)
  }
}

/** Writes everything with back-pressure, then half-closes. On any failure the stream is reset, so that both ends let go. */
export async function writeAll(
  stream: Stream,
  source: AsyncIterable<Chunk> | Iterable<Chunk>,
  options: { signal?: AbortSignal } = {}
): Promise<void> {
  try {
    for await (const chunk of source) {
      if (!stream.send(chunk)) await drained(stream, options)
    }
    await stream.close(options)
  } catch (thrown) {
    const error = toError(thrown)
    stream.abort(error)
    throw error
  }
}

/**
 * Reads with back-pressure: the stream is paused while the consumer works, so call it before a handler's first `await`.
 * `for await (… of stream)` cannot serve: it has no back-pressure, hangs when the peer's half-close came first, and ends
 * cleanly after a reset. The end of the stream proves nothing, so every protocol needs an end of its own.
 */
export function readPaced(stream: Stream, options: { signal?: AbortSignal } = {}): AsyncGenerator<Chunk> {
  const { signal } = options
  const queue: Chunk[] = []
  let failure: Error | undefined
  let resuming = false
  let wake = (): void => {}
  const pause = (): void => {
    if (stream.readStatus === 'readable') stream.pause()
  }
  const onMessage = (event: Event & { data: Chunk }): void => {
    queue.push(event.data)
    // Pausing inside a message that resume() itself dispatched lets yamux re-open the window of a paused stream until its
    // read buffer overflows.
    if (!resuming) pause()
    wake()
  }
  const onEnd = (): void => wake()
  const onClose = (event: Event): void => {
    if ('error' in event && event.error instanceof Error) failure ??= event.error
    wake()
  }
  const onAbort = (): void => stream.abort(toError(signal?.reason))
  pause()
  stream.addEventListener('message', onMessage)
  stream.addEventListener('remoteCloseWrite', onEnd)
  stream.addEventListener('close', onClose)
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted === true) onAbort()

  async function* read(): AsyncGenerator<Chunk> {
    try {
      while (true) {
        for (let chunk = queue.shift(); chunk !== undefined; chunk = queue.shift()) yield chunk
        if (failure !== undefined) throw failure
        if (stream.status === 'reset' || stream.status === 'aborted') {
          throw new StreamResetError('the stream was reset before it was read')
        }
        if (stream.readStatus === 'paused') {
          resuming = true
          stream.resume()
          resuming = false
          if (queue.length > 0) {
            pause()
            continue
          }
        }
        if (stream.remoteWriteStatus === 'closed' && stream.readBufferLength === 0) return
        const { promise, resolve } = Promise.withResolvers<void>()
        wake = resolve
        await promise
      }
    } finally {
      stream.removeEventListener('message', onMessage)
      stream.removeEventListener('remoteCloseWrite', onEnd)
      stream.removeEventListener('close', onClose)
      signal?.removeEventListener('abort', onAbort)
    }
  }
  return read()
}
