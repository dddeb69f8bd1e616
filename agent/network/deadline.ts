import { setMaxListeners } from 'node:events'

/**
 * Runs `work` with a signal that aborts at the deadline or when the caller's does. Everything is let go of when the work ends:
 * `AbortSignal.any` over a long-lived signal would collect listeners for ever on Node 20.
 */
export async function withDeadline<T>(
  limits: { milliseconds: number; signal?: AbortSignal | undefined; late: () => Error },
  work: (signal: AbortSignal) => Promise<T>
): Promise<T> {
  limits.signal?.throwIfAborted()
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  const timer = setTimeout(() => controller.abort(limits.late()), limits.milliseconds)
  const onAbort = (): void => controller.abort(limits.signal?.reason)
  limits.signal?.addEventListener('abort', onAbort, { once: true })
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onLate = (): void => reject(controller.signal.reason)
  controller.signal.addEventListener('abort', onLate, { once: true })
  try {
    // Raced, since not everything in libp2p lets go when its signal aborts.
    return await Promise.race([work(controller.signal), aborted])
  } catch (thrown) {
    throw controller.signal.aborted ? controller.signal.reason : thrown
  } finally {
    clearTimeout(timer)
    limits.signal?.removeEventListener('abort', onAbort)
    controller.signal.removeEventListener('abort', onLate)
  }
}
