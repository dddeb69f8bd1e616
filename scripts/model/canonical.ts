/** The same text for the same value, in whatever order its fields were put together. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) =>
    typeof field === 'object' && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : 1)))
      : field
  )
}

/** Gives every different value a number. */
export class Numbering<Value> {
  readonly #numbers = new Map<string, number>()
  readonly #values: Value[] = []

  number(value: Value): number {
    const text = textOf(value)
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    const fresh = this.#values.length
    this.#numbers.set(text, fresh)
    this.#values.push(value)
    return fresh
  }

  value(number: number): Value {
    const value = this.#values[number]
    if (value === undefined) throw new Error(`there is no value ${number}`)
    return value
  }

  get size(): number {
    return this.#values.length
  }
}
