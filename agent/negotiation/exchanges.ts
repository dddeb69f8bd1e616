import type { Signed } from '../../protocol/documents/index.ts'
import { codeOf, DynamosError, toError } from '../../protocol/errors/index.ts'
import type { WireMessage } from '../../protocol/messages/index.ts'
import {
  type CoordinatorLimits,
  createCoordinator,
  createHop,
  flowRefusal,
  type HopLimits,
  parseExchange
} from '../../protocol/negotiation/index.ts'
import { Dossier, openRequest, UnknownDocument } from './dossier.ts'
import { Exchange } from './exchange.ts'
import { hearMessage } from './hearing.ts'
import type { ExchangePorts } from './ports.ts'
import { replay } from './replay.ts'
import { requestNamedBy } from './wire.ts'

export interface ExchangesInit {
  hop: HopLimits
  coordinator: CoordinatorLimits
  /** Requests of one peer that may be open here at once. */
  maxOpenPerPeer: number
}

/** Checks what a request says of its requester; membership was verified when the connection was made. */
export type RequestGuard = (request: Signed<'request'>, from: string) => Promise<void>

/** A request that is not taken up; the code says why. */
export class RequestNotTaken extends DynamosError {
  static override readonly name = 'RequestNotTaken'
}

const STOP_WITHIN_MS = 1000

/** Every exchange this agent takes part in, by request. */
export class Exchanges {
  readonly #open = new Map<string, Exchange>()
  readonly #init: ExchangesInit
  readonly #ports: ExchangePorts
  readonly #guard: RequestGuard
  #stopping = false

  constructor(init: ExchangesInit, ports: ExchangePorts, guard: RequestGuard) {
    this.#init = init
    this.#ports = ports
    this.#guard = guard
  }

  get(request: string): Exchange | undefined {
    return this.#open.get(request)
  }

  /** The exchange whose contract this is, when this agent knows it. */
  byContract(contract: string): Exchange | undefined {
    return [...this.#open.values()].find((exchange) => exchange.dossier.contracts.has(contract))
  }

  /** Exchanges that need `peer`: it is a party of a contract that is proposed or runs, and has not done its share yet. */
  withParty(peer: string): Exchange[] {
    return [...this.#open.values()].filter(({ coordinator, dossier }) => {
      const stage = coordinator?.stage
      if (stage?.phase !== 'proposing' && stage?.phase !== 'running') return false
      const held = dossier.contracts.get(stage.contract.id)
      const done = [...(held?.receipts.values() ?? [])].some((receipt) => receipt.payload.issuer === peer)
      return !done && stage.contract.parties.some((party) => party.peer === peer)
    })
  }

  /** A membership, the status list or an agreement changed: what runs here is asked about again. */
  reconsider(): void {
    for (const exchange of this.#open.values()) exchange.reconsider()
  }

  /** The running shares, for load and for shutting down. */
  get active(): number {
    return [...this.#open.values()].filter((exchange) => !exchange.ended).length
  }

  /** Why a flow of a contract may not be opened or taken here now; null: it may. */
  flowRefusal(request: string, contract: string): string | null {
    const hop = this.#open.get(request)?.hop
    return hop === null || hop === undefined ? 'flow-not-in-contract' : flowRefusal(hop, contract)
  }

  /** Takes up a request of this agent's own people: asks every candidate hop. */
  async coordinate(dossier: Dossier, candidates: readonly string[], deadline: number): Promise<Exchange> {
    const exchange = this.#openExchange(dossier)
    dossier.keep({
      kind: 'ask',
      epoch: 1,
      request: dossier.request.bytes,
      query: dossier.query?.section ?? null
    })
    const now = this.#ports.clock.now()
    const begun = createCoordinator({
      request: dossier.request.id,
      self: this.#ports.self,
      candidates,
      limits: this.#init.coordinator,
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
    const exchange =
      wire.kind === 'ask' ? await this.#openForAsk(from, wire) : this.#open.get(requestNamedBy(wire))
    if (exchange === undefined) throw new UnknownDocument('this request is not known here')
    const message = await hearMessage(exchange.dossier, from, wire, this.#ports)
    return message === null ? [] : await exchange.take(from, message)
  }

  /** Takes up what was open when the agent went down. */
  async restart(): Promise<void> {
    const { store, clock, log, shares } = this.#ports
    await shares.clear()
    const interrupted = await store.work.interruptRunning(clock.now())
    const stored = [...(await store.exchanges.all('coordinator')), ...(await store.exchanges.all('hop'))]
    for (const { request, state } of stored) {
      try {
        const machine = parseExchange(JSON.parse(new TextDecoder().decode(state)))
        if (machine.stage.phase === 'ended') continue
        const exchange = this.#open.get(request) ?? (await this.#reopen(request))
        if (exchange === undefined) continue
        const now = clock.now()
        if (machine.machine === 'hop') exchange.hop = machine
        else exchange.coordinator = machine
        const begun = interrupted.map((one) => one.contract)
        exchange.dispatch({ machine: machine.machine, event: { type: 'restarted', now, begun } })
      } catch (error) {
        log.error(
          { request, code: codeOf(error), err: toError(error) },
          'an exchange could not be taken up again'
        )
      }
    }
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
    await Promise.all(exchanges.map(async (exchange) => await exchange.logDecisions()))
  }

  /** Forgets exchanges that have ended. */
  prune(): void {
    for (const [request, exchange] of this.#open) {
      if (!exchange.ended) continue
      this.#open.delete(request)
      void exchange.logDecisions()
    }
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

  async #openForAsk(from: string, wire: Extract<WireMessage, { kind: 'ask' }>): Promise<Exchange> {
    const request = await openRequest(wire)
    const known = this.#open.get(request.id)
    if (known !== undefined) return known
    if (this.#stopping) throw new RequestNotTaken('shutting-down', 'this agent is stopping')
    await this.#guard(request, from)
    const open = [...this.#open.values()].filter(
      (one) => !one.ended && one.dossier.request.payload.issuer === from
    )
    if (open.length >= this.#init.maxOpenPerPeer) {
      throw new RequestNotTaken(
        'busy',
        `at most ${this.#init.maxOpenPerPeer} requests of one agent are open here at once`
      )
    }
    // While the guard waited, the same request may have come on another stream.
    const raced = this.#open.get(request.id)
    if (raced !== undefined) return raced
    const exchange = this.#openExchange(new Dossier(request, this.#ports.self))
    exchange.dossier.keep({ ...wire, query: null })
    this.#becomeHop(exchange)
    return exchange
  }

  async #reopen(request: string): Promise<Exchange | undefined> {
    const entries = await this.#ports.store.documents.ofRequest(request)
    let exchange: Exchange | undefined
    for (const { bytes } of entries) {
      const wire = Dossier.parse(bytes)
      if (exchange === undefined) {
        if (wire.kind !== 'ask') continue
        exchange = this.#openExchange(new Dossier(await openRequest(wire), this.#ports.self))
      }
      await replay(exchange.dossier, wire)
    }
    if (exchange !== undefined) await this.#ports.coordination.reopened(exchange.dossier)
    return exchange
  }
}
