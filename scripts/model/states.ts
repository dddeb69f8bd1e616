/** The words of a global state: four agents, what is under way between them, and what is left of the budgets. */
export const WORDS = 6
const AGENTS = 4

/** Global states, each kept once and compared exactly, in the order in which they were found. */
export class States {
  readonly #words: Int32Array
  readonly #parents: Int32Array
  readonly #moves: Int32Array
  readonly #table: Int32Array
  readonly #mask: number
  readonly capacity: number
  size = 0

  constructor(capacity: number) {
    this.capacity = capacity
    const slots = 2 ** Math.ceil(Math.log2(capacity * 2))
    this.#words = new Int32Array(capacity * WORDS)
    this.#parents = new Int32Array(capacity)
    this.#moves = new Int32Array(capacity)
    this.#table = new Int32Array(slots)
    this.#mask = slots - 1
  }

  /** The state's number when it is new; -1 when it is known, -2 when there is no room. */
  add(state: Int32Array, parent: number, move: number): number {
    let hash = 0
    for (let word = 0; word < WORDS; word++)
      hash = Math.imul(hash ^ (state[word] ?? 0), 0x9e3779b1) ^ (hash >>> 15)
    let slot = (hash ^ (hash >>> 13)) & this.#mask
    for (;;) {
      const entry = this.#table[slot] ?? 0
      if (entry === 0) break
      if (this.#is(entry - 1, state)) return -1
      slot = (slot + 1) & this.#mask
    }
    if (this.size >= this.capacity) return -2
    const number = this.size++
    this.#words.set(state, number * WORDS)
    this.#parents[number] = parent
    this.#moves[number] = move
    this.#table[slot] = number + 1
    return number
  }

  #is(number: number, state: Int32Array): boolean {
    const at = number * WORDS
    for (let word = 0; word < WORDS; word++) if (this.#words[at + word] !== state[word]) return false
    return true
  }

  read(number: number, into: Int32Array): void {
    into.set(this.#words.subarray(number * WORDS, number * WORDS + WORDS))
  }

  parent(number: number): number {
    return this.#parents[number] ?? -1
  }

  move(number: number): number {
    return this.#moves[number] ?? -1
  }
}

export const WIRE = AGENTS
export const BUDGET = AGENTS + 1
