import type { Signed } from '../../protocol/documents/index.ts'
import { codeOf, DynamosError, toError } from '../../protocol/errors/index.ts'
import type { WireKind, WireMessage, WireOf } from '../../protocol/messages/index.ts'
import {
  type CoordinatorLimits,
  createCoordinator,
  createHop,
  endCode,
  type Hop,
  type HopLimits
} from '../../protocol/negotiation/index.ts'
import { Dossier, openRequest, UnknownDocument } from './dossier.ts'
import { Exchange } from './exchange.ts'
import { endOfFormerKey, isOfFormerKey } from './former-key.ts'
import { hearMessage } from './hearing.ts'
import { noteDocument } from './noting.ts'
import type { ExchangePorts } from './ports.ts'
import { openDossier } from './replay.ts'
import { stoppingClock } from './stopping-clock.ts'
import { openMachines, storedEnd, storedHop } from './stored.ts'
import { assertAskedBy, assertMaySay } from './who-may-say.ts'
import { requestNamedBy } from './wire.ts'

export interface ExchangesInit {
  hop: HopLimits
  coordinator: CoordinatorLimits
  /** Requests of one peer of which this agent holds documents at once, open or not. */
  maxOpenPerPeer: number
}

/** Checks what a request says of its requester; membership was verified when the connection was made. */
export type RequestGuard = (request: Signed<'request'>, from: string) => Promise<void>

/** A request that is not taken up; the code says why. */
export class RequestNotTaken extends DynamosError {
  static override readonly name = 'RequestNotTaken'
}

const STOP_WITHIN_MS = 1000
/** What others repeat until they hear how it ended. */
const ASKED_AGAIN: readonly WireKind[] = ['propose', 'start', 'cancel']

/** Every exchange this agent takes part in, by request. */
export class Exchanges {
  readonly #open = new Map<string, Exchange>()
  readonly #init: ExchangesInit
  readonly #ports: ExchangePorts
  readonly #guard: RequestGuard
  #stopping = false
  #drained = false

  constructor(init: ExchangesInit, ports: ExchangePorts, guard: RequestGuard) {
    this.#init = init
    this.#ports = { ...ports, clock: stoppingClock(ports.clock, () => this.#drained) }
    this.#guard = guard
  }

  get(request: string): Exchange | undefined {
    return this.#open.get(request)
  }

  /** The exchange whose contract this is, when this agent knows it. */
  byContract(contract: string): Exchange | undefined {
    return [...this.#open.values()].find((exchange) => exchange.dossier.contracts.has(contract))
  }

  /** As {@link byContract}, when it has started here and is not over. */
  running(contract: string): Exchange | undefined {
    const exchange = this.byContract(contract)
    const stage = exchange?.hop?.stage
    const runs = stage?.phase === 'started' && stage.contract.id === contract && stage.share !== 'failed'
    return runs ? exchange : undefined
  }

  /** Exchanges that need `peer`: it is a party of a contract that is proposed or runs, and has not done its share yet. */
  withParty(peer: string): Exchange[] {
    return [...this.#open.values()].filter((exchange) => {
      const stage = exchange.coordinator?.stage
      const held =
        stage !== undefined && 'contract' in stage
          ? exchange.dossier.contracts.get(stage.contract.id)
          : undefined
      const done = [...(held?.receipts.values() ?? [])].some((receipt) => receipt.payload.issuer === peer)
      return !done && exchange.partiesAwaited().includes(peer)
    })
  }

  /** A party of what this agent coordinates is gone: it cannot be reached, or is trusted no longer. */
  lost(exchange: Exchange, peer: string): void {
    const { clock, whyNot } = this.#ports
    const code = endCode.safeParse(whyNot(peer))
    const event = { type: 'lost' as const, now: clock.now(), peer }
    exchange.dispatch({
      machine: 'coordinator',
      event: code.success ? { ...event, code: code.data } : event
    })
  }

  /** A membership, the status list, an agreement or a rule changed: what runs here is asked about again. */
  reconsider(): void {
    for (const exchange of this.#open.values()) {
      exchange.reconsider()
      for (const peer of exchange.partiesAwaited())
        if (this.#ports.whyNot(peer) !== undefined) this.lost(exchange, peer)
      // The agreement under which it waits for people may not be the one in force any more, or they approved of its kind.
      if (exchange.hop !== null && exchange.hop.approval !== null) this.#askPolicyAgain(exchange)
    }
  }

  /** Whether a request that others made is open here, as far as this agent's own part goes. */
  waitsFor(request: string): boolean {
    const hop = this.#open.get(request)?.hop
    return hop !== undefined && hop !== null && hop.stage.phase !== 'ended'
  }

  /** Somebody here approved a request, refused it, or took an approval back, which may have covered others. */
  approvalDecided(request: string): void {
    const exchange = this.#open.get(request)
    if (exchange !== undefined) this.#askPolicyAgain(exchange)
    this.reconsider()
  }

  #askPolicyAgain(exchange: Exchange): void {
    const event = { type: 'approval-decided' as const, now: this.#ports.clock.now() }
    exchange.dispatch({ machine: 'hop', event })
  }

  /** Takes up a request of this agent's own people: asks every candidate hop. */
  async coordinate(dossier: Dossier, candidates: readonly string[], deadline: number): Promise<Exchange> {
    const exchange = this.#openExchange(dossier)
    noteDocument(dossier, 'request', dossier.request, this.#ports.clock)
    dossier.keep({
      kind: 'ask',
      epoch: 1,
      request: dossier.request.bytes,
      query: dossier.query?.section ?? null,
      ...(dossier.explains ? { explain: true as const } : {})
    })
    const now = this.#ports.clock.now()
    const begun = createCoordinator({
      request: dossier.request.id,
      self: this.#ports.self,
      candidates,
      // Whoever only wants to know waits for nobody.
      limits: dossier.explains ? { ...this.#init.coordinator, approvalWithin: 0 } : this.#init.coordinator,
      deadline: now + deadline,
      now
    })
    exchange.coordinator = begun.exchange
    if (candidates.includes(this.#ports.self) || this.#isRecipient(dossier)) this.#becomeHop(exchange)
    await exchange.begin(begun.effects)
    return exchange
  }

  /**
   * A message of a peer, from the network: verified here, answered with what is ready at once.
   *
   * @throws {DynamosError} with the code that the peer is told
   */
  async receive(from: string, wire: WireMessage): Promise<WireMessage[]> {
    if (wire.kind === 'ask') return await this.#ask(from, wire)
    const request = requestNamedBy(wire)
    const exchange = this.#open.get(request)
    if (exchange !== undefined) return await this.#take(exchange, from, wire)
    const hop = ASKED_AGAIN.includes(wire.kind) ? await storedHop(this.#ports.store, request) : undefined
    const ended = hop === undefined ? [] : await storedEnd(this.#ports.store, hop, from)
    if (ended.length === 0) throw new UnknownDocument('this request is not known here')
    return ended
  }

  /**
   * Reads what was open when the agent went down, before the network starts: what comes in then waits for {@link resume}.
   * Both machines of a request are there before either moves, because they speak to each other. What has ended is left out,
   * unless the people who asked have not been told.
   */
  async reload(): Promise<void> {
    const { store, clock, log, shares } = this.#ports
    await shares.clear()
    await store.work.interruptRunning(clock.now())
    for (const [request, machines] of await openMachines(store, log)) {
      const { hop } = machines
      try {
        if (isOfFormerKey(machines, this.#ports.self)) {
          const former = await openDossier(store, request, machines.hop?.self ?? this.#ports.self)
          await endOfFormerKey(former, request, machines, this.#ports)
          continue
        }
        const dossier = await this.#reopen(request)
        if (dossier === undefined) continue
        for (const { contract, state } of hop?.reservations ?? [])
          if (state === 'held') this.#ports.decisions.hold(dossier, contract)
        this.#openExchange(dossier).takeOver(machines, await this.#begun(hop))
      } catch (error) {
        log.error(
          { request, code: codeOf(error), err: toError(error) },
          'an exchange could not be taken up again'
        )
      }
    }
  }

  /** Goes on with what {@link reload} has read. */
  resume(): void {
    for (const exchange of this.#open.values()) exchange.resume()
  }

  /** No new requests; shares that run may finish until `deadline`, then they are stopped and reported as failed. */
  async drain(deadline: number): Promise<void> {
    this.#stopping = true
    const { clock } = this.#ports
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const cancel = clock.after(Math.max(0, deadline - clock.now()), resolve)
    const exchanges = [...this.#open.values()]
    await Promise.race([Promise.all(exchanges.map(async (exchange) => await exchange.sharesEnded())), late])
    cancel()
    for (const exchange of exchanges) exchange.stop()
    const { promise: stopped, resolve: giveUp } = Promise.withResolvers<void>()
    const cancelWait = clock.after(STOP_WITHIN_MS, giveUp)
    await Promise.race([
      Promise.all(exchanges.map(async (exchange) => await exchange.sharesEnded())),
      stopped
    ])
    cancelWait()
    this.#drained = true
    await Promise.all(exchanges.map(async (exchange) => await exchange.log.flush()))
  }

  /** Forgets exchanges that have ended. */
  prune(): void {
    for (const exchange of this.#open.values()) if (exchange.ended) this.#forget(exchange)
  }

  #forget(exchange: Exchange): void {
    this.#open.delete(exchange.request)
    void exchange.log.flush()
  }

  #isRecipient(dossier: Dossier): boolean {
    return dossier.request.payload.recipients.includes(this.#ports.speaker.organisation)
  }

  #openExchange(dossier: Dossier): Exchange {
    const exchange = new Exchange(dossier, this.#ports)
    this.#open.set(dossier.request.id, exchange)
    return exchange
  }

  #becomeHop(exchange: Exchange): void {
    exchange.hop ??= createHop({
      request: exchange.request,
      self: this.#ports.self,
      coordinator: exchange.dossier.request.payload.issuer,
      limits: this.#init.hop,
      now: this.#ports.clock.now()
    })
  }

  /** The contract whose share began here, however far it got: it is not begun again. */
  async #begun(hop: Hop | null): Promise<string[]> {
    if (hop?.stage.phase !== 'started') return []
    const { id } = hop.stage.contract
    return (await this.#ports.store.work.of(id)).length > 0 ? [id] : []
  }

  async #take(exchange: Exchange, from: string, wire: WireMessage): Promise<WireMessage[]> {
    assertMaySay(exchange.dossier, from, wire.kind)
    const message = await hearMessage(exchange.dossier, from, wire, this.#ports)
    if (message !== null) return await exchange.take(from, message)
    await exchange.keepLate()
    return []
  }

  async #ask(from: string, wire: WireOf<'ask'>): Promise<WireMessage[]> {
    const request = await openRequest(wire)
    assertAskedBy(request, from)
    const known = this.#open.get(request.id)
    if (known !== undefined) return await this.#take(known, from, wire)
    const { store } = this.#ports
    const hop = await storedHop(store, request.id)
    if (hop === undefined) return await this.#take(await this.#openForAsk(from, wire, request), from, wire)
    // What was promised under this request once is not promised again.
    const ended = await storedEnd(store, hop, from)
    if (ended.length === 0) throw new RequestNotTaken('already-ended', 'this request has ended here')
    return ended
  }

  async #openForAsk(from: string, wire: WireOf<'ask'>, request: Signed<'request'>): Promise<Exchange> {
    if (this.#stopping) throw new RequestNotTaken('shutting-down', 'this agent is stopping')
    // Before the guard, which stores that it has seen the request, and after it: while it waited, others may have come.
    this.#makeRoom(from)
    await this.#guard(request, from)
    const raced = this.#open.get(request.id)
    if (raced !== undefined) return raced
    this.#makeRoom(from)
    const exchange = this.#openExchange(new Dossier(request, this.#ports.self))
    exchange.dossier.keep({ ...wire, query: null })
    noteDocument(exchange.dossier, 'request', request, this.#ports.clock)
    this.#becomeHop(exchange)
    return exchange
  }

  /**
   * Ended ones count too, because their documents are kept for a while; the oldest of them go first.
   *
   * @throws {RequestNotTaken} `busy`
   */
  #makeRoom(from: string): void {
    const { maxOpenPerPeer } = this.#init
    const held = [...this.#open.values()].filter((one) => one.dossier.request.payload.issuer === from)
    const surplus = held.length - maxOpenPerPeer + 1
    if (surplus <= 0) return
    const ended = held.filter((one) => one.ended).slice(0, surplus)
    if (ended.length < surplus)
      throw new RequestNotTaken(
        'busy',
        `at most ${maxOpenPerPeer} requests of one agent are open here at once`
      )
    for (const exchange of ended) this.#forget(exchange)
  }

  async #reopen(request: string): Promise<Dossier | undefined> {
    const dossier = await openDossier(this.#ports.store, request, this.#ports.self)
    if (dossier !== undefined) await this.#ports.coordination.reopened(dossier)
    return dossier
  }
}
