/** More often nobody can read it, and what is kept of a request's progress is bounded. */
const EVERY_MS = 200
/** Before that a rate says nothing. */
const SETTLED_MS = 100

interface Flow {
  began: number
  told: number
  first: number
}

/** How fast the flows of one request move: which of their many small steps are told, and how long the rest may take. */
export class Pace {
  readonly #flows = new Map<string, Flow>()

  /**
   * @param of bytes in all, when that is known
   * @returns null when it was told a moment ago
   */
  step(flow: string, bytes: number, of: number | null, now: number): { etaMilliseconds?: number } | null {
    const known = this.#flows.get(flow)
    const state = known ?? { began: now, told: Number.NEGATIVE_INFINITY, first: bytes }
    if (known === undefined) this.#flows.set(flow, state)
    const isLast = of !== null && bytes >= of
    if (!isLast && now - state.told < EVERY_MS) return null
    state.told = now
    const [moved, took] = [bytes - state.first, now - state.began]
    if (of === null || isLast || moved <= 0 || took < SETTLED_MS) return {}
    return { etaMilliseconds: Math.round(((of - bytes) * took) / moved) }
  }
}
