/** Never all of them to one organisation: what is accepted and never started would keep everybody else out. */
const SHARE = 0.75

/** The places for shares that are promised or run here, by contract. */
export class Slots {
  readonly #most: number
  readonly #own: string
  readonly #taken = new Map<string, string>()

  /** @param own this organisation, whose people may take every place */
  constructor(most: number, own: string) {
    this.#most = most
    this.#own = own
  }

  /** Thousandths in use. */
  get load(): number {
    return Math.min(1000, Math.round((this.#taken.size / this.#most) * 1000))
  }

  /** @returns why it may not; null when the contract has its place */
  take(contract: string, organisation: string): string | null {
    if (this.#taken.has(contract)) return null
    if (this.#taken.size >= this.#most) return `${this.#own} runs ${this.#most} jobs already; try again`
    const most = this.#mostOf(organisation)
    const held = [...this.#taken.values()].filter((one) => one === organisation).length
    if (held >= most) return `${this.#own} has taken up ${most} jobs of ${organisation} already; try again`
    this.#taken.set(contract, organisation)
    return null
  }

  /** Takes the place of a contract that was accepted before a restart, whether there is one or not. */
  hold(contract: string, organisation: string): void {
    this.#taken.set(contract, organisation)
  }

  free(contract: string): void {
    this.#taken.delete(contract)
  }

  #mostOf(organisation: string): number {
    if (organisation === this.#own) return this.#most
    return Math.max(1, Math.min(this.#most - 1, Math.ceil(this.#most * SHARE)))
  }
}
