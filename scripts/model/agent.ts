import {
  type Advance,
  addressees,
  type Coordinator,
  type CoordinatorEvent,
  type Effect,
  flowRefusal,
  type HopEvent,
  type Message
} from '../../protocol/negotiation/index.ts'
import { textOf } from './canonical.ts'
import { plan, twin } from './planner.ts'
import { rested } from './timers.ts'
import { ASKER, type Envelope, type Local, type Question, type Surroundings, TO_COME } from './world.ts'

/** Where a process may die: what the agent was, and how many words had left. */
export interface Cut {
  local: Local
  sent: number
}

/** One agent while it takes an event: what it is, what left it, where it could have died, and the law it broke. */
export class Turn {
  local: Local
  readonly sent: Envelope[] = []
  readonly cuts: Cut[] = []
  broken: string | null = null
  readonly #around: Surroundings

  constructor(local: Local, around: Surroundings) {
    this.local = local
    this.#around = around
  }

  breaks(law: string): void {
    this.broken ??= `${this.local.self}: ${law}`
  }

  /** What a machine ordered when it was made. */
  begin({ exchange, effects }: Advance<Coordinator>): void {
    const { hop } = this.local
    this.#take({ hop: null, coordinator: null }, { hop, coordinator: exchange }, effects, 'coordinator')
  }

  toHop(event: HopEvent): void {
    const { hop, coordinator } = this.local
    if (hop === null) return
    const before = { hop, coordinator }
    const { exchange, effects } = this.#around.rules.hop(hop, event)
    this.#take(before, { hop: exchange, coordinator }, effects, 'hop')
  }

  toCoordinator(event: CoordinatorEvent): void {
    const { hop, coordinator } = this.local
    if (coordinator === null) return
    const before = { hop, coordinator }
    const { exchange, effects } = this.#around.rules.coordinator(coordinator, event)
    this.#take(before, { hop, coordinator: rested(exchange) }, effects, 'coordinator')
  }

  /** As the driver: store first, then carry out one order after another. */
  #take(
    before: Pick<Local, 'hop' | 'coordinator'>,
    after: Pick<Local, 'hop' | 'coordinator'>,
    effects: readonly Effect[],
    machine: 'hop' | 'coordinator'
  ): void {
    this.local = { ...this.local, ...after }
    const stores = this.#around.rules.stores(before, after, effects)
    if (stores) {
      const { disk } = this.local
      const hop = after.hop ?? disk.hop
      this.local = { ...this.local, disk: { hop, coordinator: after.coordinator ?? disk.coordinator } }
    }
    const orders = effects.map((effect) => this.#sign(effect))
    for (const effect of orders) if (effect !== null) this.#carryOut(effect, machine)
    const { running, hop } = this.local
    if (running === null) return
    if (hop?.stage.phase !== 'started' || hop.stage.contract.id !== running || hop.stage.share !== 'running')
      this.breaks(`S1: still works on ${running}, which is not in force`)
    if (this.#epochOf(running) < Math.max(...this.local.acceptances.map(({ epoch }) => epoch)))
      this.breaks(`S9: works on ${running}, though it accepted a later epoch`)
  }

  #epochOf(contract: string): number {
    return this.#around.contracts.get(contract)?.epoch ?? 0
  }

  /** What happens in the transaction. */
  #sign(effect: Effect): Effect | null {
    const { local } = this
    switch (effect.do) {
      case 'sign-acceptance': {
        const { contract, epoch } = effect
        const known = local.acceptances.find((one) => one.epoch === epoch)
        if (known !== undefined && known.contract !== contract)
          this.breaks(`S8: accepts two contracts of epoch ${epoch}`)
        if (known?.contract === contract) return null
        this.#assertOffered(contract)
        if (local.room !== contract) this.breaks(`S6: accepts ${contract} without room for it`)
        this.local = { ...local, room: null, acceptances: [...local.acceptances, { contract, epoch }] }
        return null
      }
      case 'sign-outcome': {
        const { outcome } = effect
        if (outcome.signer !== local.self) this.breaks('S1: signs for another')
        if (local.outcome !== null && textOf(local.outcome) !== textOf(outcome))
          this.breaks(`S1: signs two outcomes, ${local.outcome.result} and ${outcome.result}`)
        if (outcome.result === 'completed' && !local.produced.includes(outcome.contract ?? ''))
          this.breaks('S9: signs that it was completed without the result')
        this.local = { ...local, outcome: local.outcome ?? outcome }
        return null
      }
      case 'run-share': {
        const { contract } = effect
        const ran = local.begun.includes(contract)
        if (ran && this.#around.rules.runsOnce) return null
        if (ran) this.breaks(`S3: runs its share of ${contract} twice`)
        if (local.running !== null) this.breaks('S3: runs two shares at once')
        if (local.revoked) this.breaks(`S4: begins ${contract} after its policy took that back`)
        if (!local.acceptances.some((one) => one.contract === contract))
          this.breaks(`S1: begins ${contract}, which it did not accept`)
        const offer = this.#offerIn(contract)
        if (offer !== null && local.begun.some((one) => one !== contract && this.#offerIn(one) === offer))
          this.breaks(`S6: begins twice on ${offer}`)
        this.local = { ...local, begun: [...local.begun, contract].toSorted() }
        return effect
      }
      default:
        return effect
    }
  }

  #offerIn(contract: string): string | null {
    const parties = this.#around.contracts.get(contract)?.parties ?? []
    return parties.find(({ peer }) => peer === this.local.self)?.offer ?? null
  }

  #assertOffered(contract: string): void {
    const { self, offers } = this.local
    const offer = this.#offerIn(contract)
    const made = offers.find(({ id }) => id === offer)
    if (self !== ASKER && made?.permits !== true)
      this.breaks(`S6: accepts ${contract}, which is wider than what it offered`)
  }

  #carryOut(effect: Effect, machine: 'hop' | 'coordinator'): void {
    const { local } = this
    switch (effect.do) {
      case 'send':
        this.#send(effect.to, effect.message, machine)
        return
      case 'ask-policy':
      case 'reserve':
      case 'compose': {
        const text = textOf(effect)
        const others = local.asked.filter((one) => textOf(one) !== text)
        this.local = {
          ...local,
          asked: [...others, effect].toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1))
        }
        return
      }
      case 'run-share':
        this.local = { ...local, running: effect.contract }
        return
      case 'stop-share':
        if (local.running === effect.contract) this.local = { ...local, running: null }
        return
      default:
        return
    }
  }

  #send(to: string, message: Message, machine: 'hop' | 'coordinator'): void {
    const { local } = this
    if (to === local.self) {
      const other = machine === 'hop' ? 'coordinator' : 'hop'
      if (addressees(message.kind).includes(other) && local[other] !== null)
        this.local = { ...local, queue: [...local.queue, { machine: other, message }] }
      return
    }
    this.say({ from: local.self, to, word: message })
    if (message.kind === 'acceptance' && !this.#onDisk(message.acceptance.contract))
      this.breaks(`S1: says that it accepts ${message.acceptance.contract} and would not know after a crash`)
  }

  #onDisk(contract: string): boolean {
    return this.local.disk.hop?.answered.some((one) => one.contract === contract) === true
  }

  say(envelope: Envelope): void {
    this.cuts.push({ local: this.local, sent: this.sent.length })
    this.sent.push(envelope)
  }

  /** The first word that one machine of this agent said to the other. */
  hearItself(): void {
    const [first, ...queue] = this.local.queue
    if (first === undefined) return
    this.local = { ...this.local, queue }
    const event = { type: 'received' as const, from: this.local.self, message: first.message, now: 0 }
    if (first.machine === 'hop') this.toHop(event)
    else this.toCoordinator(event)
  }

  answer(question: Question): void {
    const text = textOf(question)
    const asked = this.local.asked.filter((one) => textOf(one) !== text)
    this.local = { ...this.local, asked }
    const { self, revoked, offers, full, people, struck } = this.local
    if (question.do === 'reserve') {
      this.local = { ...this.local, full: false, room: full ? null : question.contract }
      this.toHop({ type: 'reserved', contract: question.contract, refusal: full ? FULL : null, now: 0 })
      return
    }
    if (question.do === 'compose') {
      this.#compose(question)
      return
    }
    if (question.question === 'offer') {
      const { epoch } = question
      if (people === 'ask' && !revoked) {
        this.toHop({ type: 'offer-waits', epoch, until: TO_COME, by: [], now: 0 })
        return
      }
      const offer = `${self}/${offers.length + 1}`
      const permits = !revoked
      this.local = { ...this.local, offers: [...offers, { id: offer, permits }] }
      this.toHop({ type: 'offer-made', epoch, offer, permits, until: TO_COME, now: 0 })
      return
    }
    const contract = question.contract ?? ''
    const about = { type: 'verdict' as const, question: question.question, contract, now: 0 }
    const parties = this.#around.contracts.get(contract)?.parties ?? []
    if (!revoked && struck !== null && parties.some(({ peer }) => peer === struck))
      this.toHop({ ...about, refusal: NO_MEMBER, hop: struck })
    else this.toHop({ ...about, refusal: revoked ? NO : null })
  }

  #compose(order: Extract<Effect, { do: 'compose' }>): void {
    const event = plan(order, this.local.coordinator?.request ?? '')
    if (event.type !== 'planned') {
      this.toCoordinator(event)
      return
    }
    this.#around.contracts.set(event.contract.id, event.contract)
    this.toCoordinator(event)
    if (!this.#around.twoContracts) return
    const contract = twin(event.contract)
    this.#around.contracts.set(contract.id, contract)
    for (const { peer } of contract.parties)
      if (peer !== ASKER) this.say({ from: ASKER, to: peer, word: { kind: 'propose', contract } })
  }

  /** Whether the share that runs could be done now, as far as this agent knows. */
  static canFinish({ running, hop }: Local): boolean {
    return running !== null && hop !== null && flowRefusal(hop, running) === null
  }
}

/** What policy says to what it does not permit any more. */
export const NO = {
  code: 'policy-forbids' as const,
  clause: null,
  reason: 'revoked',
  acceptable: null,
  position: null
}

export const NO_MEMBER = { ...NO, code: 'expelled' as const, reason: 'a party is no member any more' }
const FULL = { ...NO, code: 'storage-full' as const, reason: 'no room' }
