import {
  addressees,
  advance,
  type ContractView,
  type Coordinator,
  type CoordinatorEvent,
  createCoordinator,
  createHop,
  type Effect,
  flowRefusal,
  type Hop,
  type HopEvent,
  type Message,
  type OutcomeView,
  type PartyView,
  parseExchange,
  recipientOf,
  wakeAt
} from '../../protocol/negotiation/index.ts'

export const REQUEST = 'request'
export const COORDINATOR = 'requester'
const LIMITS = {
  hop: { startBy: 400, deadline: 2_000, grace: 500, idle: 1_500 },
  coordinator: {
    offerWithin: 200,
    composeWithin: 200,
    acceptWithin: 200,
    retryEvery: 100,
    closeWithin: 400,
    approvalWithin: 5_000,
    askAgainEvery: 600
  }
}
const CONTRACT_DEADLINE = 1_500
const OVERALL_DEADLINE = 4_000
const APPROVAL_WITHIN = 2_500

export interface Setup {
  dataHops: number
  infrastructure: boolean
  /** Where the result goes: the requester's own agent, another agent, or a data provider. */
  recipient: 'requester' | 'other' | 'data'
  /** Whether the requester's agent is a data provider as well. */
  requesterHoldsData: boolean
  /** Who lies, if anybody. */
  hostile: 'nobody' | 'data' | 'infrastructure' | 'requester' | 'recipient'
  /** Where people have to approve the request, and whether they ever decide; a liar there says for ever that they have not. */
  approval: { of: 'nobody' | 'first' | 'all'; sleeps: boolean }
}

/** A broken promise; the name is what a test looks for. */
export class Broken extends Error {}

interface Pending {
  to: Agent
  event: (now: number) => HopEvent
}

interface Envelope {
  from: string
  to: string
  message: Message
}

/** What survives a crash, and what does not. */
class Agent {
  readonly peer: string
  readonly honest: boolean
  clock = 0
  /** Stored as text: the state must be plain data. */
  hop: string | null = null
  coordinator: string | null = null
  /** Signed, by key. */
  readonly acceptances = new Map<number, string>()
  outcome: OutcomeView | null = null
  readonly receipts = new Set<string>()
  /** The unique table of (contract, step). */
  readonly begun = new Set<string>()
  readonly reservations = new Map<string, 'held' | 'free'>()
  /** The row of the quota table: one for a request, whatever its contracts. */
  counted = false
  /** Whether what was made here left, or may have. */
  used = false
  /** In memory. A hostile agent has the same machines, so that exchanges get somewhere, and lies besides. */
  readonly running = new Set<string>()
  readonly produced = new Set<string>()
  policy: Record<'offer' | 'accept' | 'start', boolean> = { offer: true, accept: true, start: true }
  full = false
  /** The row of the table of approvals: what people here were asked, and said. */
  approval: { state: 'pending' | 'approved' | 'refused' | 'withdrawn'; until: number } | null = null
  needsApproval = false
  /** How many effects effects the next advance carries out before the process dies; null: all. */
  crashAfter: number | null = null
  /** Starts with a complete set that reached this agent, by contract. */
  readonly completeStarts = new Set<string>()
  /** Everything this agent was told, for a hostile one to reuse. */
  readonly heard: Message[] = []

  constructor(peer: string, honest: boolean) {
    this.peer = peer
    this.honest = honest
  }
}

export class Network {
  readonly agents = new Map<string, Agent>()
  readonly setup: Setup
  readonly recipient: string
  readonly dataHops: string[]
  readonly infrastructure: string | null
  wire: Envelope[] = []
  asks: Pending[] = []
  composing: Extract<Effect, { do: 'compose' }>[] = []
  readonly contracts = new Map<string, ContractView>()
  /** Set when the world turns kind: everything works and is delivered. */
  kind = false
  #names = 0

  constructor(setup: Setup) {
    this.setup = setup
    this.dataHops = Array.from({ length: setup.dataHops }, (_, n) =>
      n === 0 && setup.requesterHoldsData ? COORDINATOR : `data${n}`
    )
    this.infrastructure = setup.infrastructure ? 'infrastructure' : null
    const lastData = this.dataHops.at(-1) ?? COORDINATOR
    this.recipient =
      setup.recipient === 'requester' ? COORDINATOR : setup.recipient === 'data' ? lastData : 'recipient'
    const liar =
      setup.hostile === 'data'
        ? lastData
        : setup.hostile === 'infrastructure'
          ? this.infrastructure
          : setup.hostile === 'requester'
            ? COORDINATOR
            : setup.hostile === 'recipient'
              ? this.recipient
              : null
    const peers = new Set([
      COORDINATOR,
      ...this.dataHops,
      ...(this.infrastructure === null ? [] : [this.infrastructure]),
      this.recipient
    ])
    for (const peer of peers) this.agents.set(peer, new Agent(peer, peer !== liar))
    for (const [index, peer] of this.dataHops.entries())
      this.agent(peer).needsApproval =
        setup.approval.of === 'all' || (setup.approval.of === 'first' && index === 0)
    for (const agent of this.agents.values()) {
      const init = {
        request: REQUEST,
        self: agent.peer,
        coordinator: COORDINATOR,
        limits: LIMITS.hop,
        now: 0
      }
      agent.hop = JSON.stringify(createHop(init))
    }
    const requester = this.agent(COORDINATOR)
    const first = createCoordinator({
      request: REQUEST,
      self: COORDINATOR,
      candidates: this.candidates(),
      limits: LIMITS.coordinator,
      deadline: OVERALL_DEADLINE,
      now: 0
    })
    requester.coordinator = JSON.stringify(first.exchange)
    this.carryOut(requester, first.effects)
  }

  candidates(): string[] {
    return [
      ...this.dataHops,
      ...(this.infrastructure === null ? [] : [this.infrastructure]),
      ...(this.dataHops.includes(this.recipient) ? [] : [this.recipient])
    ]
  }

  agent(peer: string): Agent {
    const found = this.agents.get(peer)
    if (found === undefined) throw new Error(`no agent ${peer}`)
    return found
  }

  get honest(): Agent[] {
    return [...this.agents.values()].filter((agent) => agent.honest)
  }

  get hostile(): Agent | undefined {
    return [...this.agents.values()].find((agent) => !agent.honest)
  }

  hop(agent: Agent): Hop | null {
    if (agent.hop === null) return null
    const exchange = parseExchange(JSON.parse(agent.hop))
    if (exchange.machine !== 'hop') throw new Broken('a hop was stored as a coordinator')
    return exchange
  }

  coordinator(agent: Agent): Coordinator | null {
    if (agent.coordinator === null) return null
    const exchange = parseExchange(JSON.parse(agent.coordinator))
    if (exchange.machine !== 'coordinator') throw new Broken('a coordinator was stored as a hop')
    return exchange
  }

  toHop(agent: Agent, event: HopEvent): void {
    const hop = this.hop(agent)
    if (hop === null) return
    const { exchange, effects } = advance(hop, event)
    agent.hop = JSON.stringify(exchange)
    this.carryOut(agent, effects)
  }

  toCoordinator(agent: Agent, event: CoordinatorEvent): void {
    const coordinator = this.coordinator(agent)
    if (coordinator === null) return
    const { exchange, effects } = advance(coordinator, event)
    agent.coordinator = JSON.stringify(exchange)
    this.carryOut(agent, effects)
  }

  deliver({ from, to, message }: Envelope): void {
    const agent = this.agent(to)
    agent.heard.push(message)
    if (message.kind === 'start') {
      const contract = this.contracts.get(message.contract)
      if (contract !== undefined && isProof(contract, message)) agent.completeStarts.add(message.contract)
    }
    const event = { type: 'received' as const, from, message, now: agent.clock }
    for (const machine of addressees(message.kind))
      if (machine === 'hop') this.toHop(agent, event)
      else this.toCoordinator(agent, event)
  }

  carryOut(agent: Agent, effects: readonly Effect[]): void {
    const dies = agent.crashAfter
    const done = dies === null ? effects : effects.slice(0, dies)
    agent.crashAfter = null
    for (const effect of done) this.one(agent, effect)
    if (dies !== null) this.crash(agent)
  }

  /** Memory is gone, the store is not; the agent comes up again at once. */
  crash(agent: Agent): void {
    const stage = this.hop(agent)?.stage
    if (stage?.phase === 'started' && stage.share === 'running' && agent.begun.has(stage.contract.id))
      agent.used = true
    agent.running.clear()
    this.asks = this.asks.filter((ask) => ask.to !== agent)
    if (agent.peer === COORDINATOR) this.composing = []
    const event = { type: 'restarted' as const, begun: [...agent.begun], now: agent.clock }
    this.toHop(agent, event)
    this.toCoordinator(agent, event)
  }

  private one(agent: Agent, effect: Effect): void {
    switch (effect.do) {
      case 'send':
        this.wire.push({ from: agent.peer, to: effect.to, message: effect.message })
        return
      case 'ask-policy':
        this.asks.push({ to: agent, event: (now) => this.decide(agent, effect, now) })
        return
      case 'reserve': {
        const { contract } = effect
        const refusal = agent.full && !this.kind ? aRefusal('busy') : null
        const answer = (now: number): HopEvent => ({ type: 'reserved', contract, refusal, now })
        agent.reservations.set(contract, 'held')
        if (refusal === null) agent.counted = true
        this.asks.push({ to: agent, event: answer })
        return
      }
      case 'release':
        agent.reservations.set(effect.contract, 'free')
        if (!effect.spent) agent.counted = false
        return
      case 'run-share': {
        const { contract } = effect
        if (agent.honest) this.assertMayRun(agent, contract)
        if (agent.begun.has(contract)) return
        agent.begun.add(contract)
        agent.running.add(contract)
        return
      }
      case 'withdraw-approval':
        if (agent.approval?.state === 'pending') agent.approval.state = 'withdrawn'
        return
      case 'stop-share':
        agent.running.delete(effect.contract)
        return
      case 'sign-acceptance': {
        const signed = agent.acceptances.get(effect.epoch)
        if (agent.honest && signed !== undefined && signed !== effect.contract)
          throw new Broken(`promise 6: ${agent.peer} accepts two contracts of epoch ${effect.epoch}`)
        agent.acceptances.set(effect.epoch, effect.contract)
        return
      }
      case 'sign-decline':
        return
      case 'sign-receipt':
        agent.receipts.add(effect.contract)
        return
      case 'sign-outcome': {
        const { outcome } = effect
        if (!agent.honest) return
        if (outcome.signer !== agent.peer) throw new Broken(`${agent.peer} signs for another`)
        if (agent.outcome !== null && JSON.stringify(agent.outcome) !== JSON.stringify(outcome))
          throw new Broken(`promise 6: ${agent.peer} signs two outcomes`)
        if (outcome.result === 'completed') this.assertCompletes(agent, outcome)
        agent.outcome = outcome
        return
      }
      case 'compose':
        this.composing.push(effect)
        return
    }
  }

  private assertMayRun(agent: Agent, contract: string): void {
    if (agent.begun.has(contract)) throw new Broken(`promise 5: ${agent.peer} runs ${contract} twice`)
    const offer = this.offerOf(agent, contract)
    if (offer !== null && [...agent.begun].some((other) => this.offerOf(agent, other) === offer))
      throw new Broken(`promise 1: ${agent.peer} runs twice on ${offer}`)
    if (agent.acceptances.get(this.epochOf(contract)) !== contract)
      throw new Broken(`promise 1: ${agent.peer} runs ${contract}, which it did not accept`)
    if (!agent.completeStarts.has(contract))
      throw new Broken(`promise 1: ${agent.peer} runs ${contract} without all acceptances`)
    if (agent.needsApproval && agent.approval?.state !== 'approved')
      throw new Broken(`promise 2: ${agent.peer} runs ${contract}, which nobody approved`)
    if (!agent.policy.start && !this.kind)
      throw new Broken(`promise 1: ${agent.peer} runs ${contract} against its policy`)
    if (!agent.counted) throw new Broken(`promise 1: ${agent.peer} runs ${contract} outside its quota`)
    if (agent.running.size > 0) throw new Broken(`promise 6: ${agent.peer} runs two epochs at once`)
  }

  private offerOf(agent: Agent, contract: string): string | null {
    return this.contracts.get(contract)?.parties.find((party) => party.peer === agent.peer)?.offer ?? null
  }

  private assertCompletes(agent: Agent, outcome: OutcomeView): void {
    const contract = this.contracts.get(outcome.contract ?? '')
    if (contract === undefined || recipientOf(contract) !== agent.peer)
      throw new Broken(`promise 6: ${agent.peer} completes without being the recipient`)
    if (!agent.receipts.has(contract.id))
      throw new Broken(`promise 6: ${agent.peer} completes without a receipt`)
  }

  private epochOf(contract: string): number {
    return this.contracts.get(contract)?.epoch ?? 0
  }

  private decide(agent: Agent, ask: Extract<Effect, { do: 'ask-policy' }>, now: number): HopEvent {
    const approved = !agent.needsApproval || agent.approval?.state === 'approved'
    const permits = approved && (this.kind || agent.policy[ask.question])
    if (ask.question === 'offer') {
      const { epoch } = ask
      const by = ['steward']
      if (agent.needsApproval && !agent.honest && this.setup.approval.sleeps)
        return { type: 'offer-waits', epoch, until: now + 1_000_000, by, now }
      if (agent.needsApproval) agent.approval ??= { state: 'pending', until: now + APPROVAL_WITHIN }
      const { approval } = agent
      if (approval?.state === 'withdrawn') agent.approval = { state: 'pending', until: approval.until }
      if (agent.approval?.state === 'pending' && now < agent.approval.until)
        return { type: 'offer-waits', epoch, until: agent.approval.until, by, now }
      const offer = `offer-${agent.peer}-${this.name()}`
      return { type: 'offer-made', epoch: ask.epoch, offer, permits, until: now + 1_000, now }
    }
    const refusal = permits ? null : aRefusal('policy-forbids')
    return { type: 'verdict', question: ask.question, contract: ask.contract ?? '', refusal, now }
  }

  /** A person decides, or changes their mind. */
  approve(agent: Agent, state: 'approved' | 'refused'): void {
    if (agent.approval === null || agent.approval.state === 'withdrawn') return
    if (agent.approval.state === 'pending' && agent.clock >= agent.approval.until) return
    agent.approval.state = state
    this.toHop(agent, { type: 'approval-decided', now: agent.clock })
    const [contract] = agent.running
    if (state === 'approved' || contract === undefined) return
    const refusal = aRefusal('policy-forbids')
    this.toHop(agent, { type: 'verdict', question: 'continue', contract, refusal, now: agent.clock })
  }

  name(): number {
    this.#names += 1
    return this.#names
  }

  /** Composition, which the machine leaves to others: all data hops that still offer, or nothing. */
  answerCompose(index: number): void {
    const requester = this.agent(COORDINATOR)
    const [ask] = this.composing.splice(index % Math.max(1, this.composing.length), 1)
    if (ask === undefined) return
    const now = requester.clock
    const contract = this.plan(ask.epoch, new Map(ask.offers.map(({ hop, offer }) => [hop, offer])))
    if (contract === null)
      this.toCoordinator(requester, {
        type: 'unplannable',
        epoch: ask.epoch,
        code: 'no-candidate',
        hop: null,
        now
      })
    else this.toCoordinator(requester, { type: 'planned', contract, now })
  }

  plan(epoch: number, offers: ReadonlyMap<string, string>): ContractView | null {
    const parties = new Map<string, PartyView>()
    const add = (peer: string, role: PartyView['roles'][number]): void => {
      const known = parties.get(peer)
      const offer = offers.get(peer) ?? null
      parties.set(peer, { peer, roles: [...(known?.roles ?? []), role], offer })
    }
    for (const peer of this.dataHops) if (offers.has(peer)) add(peer, 'data')
    if (parties.size === 0) return null
    if (this.infrastructure !== null && offers.has(this.infrastructure))
      add(this.infrastructure, 'infrastructure')
    if (this.dataHops.includes(this.recipient) && !offers.has(this.recipient)) return null
    add(this.recipient, 'recipient')
    const contract: ContractView = {
      id: `contract-${epoch}-${this.name()}`,
      request: REQUEST,
      epoch,
      issuer: COORDINATOR,
      parties: [...parties.values()],
      deadline: CONTRACT_DEADLINE
    }
    this.contracts.set(contract.id, contract)
    return contract
  }

  /** A share can end when its inputs are there: a recipient's when all others are done, and only of what it still takes. */
  finishShare(agent: Agent): void {
    const [contract] = agent.running
    if (contract === undefined) return
    const view = this.contracts.get(contract)
    const hop = this.hop(agent)
    if (view === undefined || hop === null) return
    const waits = recipientOf(view) === agent.peer
    const ready = view.parties.every(({ peer }) => {
      const other = this.agent(peer)
      return peer === agent.peer || !other.honest || other.produced.has(contract)
    })
    if ((waits && !ready) || flowRefusal(hop, contract) !== null) return
    if (!waits) this.leave(agent)
    agent.running.delete(contract)
    agent.produced.add(contract)
    agent.used = true
    this.toHop(agent, { type: 'share-done', contract, now: agent.clock })
  }

  /** The first byte is about to leave. */
  leave(agent: Agent): void {
    const [contract] = agent.running
    if (contract === undefined) return
    this.toHop(agent, { type: 'output-leaves', contract, now: agent.clock })
    const stage = this.hop(agent)?.stage
    if (stage?.phase === 'started' && stage.contract.id === contract && stage.left) agent.used = true
  }

  failShare(agent: Agent, blameOther: boolean): void {
    const [contract] = agent.running
    if (contract === undefined) return
    const other = this.contracts.get(contract)?.parties.find((party) => party.peer !== agent.peer)?.peer
    const blamed = blameOther && other !== undefined
    this.toHop(agent, {
      type: 'share-failed',
      contract,
      hop: blamed ? other : agent.peer,
      code: blamed ? 'peer-unreachable' : 'job-failed',
      step: null,
      position: null,
      now: agent.clock
    })
  }

  tick(agent: Agent): void {
    this.toHop(agent, { type: 'tick', now: agent.clock })
    this.toCoordinator(agent, { type: 'tick', now: agent.clock })
  }

  /** Holds after every step. */
  assertInvariants(): void {
    const held = new Map<string, Set<string>>()
    for (const agent of this.honest) {
      const hop = this.hop(agent)
      const coordinator = this.coordinator(agent)
      for (const stage of [hop?.stage, coordinator?.stage]) {
        if (stage?.phase !== 'ended') continue
        for (const outcome of [stage.outcome, stage.late]) {
          if (outcome === null || outcome.result === 'expired') continue
          // A requester who lies can open several exchanges under one request: they are judged by contract.
          const key = this.hostile?.peer === COORDINATOR ? (outcome.contract ?? '') : REQUEST
          const results = held.get(key) ?? new Set<string>()
          results.add(outcome.result === 'completed' ? 'completed' : 'not completed')
          held.set(key, results)
        }
      }
      if (hop !== null)
        for (const contract of agent.running)
          if (hop.stage.phase !== 'started' || hop.stage.contract.id !== contract)
            throw new Broken(`promise 1: ${agent.peer} still runs ${contract}`)
      const newest = Math.max(0, ...agent.acceptances.keys())
      for (const contract of agent.running)
        if (this.epochOf(contract) < newest)
          throw new Broken(`promise 6: ${agent.peer} runs ${contract} though it accepted epoch ${newest}`)
    }
    if (this.hostile?.peer === this.recipient) return
    for (const results of held.values())
      if (results.size > 1) throw new Broken('promise 6: two parties hold contradicting outcomes')
  }

  /** From now on everything is delivered, answered and timed: all must come to an end. */
  settle(): void {
    this.kind = true
    if (!this.setup.approval.sleeps) for (const agent of this.agents.values()) this.approve(agent, 'approved')
    for (let round = 0; round < 400; round++) {
      while (this.wire.length + this.asks.length + this.composing.length > 0) {
        for (const envelope of this.wire.splice(0)) this.deliver(envelope)
        for (const ask of this.asks.splice(0)) this.toHop(ask.to, ask.event(ask.to.clock))
        while (this.composing.length > 0) this.answerCompose(0)
        this.assertInvariants()
      }
      for (let pass = 0; pass < 2; pass++) for (const agent of this.agents.values()) this.finishShare(agent)
      this.assertInvariants()
      if (this.wire.length + this.asks.length > 0) continue
      const everybody = [...this.agents.values()]
      const wakes = everybody.flatMap((agent) =>
        [this.hop(agent), this.coordinator(agent)].flatMap((exchange) => {
          const at = exchange === null ? null : wakeAt(exchange)
          return at === null ? [] : [{ agent, at }]
        })
      )
      if (wakes.length === 0) break
      const wait = Math.max(1, Math.min(...wakes.map(({ agent, at }) => at - agent.clock)))
      for (const agent of everybody) {
        agent.clock += wait
        this.tick(agent)
      }
    }
    for (const agent of this.honest) {
      if (agent.approval?.state === 'pending' && agent.clock < agent.approval.until)
        throw new Broken(`promise 3: ${agent.peer} still asks its people about a request that is over`)
      if (agent.used !== agent.counted)
        throw new Broken(`promise 6: output of ${agent.peer} left: ${agent.used}, counted: ${agent.counted}`)
      const stages = [this.hop(agent)?.stage.phase, this.coordinator(agent)?.stage.phase]
      if (stages.some((phase) => phase !== undefined && phase !== 'ended'))
        throw new Broken(`promise 3: ${agent.peer} never ends (${stages.join(', ')})`)
      for (const [contract, state] of agent.reservations)
        if (state === 'held') throw new Broken(`promise 3: ${agent.peer} never gives back ${contract}`)
    }
  }
}

/** Said in other words than the machine's own, so that it can catch the machine. */
function isProof(contract: ContractView, { acceptances }: Extract<Message, { kind: 'start' }>): boolean {
  const parties = contract.parties.map((party) => party.peer).toSorted()
  const signers = acceptances.map((one) => one.signer).toSorted()
  const same = acceptances.filter((one) => one.contract === contract.id && one.epoch === contract.epoch)
  return same.length === acceptances.length && JSON.stringify(parties) === JSON.stringify(signers)
}

export function aRefusal(code: 'policy-forbids' | 'busy' | 'agreement-revoked') {
  return { code, clause: null, reason: 'for a test', acceptable: null, position: null }
}
