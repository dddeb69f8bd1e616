/** Sets of envelopes under way, by number. Two equal words between the same agents are one: a second copy is a duplicate. */
export class Wires {
  readonly #numbers = new Map<string, number>()
  readonly #sets: (readonly number[])[] = []
  readonly #with: Map<number, number>[] = []
  readonly #without: Map<number, number>[] = []

  number(envelopes: readonly number[]): number {
    const sorted = [...new Set(envelopes)].toSorted((a, b) => a - b)
    const text = sorted.join()
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    const fresh = this.#sets.length
    this.#numbers.set(text, fresh)
    this.#sets.push(sorted)
    return fresh
  }

  set(number: number): readonly number[] {
    return this.#sets[number] ?? []
  }

  with(number: number, envelope: number): number {
    this.#with[number] ??= new Map()
    const known = this.#with[number].get(envelope)
    if (known !== undefined) return known
    const fresh = this.number([...this.set(number), envelope])
    this.#with[number].set(envelope, fresh)
    return fresh
  }

  without(number: number, envelope: number): number {
    this.#without[number] ??= new Map()
    const known = this.#without[number].get(envelope)
    if (known !== undefined) return known
    const fresh = this.number(this.set(number).filter((one) => one !== envelope))
    this.#without[number].set(envelope, fresh)
    return fresh
  }
}
