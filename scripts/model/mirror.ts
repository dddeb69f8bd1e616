import { formOfContract, mirrored } from './forms.ts'
import { BUDGET, WIRE, WORDS } from './states.ts'
import { type Envelope, type Local, PEERS, type Surroundings } from './world.ts'

/** Numbers of values, and values of numbers. */
interface Numbers {
  local(number: number): Local
  envelope(number: number): Envelope
  wire(number: number): readonly number[]
  numberOfLocal(local: Local): number
  numberOfEnvelope(envelope: Envelope): number
  numberOfWire(envelopes: readonly number[]): number
}

/** Where an agent is when the data providers change places. */
const OTHER_PLACE = [0, 2, 1, 3]

/** Of each state and the one with the data providers exchanged, the one whose numbers come first. */
export class Mirror {
  readonly #numbers: Numbers
  readonly #around: Surroundings
  readonly #locals: number[] = []
  readonly #envelopes: number[] = []
  readonly #wires: number[] = []
  readonly #other = new Int32Array(WORDS)

  constructor(numbers: Numbers, around: Surroundings) {
    this.#numbers = numbers
    this.#around = around
  }

  /** @param into may be the state itself */
  exchange(state: Int32Array, into: Int32Array): void {
    const agents = PEERS.map((_, agent) => this.#local(state[agent] ?? 0))
    for (const [agent, local] of agents.entries()) into[OTHER_PLACE[agent] ?? agent] = local
    into[WIRE] = this.#wire(state[WIRE] ?? 0)
    into[BUDGET] = state[BUDGET] ?? 0
  }

  reduce(state: Int32Array): void {
    const other = this.#other
    this.exchange(state, other)
    for (let word = 0; word < WORDS; word++) {
      const [one, two] = [state[word] ?? 0, other[word] ?? 0]
      if (one < two) return
      if (one > two) {
        state.set(other)
        return
      }
    }
  }

  #local(local: number): number {
    const known = this.#locals[local]
    if (known !== undefined) return known
    const { contracts } = this.#around
    for (const [id, contract] of [...contracts]) {
      const other = mirrored(id)
      if (!contracts.has(other)) contracts.set(other, formOfContract(mirrored(contract)))
    }
    const number = this.#numbers.numberOfLocal(mirrored(this.#numbers.local(local)))
    this.#locals[local] = number
    this.#locals[number] = local
    return number
  }

  #envelope(envelope: number): number {
    const known = this.#envelopes[envelope]
    if (known !== undefined) return known
    const number = this.#numbers.numberOfEnvelope(mirrored(this.#numbers.envelope(envelope)))
    this.#envelopes[envelope] = number
    return number
  }

  #wire(wire: number): number {
    const known = this.#wires[wire]
    if (known !== undefined) return known
    const number = this.#numbers.numberOfWire(
      this.#numbers.wire(wire).map((envelope) => this.#envelope(envelope))
    )
    this.#wires[wire] = number
    this.#wires[number] = wire
    return number
  }
}
