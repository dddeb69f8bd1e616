import { assertSignedBy, idOf, openDocument, type Refusal } from '../../protocol/documents/index.ts'
import { codeOf, DynamosError, toError } from '../../protocol/errors/index.ts'
import type { WireMessage, WireOf } from '../../protocol/messages/index.ts'
import {
  addressees,
  advance,
  type Coordinator,
  type CoordinatorEvent,
  type Effect,
  type Hop,
  type HopEvent,
  type Message,
  viewAcceptance,
  viewContract,
  wakeAt
} from '../../protocol/negotiation/index.ts'
import { append } from '../audit/index.ts'
import type { Transaction } from '../store/index.ts'
import type { Dossier } from './dossier.ts'
import type { ExchangePorts } from './ports.ts'
import { ShareFailed } from './share-failed.ts'
import { signOrders } from './signing.ts'
import { outcomeMessage, toWire } from './wire.ts'

type Queued = { machine: 'hop'; event: HopEvent } | { machine: 'coordinator'; event: CoordinatorEvent }

type Timeless<T> = T extends { now: number } ? Omit<T, 'now'> : never
type HopReport = Timeless<
  Extract<HopEvent, { type: 'reserved' | 'verdict' | 'offer-made' | 'share-done' | 'share-failed' }>
>

const RESEND_AFTER_MS = [500, 2000, 5000, 15_000]

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
  readonly #shares = new Map<string, AbortController>()
  readonly #sharesEnd = new Set<Promise<void>>()
  #draining = false
  /** Quick work under way whose answer may belong into a reply. */
  #pending = 0
  #idle: (() => void)[] = []
  #timer: (() => void) | null = null

  constructor(
    readonly dossier: Dossier,
    ports: ExchangePorts
  ) {
    this.#ports = ports
  }

  get request(): string {
    return this.dossier.request.id
  }

  get ended(): boolean {
    const over = (machine: Hop | Coordinator | null) => machine === null || machine.stage.phase === 'ended'
    return over(this.hop) && over(this.coordinator) && this.#shares.size === 0
  }

  dispatch(...queued: Queued[]): void {
    this.#queue.push(...queued)
    void this.#drain()
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
    await this.#commit([], effects, true)
    this.#carryOut('coordinator', effects)
    this.#arm()
  }

  /** Resolves when no share runs here any more. */
  async sharesEnded(): Promise<void> {
    await Promise.all(this.#sharesEnd)
    await this.#whenIdle()
  }

  stop(): void {
    this.#timer?.()
    for (const share of this.#shares.values())
      share.abort(new DynamosError('shutting-down', 'the agent is stopping'))
  }

  #deliver(from: string, message: Message): void {
    const now = this.#ports.clock.now()
    const event = { type: 'received' as const, now, from, message }
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
  }

  async #drain(): Promise<void> {
    if (this.#draining) return
    this.#draining = true
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift())
        await this.#step(next)
    } finally {
      this.#draining = false
      this.#arm()
      this.#wakeIdle()
    }
  }

  async #step(queued: Queued): Promise<void> {
    const before = { hop: this.hop, coordinator: this.coordinator }
    let effects: readonly Effect[] = []
    if (queued.machine === 'hop' && this.hop !== null) {
      const next = advance(this.hop, queued.event)
      this.hop = next.exchange
      effects = next.effects
    } else if (queued.machine === 'coordinator' && this.coordinator !== null) {
      const next = advance(this.coordinator, queued.event)
      this.coordinator = next.exchange
      effects = next.effects
    }
    try {
      const carried = await this.#commit(effects, effects, changedDurably(before, this))
      this.#carryOut(queued.machine, carried)
    } catch (error) {
      // Nothing left this agent yet, so the state before is still the true one.
      this.hop = before.hop
      this.coordinator = before.coordinator
      this.#ports.log.error(
        { request: this.request, code: codeOf(error), err: toError(error) },
        'a change could not be stored'
      )
      this.#fallBack(queued, error)
      return
    }
    const machine = this[queued.machine]
    if (machine !== null && machine !== before[queued.machine])
      this.#ports.coordination.changed(this.dossier, machine)
  }

  /** What cannot be stored cannot be promised: the share has failed, the promise is refused. */
  #fallBack(queued: Queued, error: unknown): void {
    const { event } = queued
    if (queued.machine !== 'hop' || codeOf(error) !== 'storage-full') return
    const now = this.#ports.clock.now()
    const refusal: Refusal = {
      code: 'storage-full',
      clause: null,
      reason: 'the disk of this hop is full',
      acceptable: null,
      position: null
    }
    if (event.type === 'reserved' && event.refusal === null)
      this.dispatch({ machine: 'hop', event: { ...event, now, refusal } })
  }

  /** Signs what was ordered and stores everything that the next messages rest on, in one transaction. */
  async #commit(orders: readonly Effect[], effects: readonly Effect[], durable: boolean): Promise<Effect[]> {
    const signing = orders.filter((effect) => effect.do.startsWith('sign-') || effect.do === 'run-share')
    if (!durable && signing.length === 0) return [...effects]
    const { store, clock } = this.#ports
    const dropped = new Set<Effect>()
    const decisions = this.dossier.unlogged()
    const stored = await store.transaction(async (tx) => {
      for (const entry of decisions) await append(tx, entry)
      for (const effect of signing) {
        if (effect.do !== 'run-share') await signOrders(this.dossier, effect, tx, this.#ports)
        else if (!(await this.#claim(tx, effect.contract))) dropped.add(effect)
      }
      const now = clock.now()
      const entries = this.dossier.unsaved()
      for (const bytes of entries) {
        await tx.documents.put({
          id: await idOf(bytes),
          type: 'message',
          request: this.request,
          bytes,
          receivedAt: now
        })
      }
      for (const role of ['hop', 'coordinator'] as const) {
        const machine = this[role]
        if (machine !== null) {
          await tx.exchanges.put({
            request: this.request,
            role,
            state: Buffer.from(JSON.stringify(machine)),
            updatedAt: now
          })
        }
      }
      return entries
    })
    this.dossier.saved(stored)
    this.dossier.logged(decisions)
    return effects.filter((effect) => !dropped.has(effect))
  }

  /** (contract, step, round) runs once: the row is the only authority. */
  async #claim(tx: Transaction, contract: string): Promise<boolean> {
    const { chain } = this.dossier.contract(contract).contract.payload
    const step = chain.find((one) => one.at === this.#ports.self)?.step ?? chain.length
    return await tx.work.begin(contract, step, 0, this.#ports.clock.now())
  }

  #arm(): void {
    this.#timer?.()
    this.#timer = null
    const wakes = [this.hop, this.coordinator].flatMap((machine) =>
      machine === null ? [] : (wakeAt(machine) ?? [])
    )
    if (wakes.length === 0) return
    const { clock } = this.#ports
    this.#timer = clock.after(Math.max(0, Math.min(...wakes) - clock.now()) + 1, () => {
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
          void this.#ports.decisions
            .release(this.dossier, effect.contract, effect.spent)
            .catch((error: unknown) => this.#note(error))
          break
        case 'run-share':
          this.#runShare(effect.contract)
          break
        case 'stop-share':
          this.#shares.get(effect.contract)?.abort(new DynamosError('cancelled', 'the exchange was stopped'))
          break
        case 'compose':
          this.#quick(async () => await this.#compose(effect))
          break
        case 'sign-receipt':
          this.#sendReceipts(effect.contract)
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
    if (this.hop?.stage.phase !== 'ended') return
    for (const contract of this.dossier.contracts.keys()) {
      if (!this.#shares.has(contract))
        void this.#ports.shares.forget(contract).catch((error: unknown) => this.#note(error))
    }
  }

  #note(error: unknown): void {
    this.#ports.log.warn(
      { request: this.request, code: codeOf(error), err: toError(error) },
      'an order was not carried out'
    )
  }

  #quick(work: () => Promise<void>): void {
    this.#pending++
    void work()
      .catch((error: unknown) => this.#note(error))
      .finally(() => {
        this.#pending--
        this.#wakeIdle()
      })
  }

  #hopEvent(event: HopReport): void {
    this.dispatch({ machine: 'hop', event: { ...event, now: this.#ports.clock.now() } })
  }

  async #askPolicy(effect: Extract<Effect, { do: 'ask-policy' }>): Promise<void> {
    const { decisions } = this.#ports
    if (effect.question === 'offer') {
      const { offer, details, permits } = await decisions.offer(this.dossier, effect.epoch)
      await this.dossier.holdOffer(offer, details)
      this.dossier.keep({ kind: 'offer', epoch: effect.epoch, offer: offer.bytes, details })
      this.#hopEvent({
        type: 'offer-made',
        epoch: effect.epoch,
        offer: offer.id,
        permits,
        until: offer.payload.expires
      })
      return
    }
    const { question, contract } = effect
    if (contract === null) return
    const refusal = await decisions[question](this.dossier, contract).catch((error: unknown): Refusal => {
      this.#note(error)
      return {
        code: 'policy-forbids',
        clause: null,
        reason: 'the decision could not be made; undetermined is no',
        acceptable: null,
        position: null
      }
    })
    this.#hopEvent({ type: 'verdict', question, contract, refusal })
  }

  async #compose(effect: Extract<Effect, { do: 'compose' }>): Promise<void> {
    const now = () => this.#ports.clock.now()
    const composed = await this.#ports.coordination.compose(this.dossier, effect).catch((error: unknown) => {
      this.#note(error)
      return { code: 'internal' as const, hop: null }
    })
    if ('code' in composed) {
      this.dispatch({
        machine: 'coordinator',
        event: { type: 'unplannable', now: now(), epoch: effect.epoch, ...composed }
      })
      return
    }
    const { contract, sections } = composed
    for (const [peer, section] of sections) {
      await this.dossier.holdContract(contract, peer, section)
      this.dossier.keep({ kind: 'propose', contract: contract.bytes, sections: section })
    }
    this.dispatch({
      machine: 'coordinator',
      event: { type: 'planned', now: now(), contract: viewContract(contract) }
    })
  }

  #runShare(contract: string): void {
    const share = new AbortController()
    this.#shares.set(contract, share)
    const { shares, store, clock, self } = this.#ports
    const end = async (status: 'done' | 'failed'): Promise<void> => {
      const ran = await store.work.of(contract)
      for (const one of ran) await store.work.end(contract, one.step, one.round, status, clock.now())
    }
    const ended = shares
      .run(this.dossier, contract, share.signal)
      .then(
        async () => {
          await end('done')
          this.#hopEvent({ type: 'share-done', contract })
        },
        async (error: unknown) => {
          const failure =
            error instanceof ShareFailed
              ? error.failure
              : { hop: self, code: 'internal' as const, step: null, position: null }
          this.#ports.log.warn(
            { request: this.request, contract, ...failure, err: toError(error) },
            'a share failed'
          )
          await end('failed').catch((cause: unknown) => this.#note(cause))
          this.#hopEvent({ type: 'share-failed', contract, ...failure })
        }
      )
      .catch((error: unknown) => this.#note(error))
      .finally(() => {
        this.#shares.delete(contract)
        this.#sharesEnd.delete(ended)
        // Its receipts may still be being signed in the transaction that ends the exchange.
        void this.#whenIdle().then(() => this.#forgetIfEnded())
      })
    this.#sharesEnd.add(ended)
  }

  #sendReceipts(contract: string): void {
    const { self } = this.#ports
    const held = this.dossier.contract(contract)
    for (const receipt of held.receipts.values()) {
      if (receipt.payload.issuer !== self) continue
      const message: WireMessage = { kind: 'receipt', receipt: receipt.bytes }
      const coordinator = held.contract.payload.issuer
      if (coordinator === self) this.#ports.coordination.received(this.dossier, message, self)
      else this.#post(coordinator, message, () => undefined)
    }
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
    const wire = toWire(this.dossier, message, to, self)
    if (wire === null) return
    const slot = this.#slots.find((one) => one.peer === to)
    if (slot !== undefined) {
      slot.messages.push(wire)
      return
    }
    this.#post(to, wire, (error) => this.#undelivered(to, message, error))
  }

  /** Answers come back as messages of that peer. What must arrive is sent again a few times. */
  #post(to: string, wire: WireMessage, failed: (error: unknown) => void, attempt = 0): void {
    void this.#ports.post(to, wire).then(
      async (replies) => {
        for (const reply of replies) {
          try {
            const message = await this.hear(to, reply)
            if (message !== null) this.#deliver(to, message)
          } catch (error) {
            this.#ports.log.warn(
              { request: this.request, peer: to, code: codeOf(error) },
              'an answer was not taken'
            )
            failed(error)
          }
        }
      },
      (error: unknown) => {
        const wait = RESEND_AFTER_MS[attempt]
        const patient =
          wire.kind === 'outcome' ||
          wire.kind === 'failure' ||
          wire.kind === 'receipt' ||
          wire.kind === 'cancel'
        if (patient && wait !== undefined) {
          this.#ports.clock.after(wait, () => this.#post(to, wire, failed, attempt + 1))
          return
        }
        this.#ports.log.debug(
          { request: this.request, peer: to, kind: wire.kind, code: codeOf(error) },
          'a message did not arrive'
        )
        failed(error)
      }
    )
  }

  #undelivered(to: string, message: Message, error: unknown): void {
    const now = this.#ports.clock.now()
    if (message.kind === 'ask') {
      this.#ports.coordination.unanswered(this.request, to, error)
      const none: Message = { kind: 'offer', epoch: message.epoch, offer: 'none', permits: false }
      this.dispatch({ machine: 'coordinator', event: { type: 'received', now, from: to, message: none } })
    } else if (message.kind === 'propose') {
      this.dispatch({ machine: 'coordinator', event: { type: 'lost', now, peer: to } })
    }
  }

  /**
   * Verifies a message, keeps its documents and makes of it what the machines understand; null when it is not for them.
   *
   * @throws {MalformedDocument}, {BadSignature}, {UnknownDocument}
   */
  async hear(from: string, wire: WireMessage): Promise<Message | null> {
    const { dossier } = this
    switch (wire.kind) {
      case 'ask':
        if (wire.query !== null && (await dossier.holdQuery(wire.query))) dossier.keep(wire)
        return { kind: 'ask', epoch: wire.epoch }
      case 'offer': {
        const offer = await openDocument('offer', wire.offer)
        assertSignedBy(offer, from)
        await dossier.holdOffer(offer, wire.details)
        dossier.keep(wire)
        this.#ports.coordination.received(dossier, wire, from)
        const permits = offer.payload.rows.some((row) => row.verdict === 'permit')
        return { kind: 'offer', epoch: wire.epoch, offer: offer.id, permits }
      }
      case 'propose': {
        const contract = await openDocument('contract', wire.contract)
        await dossier.holdContract(contract, this.#ports.self, wire.sections)
        dossier.keep(wire)
        return { kind: 'propose', contract: viewContract(contract) }
      }
      case 'acceptance': {
        const acceptance = await openDocument('acceptance', wire.acceptance)
        dossier.holdAcceptance(acceptance)
        dossier.keep(wire)
        return { kind: 'acceptance', acceptance: viewAcceptance(acceptance) }
      }
      case 'decline': {
        const decline = await openDocument('decline', wire.decline)
        assertSignedBy(decline, from)
        const { contract, epoch, refusal } = decline.payload
        dossier.contract(contract).decline = decline
        dossier.keep(wire)
        return { kind: 'decline', contract, epoch, refusal }
      }
      case 'start':
        return await this.#hearStart(wire)
      case 'outcome':
        return await outcomeMessage(dossier, wire, this.#ports)
      case 'receipt': {
        const receipt = await openDocument('receipt', wire.receipt)
        if (dossier.holdReceipt(receipt)) dossier.keep(wire)
        this.#ports.coordination.received(dossier, wire, from)
        return null
      }
      case 'abort':
        return { kind: 'abort', contract: wire.contract, epoch: wire.epoch }
      case 'started':
        return { kind: 'started', contract: wire.contract }
      case 'rejected':
        return { kind: 'rejected', contract: wire.contract, code: wire.code }
      case 'failure': {
        const { contract, hop, code, step, position } = wire
        return { kind: 'failure', contract, hop, code, step, position }
      }
      case 'cancel':
        return { kind: 'cancel', result: wire.result, code: wire.code, hop: wire.hop }
    }
  }

  async #hearStart(wire: WireOf<'start'>): Promise<Message> {
    const contract = await openDocument('contract', wire.contract)
    const acceptances = []
    for (const bytes of wire.acceptances) {
      const acceptance = await openDocument('acceptance', bytes)
      if (this.dossier.contracts.has(contract.id)) this.dossier.holdAcceptance(acceptance)
      acceptances.push(viewAcceptance(acceptance))
    }
    this.dossier.keep(wire)
    return { kind: 'start', contract: contract.id, acceptances }
  }
}

/** Whether something changed that a promise, or its end, rests on. Offers promise nothing. */
function changedDurably(
  before: { hop: Hop | null; coordinator: Coordinator | null },
  after: { hop: Hop | null; coordinator: Coordinator | null }
): boolean {
  const { hop, coordinator } = after
  const promised = hop !== null && (hop.answered.length > 0 || hop.reservations.length > 0)
  const hopChanged = promised && hop !== before.hop
  const coordinatorChanged =
    coordinator !== null && coordinator.stage.phase !== before.coordinator?.stage.phase
  return hopChanged || coordinatorChanged
}
