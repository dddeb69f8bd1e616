/** One at a time of each asker; the others of the same asker wait, up to a limit. Askers do not wait for each other here. */
export class Turns {
  readonly #most: number
  /** Who waits behind the one whose turn it is, by asker. */
  readonly #waiting = new Map<string, (() => void)[]>()

  /** @param most how many may wait, for each asker */
  constructor(most: number) {
    this.#most = most
  }

  /** @returns how to end the turn; null when too many wait already */
  async take(asker: string): Promise<(() => void) | null> {
    const waiting = this.#waiting.get(asker)
    if (waiting === undefined) this.#waiting.set(asker, [])
    else if (waiting.length >= this.#most) return null
    else await new Promise<void>((resolve) => waiting.push(resolve))
    return () => {
      const next = this.#waiting.get(asker)?.shift()
      if (next === undefined) this.#waiting.delete(asker)
      else next()
    }
  }
}
