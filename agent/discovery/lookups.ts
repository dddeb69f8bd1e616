/** How long an answer is used without looking again, in milliseconds. */
const FRESH_MS = 10_000
/** How long it is used at all, while a fresh one is fetched. */
const STALE_MS = 60_000
const NEGATIVE_MS = 2_000
const MAX_ENTRIES = 1024

export interface Found<T> {
  readonly found: readonly T[]
  /** Whether everywhere was looked; else it is not remembered. */
  readonly complete: boolean
}

interface Entry<T> {
  readonly found: readonly T[]
  readonly at: number
}

/**
 * Remembers what was found: at once again while every provider is still there, refreshed in the background after 10 s; that
 * nothing was found for 2 s. Searches for the same thing at the same time are one search.
 */
export class Lookups<T> {
  readonly #entries = new Map<string, Entry<T>>()
  readonly #running = new Map<string, Promise<Found<T>>>()
  readonly #now: () => number
  readonly #isThere: (one: T) => boolean

  constructor(now: () => number, isThere: (one: T) => boolean) {
    this.#now = now
    this.#isThere = isThere
  }

  /** Something changed: nothing that was found, or is being searched, counts any more. */
  clear(): void {
    this.#entries.clear()
    this.#running.clear()
  }

  async find(key: string, search: () => Promise<Found<T>>): Promise<readonly T[]> {
    const entry = this.#entries.get(key)
    if (entry === undefined || !entry.found.every(this.#isThere)) return await this.#search(key, search)
    const age = this.#now() - entry.at
    if (entry.found.length === 0) return age <= NEGATIVE_MS ? [] : await this.#search(key, search)
    if (age > STALE_MS) return await this.#search(key, search)
    if (age > FRESH_MS) this.#search(key, search).catch(() => undefined)
    return entry.found
  }

  async #search(key: string, search: () => Promise<Found<T>>): Promise<readonly T[]> {
    const running = this.#running.get(key)
    if (running !== undefined) return (await running).found
    const searching = search()
    this.#running.set(key, searching)
    try {
      const { found, complete } = await searching
      if (complete && this.#running.get(key) === searching) this.#keep(key, found)
      return found
    } finally {
      if (this.#running.get(key) === searching) this.#running.delete(key)
    }
  }

  #keep(key: string, found: readonly T[]): void {
    this.#entries.delete(key)
    this.#entries.set(key, { found, at: this.#now() })
    const oldest = this.#entries.keys().next()
    if (this.#entries.size > MAX_ENTRIES && oldest.done !== true) this.#entries.delete(oldest.value)
  }
}
