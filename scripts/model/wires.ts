/** Sets of envelopes under way, by number. Two equal words between the same agents are one: a second copy is a duplicate. */
export class Wires {
  readonly #numbers = new Map<string, number>()
  readonly #sets: (readonly number[])[] = []
  /** One bit for each envelope, 32 to a word. */
  readonly #bits: Int32Array[] = []
  readonly #without: Map<number, number>[] = []

  number(envelopes: readonly number[]): number {
    const sorted = [...new Set(envelopes)].toSorted((a, b) => a - b)
    const text = sorted.join()
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    const fresh = this.#sets.length
    this.#numbers.set(text, fresh)
    this.#sets.push(sorted)
    const bits = new Int32Array(((sorted.at(-1) ?? 0) >> 5) + 1)
    for (const envelope of sorted) bits[envelope >> 5] = (bits[envelope >> 5] ?? 0) | (1 << (envelope & 31))
    this.#bits.push(bits)
    return fresh
  }

  set(number: number): readonly number[] {
    return this.#sets[number] ?? []
  }

  /** Whether the large set holds everything of the small one. */
  covers(large: number, small: number): boolean {
    if (large === small) return true
    const [all, some] = [this.#bits[large], this.#bits[small]]
    if (all === undefined || some === undefined || some.length > all.length) return false
    for (let word = some.length - 1; word >= 0; word--)
      if (((some[word] ?? 0) & ~(all[word] ?? 0)) !== 0) return false
    return true
  }

  with(number: number, envelopes: readonly number[]): number {
    const known = this.set(number)
    const fresh = envelopes.filter((envelope) => !known.includes(envelope))
    return fresh.length === 0 ? number : this.number([...known, ...fresh])
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
