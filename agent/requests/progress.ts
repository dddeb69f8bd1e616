import { FINAL_STATUS, type ProgressEvent, type RequestStatus } from '../api/index.ts'

const MAX_KEPT = 500

/** What happened to one request so far, for whoever watches it; ends after a final status. */
export class Progress {
  readonly #events: ProgressEvent[] = []
  #wake: (() => void)[] = []
  #ended = false
  readonly #after: number

  /** @param after events that an earlier run of the agent told have no greater number: whoever saw those still sees all of these */
  constructor(after = 0) {
    this.#after = after
  }

  get ended(): boolean {
    return this.#ended
  }

  tell(
    at: number,
    status: RequestStatus,
    phase: string,
    message: string,
    more: Partial<ProgressEvent> = {}
  ): void {
    if (this.#ended) return
    const last = this.#events.at(-1)
    if (
      last?.phase === phase &&
      last.message === message &&
      last.status === status &&
      more.bytes === undefined
    )
      return
    if (this.#events.length >= MAX_KEPT) this.#events.splice(1, 1)
    const sequence = (last?.sequence ?? this.#after) + 1
    this.#events.push({ sequence, at: new Date(at).toISOString(), status, phase, message, ...more })
    this.#ended = FINAL_STATUS.includes(status)
    const waiting = this.#wake
    this.#wake = []
    for (const wake of waiting) wake()
  }

  async *watch(signal: AbortSignal): AsyncGenerator<ProgressEvent> {
    let seen = 0
    for (;;) {
      const next = this.#events.filter((event) => event.sequence > seen)
      for (const event of next) {
        seen = event.sequence
        yield event
      }
      // while those were taken the last ones may have been told
      if (next.length > 0) continue
      if (this.#ended || signal.aborted) return
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake.push(resolve)
      const stop = (): void => resolve()
      signal.addEventListener('abort', stop, { once: true })
      await promise
      signal.removeEventListener('abort', stop)
    }
  }
}
