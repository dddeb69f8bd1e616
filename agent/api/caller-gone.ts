import type { FastifyReply } from 'fastify'

/**
 * Aborts when the caller hangs up before it has its answer. Not fastify's `request.signal`: that follows the request's own
 * `close`, which Node emits as soon as a body was read.
 */
export function callerGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new DOMException('the caller hung up', 'AbortError'))
  })
  return gone.signal
}
