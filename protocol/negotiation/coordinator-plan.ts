import { DynamosError } from '../errors/index.ts'
import { abortUnstarted, giveUp } from './coordinator-ending.ts'
import {
  type AskedHop,
  type Coordinator,
  type CoordinatorLimits,
  isAwaited,
  startedRecipient
} from './coordinator-state.ts'
import { askAfterWaiting, awaitsAnswer, restartSpan } from './coordinator-waiting.ts'
import { type Advance, type Effect, send, stay, then } from './effects.ts'
import type { Planned, Unplannable } from './events.ts'
import { type ContractView, type EndCode, recipientOf } from './views.ts'

/** What a new plan cannot mend: the same data and the same text would fail the same way. */
const HOPELESS: readonly EndCode[] = [
  'cancelled',
  'sql-runtime',
  'schema-mismatch',
  'output-too-large',
  'output-limit',
  'dataset-malformed',
  'dataset-missing'
]
const MAX_EPOCH = 3

export class PlanInvalid extends DynamosError {
  static override readonly name = 'PlanInvalid'
  constructor(message: string) {
    super('internal', message)
  }
}

/**
 * The first step of a request at the agent that asks: every candidate hop is asked.
 *
 * @param init.candidates data providers, compute providers and, when it is another agent, the recipient
 */
export function createCoordinator(init: {
  request: string
  self: string
  candidates: readonly string[]
  limits: CoordinatorLimits
  deadline: number
  now: number
}): Advance<Coordinator> {
  const { request, self, candidates, limits, deadline, now } = init
  return ask(
    {
      machine: 'coordinator',
      request,
      self,
      limits,
      deadline,
      span: Math.max(0, deadline - now),
      waited: null,
      epoch: 1,
      hops: [...new Set(candidates)].map(unheard),
      without: [],
      refusals: [],
      plans: [],
      stage: { phase: 'collecting', until: now + limits.offerWithin, askAt: null }
    },
    now
  )
}

function unheard(peer: string): AskedHop {
  return { peer, answer: 'waiting', offer: null, approval: null, heardAt: 0 }
}

function ask(coordinator: Coordinator, now: number): Advance<Coordinator> {
  const { epoch, limits } = coordinator
  const hops = coordinator.hops
    .filter((hop) => !coordinator.without.some((one) => one.hop === hop.peer))
    .map((hop) => unheard(hop.peer))
  return then(
    stay<Coordinator>(
      { ...coordinator, hops, stage: { phase: 'collecting', until: now + limits.offerWithin, askAt: null } },
      ...hops.map((hop) => send(hop.peer, { kind: 'ask', epoch }))
    ),
    (asked) => composeWhenAnswered(asked, now)
  )
}

export function compose(coordinator: Coordinator): Effect {
  const { epoch, hops, without } = coordinator
  return {
    do: 'compose',
    epoch,
    offers: hops.flatMap(({ peer, answer, offer }) =>
      answer === 'offered' && offer !== null && !without.some((one) => one.hop === peer)
        ? [{ hop: peer, offer }]
        : []
    ),
    silent: hops.filter((hop) => hop.answer === 'silent').map((hop) => hop.peer),
    without,
    recipient: startedRecipient(coordinator) ?? null,
    waited: coordinator.waited !== null
  }
}

export function startComposing(coordinator: Coordinator, now: number): Advance<Coordinator> {
  return stay(
    { ...coordinator, stage: { phase: 'composing', until: now + coordinator.limits.composeWithin } },
    compose(coordinator)
  )
}

export function composeWhenAnswered(coordinator: Coordinator, now: number): Advance<Coordinator> {
  if (awaitsAnswer(coordinator)) return stay(coordinator)
  return askAfterWaiting(coordinator, now) ?? startComposing(restartSpan(coordinator, now), now)
}

export function offered(
  coordinator: Coordinator,
  from: string,
  epoch: number,
  offer: string | null,
  now: number
): Advance<Coordinator> {
  const { stage, hops } = coordinator
  const waiting = hops.some((hop) => hop.peer === from && isAwaited(hop))
  if (stage.phase !== 'collecting' || epoch !== coordinator.epoch || !waiting) return stay(coordinator)
  const answer = offer === null ? ('refused' as const) : ('offered' as const)
  const answered = hops.map((hop) =>
    hop.peer === from ? { peer: from, answer, offer, approval: null, heardAt: now } : hop
  )
  return composeWhenAnswered({ ...coordinator, hops: answered }, now)
}

/** A hop that is asked is done with the request already: there will be no offer of it, in this epoch or a later one. */
export function doneThere(
  coordinator: Coordinator,
  from: string,
  code: EndCode,
  now: number
): Advance<Coordinator> {
  const { stage, hops } = coordinator
  const asked = hops.some((hop) => hop.peer === from && isAwaited(hop))
  if (stage.phase !== 'collecting' || !asked) return stay(coordinator)
  const answered = hops.map((hop) =>
    hop.peer === from ? { ...hop, answer: 'refused' as const, offer: null, approval: null } : hop
  )
  const without = [...coordinator.without.filter(({ hop }) => hop !== from), { hop: from, code }]
  return composeWhenAnswered({ ...coordinator, hops: answered, without }, now)
}

/**
 * The contract of this epoch. Parties of an epoch that started and that are not in the new one are told to stop.
 *
 * @throws {PlanInvalid} when it does not rest on the offers at hand, or changes the recipient after a start
 */
export function planned(coordinator: Coordinator, event: Planned): Advance<Coordinator> {
  const { contract, now } = event
  if (coordinator.stage.phase !== 'composing' || contract.epoch !== coordinator.epoch)
    return stay(coordinator)
  assertPlan(coordinator, contract)
  const dropped = coordinator.plans
    .filter((plan) => plan.started)
    .flatMap((plan) =>
      plan.contract.parties
        .filter((party) => !contract.parties.some((one) => one.peer === party.peer))
        .map((party) =>
          send(party.peer, { kind: 'abort', contract: plan.contract.id, epoch: plan.contract.epoch })
        )
    )
  return stay(
    {
      ...coordinator,
      plans: [...coordinator.plans, { contract, started: false }],
      stage: {
        phase: 'proposing',
        contract,
        accepted: [],
        until: now + coordinator.limits.acceptWithin
      }
    },
    ...dropped,
    ...contract.parties.map((party) => send(party.peer, { kind: 'propose', contract }))
  )
}

function assertPlan(coordinator: Coordinator, contract: ContractView): void {
  const peers = new Set(contract.parties.map((party) => party.peer))
  const recipient = recipientOf(contract)
  const pinned = startedRecipient(coordinator)
  const rests = contract.parties.every(
    (party) =>
      party.offer === null ||
      coordinator.hops.some((hop) => hop.peer === party.peer && hop.offer === party.offer)
  )
  if (
    contract.request !== coordinator.request ||
    contract.issuer !== coordinator.self ||
    peers.size !== contract.parties.length ||
    recipient === undefined ||
    (pinned !== undefined && pinned !== recipient) ||
    !rests
  )
    throw new PlanInvalid(
      `contract ${contract.id}: expected each party once, resting on its offer, and the recipient ${pinned ?? 'among them'}`
    )
}

export function unplannable(coordinator: Coordinator, event: Unplannable): Advance<Coordinator> {
  if (coordinator.stage.phase !== 'composing' || event.epoch !== coordinator.epoch) return stay(coordinator)
  return giveUp(coordinator, 'failed', event.code, event.hop, event.now)
}

/** Goes back to plan another epoch without some hops, or gives up after the last. */
export function retreat(
  coordinator: Coordinator,
  blamed: readonly string[],
  code: EndCode,
  now: number
): Advance<Coordinator> {
  const { stage } = coordinator
  const lost = blamed.map((hop) => ({ hop, code }))
  const reduced: Coordinator = {
    ...coordinator,
    without: [...coordinator.without.filter((one) => !blamed.includes(one.hop)), ...lost]
  }
  const recipient = startedRecipient(coordinator)
  const hopeless = recipient !== undefined && blamed.includes(recipient)
  if (coordinator.epoch >= MAX_EPOCH || hopeless || (stage.phase === 'running' && HOPELESS.includes(code)))
    return giveUp(reduced, 'failed', code, blamed[0] ?? null, now)
  const abort = abortUnstarted(coordinator, blamed.length === 1 ? (blamed[0] ?? null) : null)
  const next: Coordinator = { ...reduced, epoch: coordinator.epoch + 1 }
  // Before a start hops give their offers back; a start uses them up, and all are asked anew.
  const onward = stage.phase === 'running' ? ask(next, now) : startComposing(next, now)
  return { exchange: onward.exchange, effects: [...abort, ...onward.effects] }
}
