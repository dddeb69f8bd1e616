export interface Rate {
  /** Sustained. */
  perSecond: number
  /** How many may come at once. */
  burst: number
}

const PRUNE_EVERY = 4096

/**
 * Generic cell rate algorithm (ITU-T I.371): one number per key, no timers. The key's next arrival is due at `tat`; one that
 * comes more than the burst too early does not conform.
 */
export class RateLimiter {
  readonly #interval: number
  readonly #tolerance: number
  readonly #due = new Map<string, number>()
  #calls = 0

  constructor({ perSecond, burst }: Rate) {
    this.#interval = 1000 / perSecond
    this.#tolerance = this.#interval * (burst - 1)
  }

  /**
   * @param now monotonic milliseconds
   * @param cost how many it counts for
   */
  allows(key: string, now: number, cost = 1): boolean {
    this.#calls++
    if (this.#calls % PRUNE_EVERY === 0) this.#prune(now)
    const due = Math.max(this.#due.get(key) ?? now, now)
    if (due - now > this.#tolerance) return false
    this.#due.set(key, due + cost * this.#interval)
    return true
  }

  #prune(now: number): void {
    for (const [key, due] of this.#due) if (due <= now) this.#due.delete(key)
  }
}
