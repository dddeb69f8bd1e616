import { codeOf, toError } from '../../protocol/errors/index.ts'
import type { WireMessage } from '../../protocol/messages/index.ts'
import {
  addressees,
  type Coordinator,
  type Effect,
  type Hop,
  type HopEvent,
  type Message,
  wakeAt
} from '../../protocol/negotiation/index.ts'
import { advanceMachine, type Queued } from './advance.ts'
import { commitStep, keepHeard, type Machines } from './commit.ts'
import { Courier } from './courier.ts'
import { composeContract, makeOffer, verdictOf, verdictOn } from './deciding.ts'
import { DecisionLog } from './decision-log.ts'
import type { Dossier } from './dossier.ts'
import { fallBack, STORE_AGAIN_MS } from './fall-back.ts'
import type { ExchangePorts, Objection } from './ports.ts'
import { RunningShares } from './running-shares.ts'
import { StandingWatch } from './standing-watch.ts'
import { toWire } from './wire.ts'

type Timeless<T> = T extends { now: number } ? Omit<T, 'now'> : never
type HopReport = Timeless<Extract<HopEvent, { type: 'reserved' | 'share-done' | 'share-failed' }>>

/** An inbound message whose sender waits for what is ready at once. */
interface ReplySlot {
  peer: string
  messages: WireMessage[]
}

/**
 * One request at this agent: drives the state machines. Every new state is stored with the documents it rests on before
 * anything that depends on it leaves. Events are taken one at a time; slow work (policy, jobs, sending) runs beside and comes
 * back as events.
 */
export class Exchange {
  hop: Hop | null = null
  coordinator: Coordinator | null = null
  readonly #ports: ExchangePorts
  readonly #queue: Queued[] = []
  readonly #slots: ReplySlot[] = []
  readonly #shares: RunningShares
  readonly #watch: StandingWatch
  readonly #courier: Courier
  /** What is on its way into the log of this agent. */
  readonly log: DecisionLog
  #draining = false
  /** Taken over from an earlier run and not gone on with yet: what comes in waits. */
  #held = false
  /** Quick work under way whose answer may belong into a reply. */
  #pending = 0
  #idle: (() => void)[] = []
  readonly #stepped: (() => void)[] = []
  #timer: (() => void) | null = null
  /** The last change could not be stored; what is due is tried again, but not at once. */
  #unstored = false

  constructor(
    readonly dossier: Dossier,
    ports: ExchangePorts
  ) {
    this.#ports = ports
    this.log = new DecisionLog(dossier, ports)
    this.#courier = new Courier(
      dossier,
      ports,
      (from, message) => this.#deliver(from, message),
      () => this.keepLate()
    )
    this.#shares = new RunningShares(dossier, ports, {
      done: (contract) => this.#hopEvent({ type: 'share-done', contract }),
      failed: (contract, failure) => this.#hopEvent({ type: 'share-failed', contract, ...failure }),
      objects: (contract, objection) => this.#objects(contract, objection),
      leaving: async (contract) => await this.#leaves(contract),
      // Receipts may still be being signed in the transaction that ends the exchange.
      over: () => void this.#whenIdle().then(() => this.#forgetIfEnded())
    })
    this.#watch = new StandingWatch(dossier, ports, {
      running: () => {
        const stage = this.hop?.stage
        return stage?.phase === 'started' ? stage.contract.id : null
      },
      objects: (contract, objection) => this.#objects(contract, objection)
    })
  }

  get request(): string {
    return this.dossier.request.id
  }

  get ended(): boolean {
    const over = (machine: Hop | Coordinator | null) => machine === null || machine.stage.phase === 'ended'
    return over(this.hop) && over(this.coordinator) && this.#shares.size === 0 && !this.#draining
  }

  /** Parties of the contract that this agent, as the asker's, has proposed or started, and that is not over. */
  partiesAwaited(): string[] {
    const stage = this.coordinator?.stage
    if (stage?.phase !== 'proposing' && stage?.phase !== 'running') return []
    return stage.contract.parties.map((party) => party.peer)
  }

  dispatch(...queued: Queued[]): void {
    this.#queue.push(...queued)
    void this.#drain()
  }

  /** Something was heard that is for no machine. After the end no step stores it. */
  async keepLate(): Promise<void> {
    if (this.coordinator?.stage.phase === 'ended') await keepHeard(this.dossier, this.#ports)
  }

  /** Takes a verified message of a peer. @returns the answers that were ready at once */
  async take(from: string, message: Message): Promise<WireMessage[]> {
    const slot: ReplySlot = { peer: from, messages: [] }
    this.#slots.push(slot)
    this.#deliver(from, message)
    await this.#whenIdle()
    this.#slots.splice(this.#slots.indexOf(slot), 1)
    return slot.messages
  }

  /** Carries out the effects that a machine ordered when it was made. */
  async begin(effects: readonly Effect[]): Promise<void> {
    const none = { hop: null, coordinator: null }
    this.#carryOut('coordinator', await commitStep(this.dossier, none, this, effects, this.#ports))
    this.#arm()
  }

  /** Takes over the machines of an earlier run. Nothing moves before {@link resume}; the restart is the first they hear. */
  takeOver({ hop, coordinator }: Machines, begun: readonly string[]): void {
    this.#held = true
    this.hop = hop
    this.coordinator = coordinator
    const event = { type: 'restarted' as const, now: this.#ports.clock.now(), begun }
    this.dispatch({ machine: 'hop', event }, { machine: 'coordinator', event })
  }

  resume(): void {
    this.#held = false
    void this.#drain()
  }

  /** Something that decisions rest on has changed: what was permitted here and is not over is asked about again. */
  reconsider(): void {
    this.#quick(async () => await this.#watch.ask())
  }

  /** Resolves when no share is promised or runs here any more and the others were told. */
  async sharesEnded(): Promise<void> {
    await this.#whenIdle()
    while (this.hop?.stage.phase === 'accepted')
      await new Promise<void>((resolve) => this.#stepped.push(resolve))
    await this.#shares.ended()
    await this.#whenIdle()
    await this.#courier.idle()
  }

  stop(): void {
    this.#timer?.()
    this.#watch.stop()
    this.#shares.stopAll()
  }

  #deliver(from: string, message: Message): void {
    const event = { type: 'received' as const, now: this.#ports.clock.now(), from, message }
    for (const machine of addressees(message.kind))
      if (this[machine] !== null) this.#queue.push({ machine, event })
    void this.#drain()
  }

  async #whenIdle(): Promise<void> {
    if (!this.#draining && this.#pending === 0 && this.#queue.length === 0) return
    await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  #wakeIdle(): void {
    if (this.#draining || this.#pending > 0 || this.#queue.length > 0) return
    const waiting = this.#idle
    this.#idle = []
    for (const wake of waiting) wake()
    this.log.soon()
  }

  async #drain(): Promise<void> {
    if (this.#draining || this.#held) return
    this.#draining = true
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift())
        await this.#step(next).finally(next.taken)
    } finally {
      this.#draining = false
      this.#arm()
      this.#wakeIdle()
    }
  }

  async #step(queued: Queued): Promise<void> {
    const before = { hop: this.hop, coordinator: this.coordinator }
    let effects: readonly Effect[]
    try {
      const next = advanceMachine(before, queued)
      effects = next.effects
      this.hop = next.machines.hop
      this.coordinator = next.machines.coordinator
    } catch (error) {
      // An event that the machine cannot take, whoever sent it, must not end the exchange, let alone the agent.
      this.#ports.log.error(
        { request: this.request, event: queued.event.type, code: codeOf(error), err: toError(error) },
        'an event could not be taken'
      )
      return
    }
    try {
      effects = await commitStep(this.dossier, before, this, effects, this.#ports)
    } catch (error) {
      // Nothing left this agent yet, so the state before is still the true one.
      this.#unstored = true
      this.hop = before.hop
      this.coordinator = before.coordinator
      this.#ports.log.error(
        { request: this.request, code: codeOf(error), err: toError(error) },
        'a change could not be stored'
      )
      fallBack(queued, error, this.#ports.clock, (again) => this.dispatch(again))
      return
    }
    this.#unstored = false
    for (const wake of this.#stepped.splice(0)) wake()
    this.#carryOut(queued.machine, effects)
    const machine = this[queued.machine]
    if (machine !== null && machine !== before[queued.machine])
      this.#ports.coordination.changed(this.dossier, machine)
  }

  #arm(): void {
    this.#watch.arm(() => this.reconsider())
    this.#timer?.()
    this.#timer = null
    const wakes = [this.hop, this.coordinator].flatMap((machine) =>
      machine === null ? [] : (wakeAt(machine) ?? [])
    )
    if (wakes.length === 0) return
    const { clock } = this.#ports
    const soonest = this.#unstored ? STORE_AGAIN_MS : 1
    this.#timer = clock.after(Math.max(soonest, Math.min(...wakes) - clock.now() + 1), () => {
      const event = { type: 'tick' as const, now: clock.now() }
      this.dispatch({ machine: 'hop', event }, { machine: 'coordinator', event })
    })
  }

  #carryOut(machine: 'hop' | 'coordinator', effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.do) {
        case 'send':
          this.#send(machine, effect.to, effect.message)
          break
        case 'ask-policy':
          this.#quick(async () => await this.#askPolicy(effect))
          break
        case 'reserve':
          this.#quick(async () => {
            const refusal = await this.#ports.decisions.reserve(this.dossier, effect.contract)
            this.#hopEvent({ type: 'reserved', contract: effect.contract, refusal })
          })
          break
        case 'release':
          void this.#ports.decisions.release(this.dossier, effect.contract, effect.spent).catch(this.#note)
          break
        case 'run-share':
          this.#shares.start(effect.contract)
          break
        case 'stop-share':
          this.#shares.stop(effect.contract, effect.code)
          break
        case 'compose':
          this.#quick(async () => {
            const event = await composeContract(this.dossier, effect, this.#ports)
            this.dispatch({ machine: 'coordinator', event })
          })
          break
        case 'withdraw-approval':
          this.#quick(async () => await this.#ports.decisions.withdrawApproval(this.dossier))
          break
        case 'sign-receipt':
          this.#courier.postReceipts(effect.contract)
          break
        case 'sign-acceptance':
        case 'sign-decline':
        case 'sign-outcome':
          break
      }
    }
    this.#forgetIfEnded()
  }

  #forgetIfEnded(): void {
    const stage = this.hop?.stage
    const failed = stage?.phase === 'started' && stage.share === 'failed' ? stage.contract.id : null
    if (stage?.phase !== 'ended' && failed === null) return
    for (const contract of this.dossier.contracts.keys()) {
      if (!this.#shares.has(contract) && (failed ?? contract) === contract)
        void this.#ports.shares.forget(contract).catch(this.#note)
    }
  }

  readonly #note = (error: unknown): void => {
    this.#ports.log.warn(
      { request: this.request, code: codeOf(error), err: toError(error) },
      'an order was not carried out'
    )
  }

  #quick(work: () => Promise<void>): void {
    this.#pending++
    void work()
      .catch(this.#note)
      .finally(() => {
        this.#pending--
        this.#wakeIdle()
      })
  }

  #hopEvent(event: HopReport): void {
    this.dispatch({ machine: 'hop', event: { ...event, now: this.#ports.clock.now() } })
  }

  async #askPolicy({ question, contract, epoch }: Extract<Effect, { do: 'ask-policy' }>): Promise<void> {
    if (question === 'offer')
      this.dispatch({ machine: 'hop', event: await makeOffer(this.dossier, epoch, this.#ports) })
    else if (contract !== null)
      this.dispatch({ machine: 'hop', event: await verdictOn(question, this.dossier, contract, this.#ports) })
  }

  #objects(contract: string, objection: Objection): void {
    this.dispatch({ machine: 'hop', event: verdictOf('continue', contract, objection, this.#ports) })
  }

  async #leaves(contract: string): Promise<boolean> {
    await new Promise<void>((taken) => {
      const event = { type: 'output-leaves' as const, contract, now: this.#ports.clock.now() }
      this.#queue.push({ machine: 'hop', event, taken })
      void this.#drain()
    })
    const stage = this.hop?.stage
    if (stage?.phase !== 'started' || stage.contract.id !== contract || stage.share !== 'running')
      return false
    await this.log.write()
    return true
  }

  #send(machine: 'hop' | 'coordinator', to: string, message: Message): void {
    const { self } = this.#ports
    if (to === self) {
      // The other machine of this agent: same words, no wire.
      const other = machine === 'hop' ? 'coordinator' : 'hop'
      if (!addressees(message.kind).includes(other) || this[other] === null) return
      this.#queue.push({
        machine: other,
        event: { type: 'received', now: this.#ports.clock.now(), from: self, message }
      })
      void this.#drain()
      return
    }
    const wire = this.#toWire(message, to)
    if (wire === null) return
    // A question is no answer: who is asked again because it has failed hears it as anybody does.
    const slot = wire.kind === 'ask' ? undefined : this.#slots.find((one) => one.peer === to)
    if (slot !== undefined) {
      slot.messages.push(wire)
      return
    }
    this.#courier.post(to, wire, (error) => this.#undelivered(to, message, error))
  }

  #toWire(message: Message, to: string): WireMessage | null {
    try {
      return toWire(this.dossier, message, to, this.#ports.self)
    } catch (error) {
      // The peer named a contract that was never heard of here: there is nothing to say about it.
      this.#note(error)
      return null
    }
  }

  #undelivered(to: string, message: Message, error: unknown): void {
    const now = this.#ports.clock.now()
    if (message.kind === 'ask') {
      // A hop that waits for people is out of reach for now, and will be asked again.
      if (this.coordinator?.hops.some((hop) => hop.peer === to && hop.answer === 'approval')) return
      this.#ports.coordination.unanswered(this.request, to, error)
      const none: Message = { kind: 'offer', epoch: message.epoch, offer: 'none', permits: false }
      this.dispatch({ machine: 'coordinator', event: { type: 'received', now, from: to, message: none } })
    } else if (message.kind === 'propose')
      this.dispatch({ machine: 'coordinator', event: { type: 'lost', now, peer: to } })
  }
}
