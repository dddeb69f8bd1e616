/** The words of a global state: four agents, what is under way between them, and what is left of the budgets. */
export const WORDS = 6
const AGENTS = 4
export const WIRE = AGENTS
export const BUDGET = AGENTS + 1

/** What tells whether one state can do all that another can, when both have the same agents. */
export interface Order {
  /** Whether everything of the second set is under way in the first. */
  wire(large: number, small: number): boolean
  /** Whether at least as much is left of each budget. */
  budget(large: number, small: number): boolean
}

/**
 * Global states, in the order in which they were found, compared exactly and not by digests.
 *
 * With an order, a state is not kept when another with the same agents covers it: more may be under way there, and more of each
 * budget be left. A message may take as long as it likes, so nothing that the smaller state can do needs its absence; whatever it
 * can do, the larger one can do as well, and comes to a state that covers what comes of it. (Abdulla et al. 1996, well-structured
 * transition systems.)
 */
export class States {
  readonly #words: Int32Array
  readonly #parents: Int32Array
  readonly #moves: Int32Array
  /** Of the same agents, one after another. */
  readonly #next: Int32Array
  readonly #struck: Uint8Array
  readonly #table: Int32Array
  readonly #mask: number
  readonly #order: Order | null
  readonly capacity: number
  size = 0
  /** Kept, and not covered by one that was found later. */
  largest = 0

  constructor(capacity: number, order: Order | null = null) {
    this.capacity = capacity
    this.#order = order
    const slots = 2 ** Math.ceil(Math.log2(capacity * 2))
    this.#words = new Int32Array(capacity * WORDS)
    this.#parents = new Int32Array(capacity)
    this.#moves = new Int32Array(capacity)
    this.#next = new Int32Array(order === null ? 0 : capacity)
    this.#struck = new Uint8Array(order === null ? 0 : capacity)
    this.#table = new Int32Array(slots)
    this.#mask = slots - 1
  }

  /** The state's number when it is new; -1 when it is known or covered, -2 when there is no room. */
  add(state: Int32Array, parent: number, move: number): number {
    const compared = this.#order === null ? WORDS : AGENTS
    let hash = 0
    for (let word = 0; word < compared; word++)
      hash = Math.imul(hash ^ (state[word] ?? 0), 0x9e3779b1) ^ (hash >>> 15)
    let slot = (hash ^ (hash >>> 13)) & this.#mask
    for (;;) {
      const entry = this.#table[slot] ?? 0
      if (entry === 0) break
      if (this.#is(entry - 1, state, compared)) {
        if (this.#order === null || this.#isCovered(this.#order, slot, state)) return -1
        break
      }
      slot = (slot + 1) & this.#mask
    }
    if (this.size >= this.capacity) return -2
    const number = this.size++
    this.largest++
    this.#words.set(state, number * WORDS)
    this.#parents[number] = parent
    this.#moves[number] = move
    if (this.#order !== null) this.#next[number] = this.#table[slot] ?? 0
    this.#table[slot] = number + 1
    return number
  }

  /** Looks through the states of the same agents, and strikes out those that the new one covers. */
  #isCovered({ wire, budget }: Order, slot: number, state: Int32Array): boolean {
    const [ownWire, ownBudget] = [state[WIRE] ?? 0, state[BUDGET] ?? 0]
    let before = -1
    for (let entry = this.#table[slot] ?? 0; entry !== 0; ) {
      const number = entry - 1
      entry = this.#next[number] ?? 0
      const otherWire = this.#words[number * WORDS + WIRE] ?? 0
      const otherBudget = this.#words[number * WORDS + BUDGET] ?? 0
      if (budget(otherBudget, ownBudget) && wire(otherWire, ownWire)) return true
      if (budget(ownBudget, otherBudget) && wire(ownWire, otherWire)) {
        // Should it be the first one, the new one takes its place at once.
        if (before < 0) this.#table[slot] = entry
        else this.#next[before] = entry
        this.#struck[number] = 1
        this.largest--
      } else before = number
    }
    return false
  }

  #is(number: number, state: Int32Array, words: number): boolean {
    const at = number * WORDS
    for (let word = 0; word < words; word++) if (this.#words[at + word] !== state[word]) return false
    return true
  }

  read(number: number, into: Int32Array): void {
    into.set(this.#words.subarray(number * WORDS, number * WORDS + WORDS))
  }

  /** Whether one that was found later covers it. */
  isCovered(number: number): boolean {
    return this.#struck[number] === 1
  }

  parent(number: number): number {
    return this.#parents[number] ?? -1
  }

  move(number: number): number {
    return this.#moves[number] ?? -1
  }
}
