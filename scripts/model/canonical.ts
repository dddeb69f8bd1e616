/** The same text for the same value, in whatever order its fields were put together. */
export function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) {
    let text = '['
    for (const one of value) text += `${textOf(one)},`
    return text.length === 1 ? '[]' : `${text.slice(0, -1)}]`
  }
  let text = '{'
  for (const [key, field] of Object.entries(value).sort(byKey))
    if (field !== undefined) text += `"${key}":${textOf(field)},`
  return text.length === 1 ? '{}' : `${text.slice(0, -1)}}`
}

function byKey(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  if (a[0] === b[0]) return 0
  return a[0] < b[0] ? -1 : 1
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
