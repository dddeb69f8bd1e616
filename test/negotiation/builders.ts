import type { RefusalCode } from '../../protocol/documents/index.ts'
import {
  type AcceptanceView,
  type Advance,
  advance,
  type ContractView,
  type Coordinator,
  type CoordinatorEvent,
  createCoordinator,
  createHop,
  type Effect,
  type Hop,
  type HopEvent,
  type Message
} from '../../protocol/negotiation/index.ts'

export const SELF = 'VU'
export const OTHER = 'SURF'
export const RECIPIENT = 'UVA'
export const REQUESTER = 'UVA'

const HOP_LIMITS = { startBy: 100, deadline: 1_000, grace: 50, idle: 500 }
const COORDINATOR_LIMITS = {
  offerWithin: 50,
  composeWithin: 50,
  acceptWithin: 50,
  retryEvery: 20,
  closeWithin: 100,
  approvalWithin: 10_000,
  askAgainEvery: 400
}

/** Data at VU, computing at SURF, the result for UVA, which asks. */
export function aContract(overrides: Partial<ContractView> = {}): ContractView {
  return {
    id: `contract-${overrides.epoch ?? 1}`,
    request: 'request',
    epoch: 1,
    issuer: REQUESTER,
    parties: [
      { peer: SELF, roles: ['data'], offer: `offer-${SELF}` },
      { peer: OTHER, roles: ['infrastructure'], offer: `offer-${OTHER}` },
      { peer: RECIPIENT, roles: ['recipient'], offer: null }
    ],
    deadline: 800,
    ...overrides
  }
}

export function acceptancesOf(contract: ContractView): AcceptanceView[] {
  return contract.parties.map(({ peer }) => ({ contract: contract.id, epoch: contract.epoch, signer: peer }))
}

/** A machine and all it ordered, for tests that read like a conversation. */
export class HopTalk {
  hop: Hop
  /** What the last event ordered. */
  effects: readonly Effect[] = []

  constructor(self = SELF, requester = REQUESTER) {
    const init = { request: 'request', self, coordinator: requester, limits: HOP_LIMITS, now: 0 }
    this.hop = createHop(init)
  }

  tell(event: HopEvent): this {
    this.#take(advance(this.hop, event))
    return this
  }

  hear(message: Message, from = REQUESTER, now = 0): this {
    return this.tell({ type: 'received', from, message, now })
  }

  offers(offer = `offer-${this.hop.self}`, epoch = 1, now = 0): this {
    this.hear({ kind: 'ask', epoch }, REQUESTER, now)
    return this.tell({ type: 'offer-made', epoch, offer, permits: true, until: now + 500, now })
  }

  accepts(contract: ContractView, now = 0): this {
    this.hear({ kind: 'propose', contract }, REQUESTER, now)
    this.tell({ type: 'verdict', question: 'accept', contract: contract.id, refusal: null, now })
    return this.tell({ type: 'reserved', contract: contract.id, refusal: null, now })
  }

  starts(contract: ContractView, now = 0): this {
    const acceptances = acceptancesOf(contract)
    this.hear({ kind: 'start', contract: contract.id, acceptances }, REQUESTER, now)
    return this.tell({ type: 'verdict', question: 'start', contract: contract.id, refusal: null, now })
  }

  get orders(): string[] {
    return this.effects.map((effect) =>
      effect.do === 'send' ? `${effect.message.kind} to ${effect.to}` : effect.do
    )
  }

  /** Codes of the declines and rejections that the last event ordered to be sent. */
  get refusals(): string[] {
    return this.effects.flatMap((effect) => {
      if (effect.do !== 'send') return []
      if (effect.message.kind === 'decline') return [effect.message.refusal.code]
      return effect.message.kind === 'rejected' ? [effect.message.code] : []
    })
  }

  #take(advanced: Advance<Hop>): void {
    this.hop = advanced.exchange
    this.effects = advanced.effects
  }
}

export class CoordinatorTalk {
  coordinator: Coordinator
  effects: readonly Effect[]

  constructor(candidates: readonly string[] = [SELF, OTHER], self = REQUESTER) {
    const init = {
      request: 'request',
      self,
      candidates,
      limits: COORDINATOR_LIMITS,
      deadline: 1_000,
      now: 0
    }
    const first = createCoordinator(init)
    this.coordinator = first.exchange
    this.effects = first.effects
  }

  tell(event: CoordinatorEvent): this {
    const advanced = advance(this.coordinator, event)
    this.coordinator = advanced.exchange
    this.effects = advanced.effects
    return this
  }

  hear(from: string, message: Message, now = 0): this {
    return this.tell({ type: 'received', from, message, now })
  }

  offered(epoch = 1, now = 0): this {
    for (const { peer } of this.coordinator.hops)
      this.hear(peer, { kind: 'offer', epoch, offer: `offer-${peer}`, permits: true }, now)
    return this
  }

  planned(contract: ContractView, now = 0): this {
    return this.tell({ type: 'planned', contract, now })
  }

  accepted(contract: ContractView, now = 0): this {
    for (const acceptance of acceptancesOf(contract))
      this.hear(acceptance.signer, { kind: 'acceptance', acceptance }, now)
    return this
  }

  get orders(): string[] {
    return this.effects.map((effect) =>
      effect.do === 'send' ? `${effect.message.kind} to ${effect.to}` : effect.do
    )
  }
}

export function refusalOf(code: RefusalCode) {
  return { code, clause: null, reason: 'for a test', acceptable: null, position: null }
}
