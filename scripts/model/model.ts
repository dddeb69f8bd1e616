import { createCoordinator } from '../../protocol/negotiation/index.ts'
import { Turn } from './agent.ts'
import { Numbering } from './canonical.ts'
import { formOf, formOfContract, formOfEnvelope, mirrored, withoutFuture } from './forms.ts'
import { COSTS, type Cost, isMissed, type Move, newHop, ownMoves, take } from './moves.ts'
import { brokenLaw, type Deeds, deedsOf } from './properties.ts'
import { NONE, type Reductions } from './reductions.ts'
import { RULES } from './rules.ts'
import { BUDGET, type Order, WIRE, WORDS } from './states.ts'
import { Wires } from './wires.ts'
import {
  ASKER,
  COMPUTE,
  DATA_1,
  DATA_2,
  type Envelope,
  type Local,
  PEERS,
  type Rules,
  type Surroundings,
  TO_COME
} from './world.ts'

export interface Bounds {
  readonly budgets: Partial<Record<Cost, number>>
  readonly eager: boolean
  /** From the request, or from where all offers are there and the first contract is proposed. */
  readonly begin: 'asked' | 'proposed'
  readonly dataProviders: 1 | 2
  /** Exchanges that come to a later epoch are not followed. */
  readonly epochs: number
  readonly twoContracts?: boolean
  /**
   * Whatever was said may arrive any number of times, for ever: nothing is used up by being heard. More than any number of
   * duplicates, and than any loss that nobody notices.
   */
  readonly anyRepeats?: boolean
}

/** What a move does, in numbers. */
interface Result {
  local: number
  sent: readonly number[]
  cuts: readonly number[]
  broken: string | null
}

export interface Option {
  agent: number
  move: number
  /** The envelope that is used up by it; -1: none. */
  takes: number
  costs: Cost | null
}

const LIMITS = {
  offerWithin: TO_COME,
  composeWithin: TO_COME,
  acceptWithin: TO_COME,
  retryEvery: TO_COME,
  closeWithin: TO_COME,
  approvalWithin: 0,
  askAgainEvery: TO_COME
}

/** Where an agent is when the data providers change places. */
const MIRRORED = [0, 2, 1, 3]

/** Four of them fit into a number. */
const MAX_DEEDS = 8192

/** The agents of one exchange as a graph of numbers: what may happen in a state, and what comes of it. */
export class Model {
  readonly bounds: Bounds
  readonly reductions: Reductions
  readonly around: Surroundings
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
  readonly #mirrors: number[] = []
  readonly #mirrorsOfEnvelopes: number[] = []
  readonly #mirrorsOfWires: number[] = []
  /** Without use for crashes, and without use for timers either. */
  readonly #restricted: [number[], number[]] = [[], []]
  readonly #other = new Int32Array(WORDS)

  constructor(bounds: Bounds, rules: Rules = RULES, reductions: Reductions = NONE) {
    this.bounds = bounds
    this.reductions = reductions
    const { eager, twoContracts = false } = bounds
    this.around = { rules, eager, twoContracts, contracts: new Map() }
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
    const providers = this.bounds.dataProviders === 2 ? [DATA_1, DATA_2] : [DATA_1]
    const around = { ...this.around, eager: this.bounds.begin === 'proposed' || this.around.eager }
    const begin = createCoordinator({
      request: 'request',
      self: ASKER,
      candidates: [...providers, COMPUTE],
      limits: LIMITS,
      deadline: TO_COME,
      now: 0
    })
    const turn = new Turn({ ...aLocal(ASKER), hop: newHop(ASKER) }, around)
    turn.begin(begin)
    const locals = PEERS.map((peer) => (peer === ASKER ? turn.local : aLocal(peer)))
    let wire = turn.sent
    while (this.bounds.begin === 'proposed' && !wire.some(({ word }) => word.kind === 'propose')) {
      const next: Envelope[] = []
      for (const envelope of wire) {
        const at = PEERS.indexOf(envelope.to)
        const local = locals[at]
        if (local === undefined) continue
        const taken = take(local, { do: 'hear', envelope }, around)
        locals[at] = taken.local
        next.push(...taken.sent)
      }
      wire = next
    }
    const state = new Int32Array(WORDS)
    for (const [at, local] of locals.entries()) state[at] = this.#local(local)
    state[WIRE] = this.#wires.number(wire.map((envelope) => this.#envelope(envelope)))
    for (const cost of COSTS)
      state[BUDGET] = (state[BUDGET] ?? 0) | ((this.bounds.budgets[cost] ?? 0) << PLACES[cost])
    this.reduce(state)
    return state
  }

  /** Turns a state into the one that stands for it, as far as the reductions go. */
  reduce(state: Int32Array): void {
    const { budgets, mirror } = this.reductions
    if (budgets) this.#restrict(state)
    if (!mirror || this.bounds.dataProviders === 1) return
    const other = this.#other
    for (let agent = 0; agent < PEERS.length; agent++)
      other[MIRRORED[agent] ?? agent] = this.#mirror(state[agent] ?? 0)
    other[WIRE] = this.#mirrorOfWire(state[WIRE] ?? 0)
    other[BUDGET] = state[BUDGET] ?? 0
    for (let word = 0; word < WORDS; word++) {
      const [one, two] = [state[word] ?? 0, other[word] ?? 0]
      if (one < two) return
      if (one > two) {
        state.set(other)
        return
      }
    }
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

  #mirror(local: number): number {
    const known = this.#mirrors[local]
    if (known !== undefined) return known
    for (const [id, contract] of [...this.around.contracts]) {
      const other = mirrored(id)
      if (!this.around.contracts.has(other)) this.around.contracts.set(other, formOfContract(mirrored(contract)))
    }
    const number = this.#local(mirrored(this.local(local)))
    this.#mirrors[local] = number
    this.#mirrors[number] = local
    return number
  }

  #mirrorOfWire(wire: number): number {
    const known = this.#mirrorsOfWires[wire]
    if (known !== undefined) return known
    const number = this.#wires.number(this.wire(wire).map((envelope) => this.#mirrorOfEnvelope(envelope)))
    this.#mirrorsOfWires[wire] = number
    this.#mirrorsOfWires[number] = wire
    return number
  }

  #mirrorOfEnvelope(envelope: number): number {
    const known = this.#mirrorsOfEnvelopes[envelope]
    if (known !== undefined) return known
    const number = this.#envelope(mirrored(this.envelope(envelope)))
    this.#mirrorsOfEnvelopes[envelope] = number
    return number
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
      const move = this.#moves.number({ do: 'learn that it was lost', envelope: this.envelope(envelope) })
      options.push({ agent: 0, move, takes: envelope, costs: 'losses' })
    }
    if (silent) options.push({ agent: -1, move: -1, takes: envelope, costs: 'losses' })
    return options
  }

  /** As the option, with a crash after each word that it sends. */
  crashesWithin(state: Int32Array, option: Option): Option[] {
    if (option.agent < 0 || option.costs === 'crashes') return []
    const { cuts } = this.#result(state[option.agent] ?? 0, option.move)
    return cuts.map((sent) => ({
      ...option,
      move: this.#moves.number({ do: 'crash within', move: this.move(option.move), sent }),
      costs: 'crashes'
    }))
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
      for (const envelope of this.wire(before)) {
        const agent = this.#addressee(envelope)
        const local = state[agent] ?? 0
        const { local: after, sent, broken } = this.#result(local, this.#hear(envelope))
        if (broken !== null) return broken
        if (after !== local) continue
        for (const answer of sent) state[WIRE] = this.#wires.with(state[WIRE] ?? 0, answer)
      }
    }
    return null
  }

  #at(state: Int32Array, agent: number, move: number): string | null {
    const result = this.#result(state[agent] ?? 0, move)
    state[agent] = result.local
    for (const envelope of result.sent) state[WIRE] = this.#wires.with(state[WIRE] ?? 0, envelope)
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
      cuts: taken.cuts.map(({ sent }) => sent),
      broken: taken.broken
    }
    this.#results[local].set(move, result)
    return result
  }
}

function aLocal(self: string): Local {
  return {
    self,
    gone: false,
    hop: null,
    coordinator: null,
    disk: { hop: null, coordinator: null },
    asked: [],
    queue: [],
    running: null,
    acceptances: [],
    outcome: null,
    begun: [],
    produced: [],
    offers: [],
    revoked: false,
    isMember: true,
    struck: null,
    full: false,
    people: 'trust'
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

/** How many bits of a number each budget takes. */
const BITS: Readonly<Record<Cost, number>> = {
  losses: 3,
  duplicates: 3,
  crashes: 3,
  revocations: 2,
  failures: 3,
  cancels: 1,
  leaves: 1,
  timers: 3,
  strikes: 2,
  refusals: 2,
  approvals: 2
}
const PLACES: Readonly<Record<Cost, number>> = {
  losses: 0,
  duplicates: 3,
  crashes: 6,
  revocations: 9,
  failures: 11,
  cancels: 14,
  leaves: 15,
  timers: 16,
  strikes: 19,
  refusals: 21,
  approvals: 23
}

/** What is left of a budget. */
export function left(budget: number, cost: Cost): number {
  return (budget >>> PLACES[cost]) & ((1 << BITS[cost]) - 1)
}

export function spend(budget: number, cost: Cost): number {
  return budget - (1 << PLACES[cost])
}

function isAtLeast(large: number, small: number): boolean {
  return large === small || COSTS.every((cost) => left(large, cost) >= left(small, cost))
}
