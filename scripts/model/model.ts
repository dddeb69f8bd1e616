import { type Bounds, beginning } from './beginning.ts'
import { budgetOf, type Cost, isAtLeast, left } from './budgets.ts'
import { Numbering } from './canonical.ts'
import { formOf, formOfEnvelope, withoutFuture } from './forms.ts'
import { Mirror } from './mirror.ts'
import { isMissed, type Move, ownMoves, type Taken, take, wordsBefore } from './moves.ts'
import { brokenLaw, type Deeds, deedsOf } from './properties.ts'
import { NONE, type Reductions } from './reductions.ts'
import { RULES } from './rules.ts'
import { BUDGET, type Order, WIRE, WORDS } from './states.ts'
import { Wires } from './wires.ts'
import { type Envelope, type Local, PEERS, type Rules, type Surroundings } from './world.ts'

/** What a move does, in numbers. */
interface Result {
  local: number
  sent: readonly number[]
  /** The same, with a crash on the way. */
  crashes: readonly number[]
  broken: string | null
}

export interface Option {
  agent: number
  move: number
  /** The envelope that is used up by it; -1: none. */
  takes: number
  costs: Cost | null
}

/** Four of them fit into a number. */
const MAX_DEEDS = 8192

/** The agents of one exchange as a graph of numbers: what may happen in a state, and what comes of it. */
export class Model {
  readonly bounds: Bounds
  readonly reductions: Reductions
  readonly around: Surroundings
  readonly mirror: Mirror
  readonly #locals = new Numbering<Local>()
  readonly #envelopes = new Numbering<Envelope>()
  readonly #wires = new Wires()
  readonly #moves = new Numbering<Move>()
  readonly #results: Map<number, Result>[] = []
  readonly #own: (readonly Option[])[] = []
  readonly #deeds = new Numbering<Deeds>()
  readonly #deedsOf: number[] = []
  readonly #laws = new Map<number, string | null>()
  readonly #over: boolean[] = []
  readonly #to: number[] = []
  readonly #hears: number[] = []
  readonly #misses: number[] = []
  /** Without use for crashes, and without use for timers either. */
  readonly #restricted: [number[], number[]] = [[], []]

  constructor(bounds: Bounds, rules: Rules = RULES, reductions: Reductions = NONE) {
    this.bounds = bounds
    this.reductions = reductions
    const { eager, twoContracts = false } = bounds
    this.around = { rules, eager, twoContracts, contracts: new Map() }
    const numbers = {
      local: (number: number) => this.local(number),
      envelope: (number: number) => this.envelope(number),
      wire: (number: number) => this.wire(number),
      numberOfLocal: (local: Local) => this.#local(local),
      numberOfEnvelope: (envelope: Envelope) => this.#envelope(envelope),
      numberOfWire: (envelopes: readonly number[]) => this.#wires.number(envelopes)
    }
    this.mirror = new Mirror(numbers, this.around)
  }

  local(number: number): Local {
    return this.#locals.value(number)
  }

  move(number: number): Move {
    return this.#moves.value(number)
  }

  envelope(number: number): Envelope {
    return this.#envelopes.value(number)
  }

  wire(number: number): readonly number[] {
    return this.#wires.set(number)
  }

  get sizes(): { locals: number; envelopes: number } {
    return { locals: this.#locals.size, envelopes: this.#envelopes.size }
  }

  first(): Int32Array {
    const { locals, wire } = beginning(this.bounds, this.around)
    const state = new Int32Array(WORDS)
    for (const [at, local] of locals.entries()) state[at] = this.#local(local)
    state[WIRE] = this.#wires.number(wire.map((envelope) => this.#envelope(envelope)))
    state[BUDGET] = budgetOf(this.bounds.budgets)
    this.reduce(state)
    return state
  }

  /** Turns a state into the one that stands for it, as far as the reductions go. */
  reduce(state: Int32Array): void {
    const { budgets, mirror } = this.reductions
    if (budgets) this.#restrict(state)
    if (mirror && this.bounds.dataProviders === 2) this.mirror.reduce(state)
  }

  #restrict(state: Int32Array): void {
    const budget = state[BUDGET] ?? 0
    if (left(budget, 'crashes') > 0) return
    const timers = left(budget, 'timers') > 0
    const known = this.#restricted[timers ? 0 : 1]
    for (let agent = 0; agent < PEERS.length; agent++) {
      const local = state[agent] ?? 0
      known[local] ??= this.#local(withoutFuture(this.local(local), false, timers))
      state[agent] = known[local] ?? 0
    }
  }

  /** By which states cover others; null: none does. */
  get order(): Order | null {
    if (!this.reductions.covers) return null
    return { wire: (large, small) => this.#wires.covers(large, small), budget: isAtLeast }
  }

  #local(local: Local): number {
    return this.#locals.number(this.reductions.forms ? formOf(local) : local)
  }

  #envelope(envelope: Envelope): number {
    return this.#envelopes.number(this.reductions.forms ? formOfEnvelope(envelope) : envelope)
  }

  #crashes(move: Move, taken: Taken): number[] {
    if (move.do === 'crash' || move.do === 'crash within') return []
    return wordsBefore(taken).map((words) => this.#moves.number({ do: 'crash within', move, words }))
  }

  /** Everything that may happen, whatever is left of the budgets. */
  options(state: Int32Array): Option[] {
    const options: Option[] = []
    const { anyRepeats = false } = this.bounds
    for (const envelope of this.wire(state[WIRE] ?? 0)) {
      if (anyRepeats && this.#isRepeated(state[this.#addressee(envelope)] ?? 0, envelope)) continue
      options.push({
        agent: this.#addressee(envelope),
        move: this.#hear(envelope),
        takes: envelope,
        costs: null
      })
    }
    for (let agent = 0; agent < PEERS.length; agent++)
      for (const option of this.#ownOptions(state[agent] ?? 0, agent)) {
        if (this.move(option.move).do === 'finish its share' && agent === 0 && !this.#inputsAreThere(state))
          continue
        options.push(option)
      }
    return options
  }

  #miss(envelope: number): number {
    const move = this.#moves.number({ do: 'learn that it was lost', envelope: this.envelope(envelope) })
    this.#misses[envelope] = move
    return move
  }

  #hear(envelope: number): number {
    const known = this.#hears[envelope]
    if (known !== undefined) return known
    const move = this.#moves.number({ do: 'hear', envelope: this.envelope(envelope) })
    this.#hears[envelope] = move
    return move
  }

  #ownOptions(local: number, agent: number): readonly Option[] {
    const known = this.#own[local]
    if (known !== undefined) return known
    const options = ownMoves(this.local(local)).map(({ move, costs }) => ({
      agent,
      move: this.#moves.number(move),
      takes: -1,
      costs
    }))
    this.#own[local] = options
    return options
  }

  /** The result can only be stored once all others have done their shares. */
  #inputsAreThere(state: Int32Array): boolean {
    const { running } = this.local(state[0] ?? 0)
    const parties = this.around.contracts.get(running ?? '')?.parties ?? []
    return parties.every(({ peer }) => {
      const at = PEERS.indexOf(peer)
      return at === 0 || this.local(state[at] ?? 0).produced.includes(running ?? '')
    })
  }

  /** More ways in which an envelope can fare: twice, lost, noticed or not. */
  mishaps(envelope: number, silent: boolean): Option[] {
    const agent = this.#addressee(envelope)
    const options: Option[] = []
    if (this.bounds.anyRepeats !== true)
      options.push({ agent, move: this.#hear(envelope), takes: -1, costs: 'duplicates' })
    if (isMissed(this.envelope(envelope))) {
      const move = this.#misses[envelope] ?? this.#miss(envelope)
      options.push({ agent: 0, move, takes: envelope, costs: 'losses' })
    }
    if (silent) options.push({ agent: -1, move: -1, takes: envelope, costs: 'losses' })
    return options
  }

  /** As the option, with a crash after each word that it sends. */
  crashesWithin(state: Int32Array, option: Option): Option[] {
    if (option.agent < 0 || option.costs === 'crashes') return []
    const { crashes } = this.#result(state[option.agent] ?? 0, option.move)
    return crashes.map((move) => ({ ...option, move, costs: 'crashes' }))
  }

  /** @returns the law that is broken, or null; `into` is the state that comes of it */
  apply(state: Int32Array, option: Option, into: Int32Array): string | null {
    into.set(state)
    const { anyRepeats = false } = this.bounds
    const wire = state[WIRE] ?? 0
    into[WIRE] = option.takes < 0 || anyRepeats ? wire : this.#wires.without(wire, option.takes)
    let broken: string | null = null
    if (option.agent >= 0) broken = this.#at(into, option.agent, option.move)
    return broken ?? (anyRepeats ? this.#sayAll(into) : this.#tellTheEnded(into)) ?? this.#law(into)
  }

  /**
   * Where nothing is used up, whatever an agent would only answer, staying as it is, is answered at once: with more under way
   * all can do what they could do with less.
   */
  #sayAll(state: Int32Array): string | null {
    for (let before = -1; before !== state[WIRE]; ) {
      before = state[WIRE] ?? 0
      const answers: number[] = []
      for (const envelope of this.wire(before)) {
        const agent = this.#addressee(envelope)
        const local = state[agent] ?? 0
        const { local: after, sent, broken } = this.#result(local, this.#hear(envelope))
        if (broken !== null) return broken
        if (after === local) answers.push(...sent)
      }
      state[WIRE] = this.#wires.with(before, answers)
    }
    return null
  }

  #at(state: Int32Array, agent: number, move: number): string | null {
    const result = this.#result(state[agent] ?? 0, move)
    state[agent] = result.local
    state[WIRE] = this.#wires.with(state[WIRE] ?? 0, result.sent)
    return result.broken
  }

  /**
   * Who has ended only answers, always the same. What is under way to it is delivered at once: its answers may still take as
   * long as they like.
   */
  #tellTheEnded(state: Int32Array): string | null {
    const over = [0, 1, 2, 3].map((agent) => this.#isOver(state[agent] ?? 0))
    if (!over.includes(true)) return null
    for (let told = true; told; ) {
      told = false
      for (const envelope of this.wire(state[WIRE] ?? 0)) {
        const agent = this.#addressee(envelope)
        // What it still notes down may come at any time.
        if (over[agent] !== true || !this.#isRepeated(state[agent] ?? 0, envelope)) continue
        state[WIRE] = this.#wires.without(state[WIRE] ?? 0, envelope)
        const broken = this.#at(state, agent, this.#hear(envelope))
        if (broken !== null) return broken
        told = true
        break
      }
    }
    return null
  }

  #isRepeated(local: number, envelope: number): boolean {
    return this.#result(local, this.#hear(envelope)).local === local
  }

  #addressee(envelope: number): number {
    const known = this.#to[envelope]
    if (known !== undefined) return known
    const { to } = this.envelope(envelope)
    const agent = PEERS.indexOf(to)
    this.#to[envelope] = agent
    return agent
  }

  #isOver(local: number): boolean {
    const known = this.#over[local]
    if (known !== undefined) return known
    const over = isOver(this.local(local))
    this.#over[local] = over
    return over
  }

  #law(state: Int32Array): string | null {
    let key = 0
    for (let agent = 0; agent < PEERS.length; agent++)
      key = key * MAX_DEEDS + this.#deedsNumber(state[agent] ?? 0)
    const known = this.#laws.get(key)
    if (known !== undefined) return known
    const all = PEERS.map((_, agent) => this.#deeds.value(this.#deedsNumber(state[agent] ?? 0)))
    const law = brokenLaw(all, this.around.contracts, !this.around.twoContracts)
    this.#laws.set(key, law)
    return law
  }

  #deedsNumber(local: number): number {
    const known = this.#deedsOf[local]
    if (known !== undefined) return known
    const number = this.#deeds.number(deedsOf(this.local(local)))
    if (number >= MAX_DEEDS) throw new Error('more deeds than there are numbers for')
    this.#deedsOf[local] = number
    return number
  }

  #result(local: number, move: number): Result {
    this.#results[local] ??= new Map()
    const known = this.#results[local].get(move)
    if (known !== undefined) return known
    const taken = take(this.local(local), this.move(move), this.around)
    const result = {
      local: this.#local(taken.local),
      sent: taken.sent.map((envelope) => this.#envelope(envelope)),
      crashes: this.#crashes(this.move(move), taken),
      broken: taken.broken
    }
    this.#results[local].set(move, result)
    return result
  }
}

/** Whether it will never do anything again but repeat how it ended. One that only forgot may remember. */
function isOver({ gone, hop, coordinator, disk }: Local): boolean {
  if (gone) return true
  if (coordinator !== null && coordinator.stage.phase !== 'ended') return false
  const stage = (hop ?? disk.hop)?.stage
  if (stage?.phase !== 'ended') return false
  return stage.outcome.signer !== null || (hop ?? disk.hop)?.answered.length !== 0
}
