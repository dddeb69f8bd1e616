import { once } from 'node:events'
import type { Writable } from 'node:stream'
import type { ProgressEvent } from './views.ts'

/** Proxies drop a connection that says nothing for a minute. */
const HEARTBEAT_MS = 15_000

function frameOf(event: ProgressEvent): string {
  return `id: ${event.sequence}\nevent: progress\ndata: ${JSON.stringify(event)}\n\n`
}

/** Where a client that was cut off goes on; anything but a number starts from the beginning. */
export function lastEventId(header: unknown): number {
  return typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : -1
}

/**
 * Writes events as server-sent events (WHATWG HTML §9.2) and ends the stream after the last. Waits for a slow reader.
 *
 * @param after events up to this sequence were seen already
 */
export async function writeEvents(
  events: AsyncIterable<ProgressEvent>,
  stream: Writable,
  after: number,
  options: { signal: AbortSignal }
): Promise<void> {
  const heartbeat = setInterval(() => stream.write(': still here\n\n'), HEARTBEAT_MS)
  heartbeat.unref()
  try {
    stream.write('retry: 1000\n\n')
    for await (const event of events) {
      if (options.signal.aborted) break
      if (event.sequence <= after) continue
      if (!stream.write(frameOf(event))) await once(stream, 'drain', { signal: options.signal })
    }
    stream.end()
  } finally {
    clearInterval(heartbeat)
  }
}
