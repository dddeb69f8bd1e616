import { DynamosError } from '../errors/index.ts'
import { abortUnstarted, closingTick, giveUp, hearOutcome } from './coordinator-ending.ts'
import { type Coordinator, type CoordinatorLimits, startedRecipient } from './coordinator-state.ts'
import { type Advance, type Effect, send, stay, then } from './effects.ts'
import type { CoordinatorEvent, Planned, Received, Unplannable } from './events.ts'
import { isComplete } from './hop-share.ts'
import { type AcceptanceView, type ContractView, type EndCode, recipientOf } from './views.ts'

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
      epoch: 1,
      hops: [...new Set(candidates)].map((peer) => ({ peer, answer: 'waiting', offer: null })),
      without: [],
      refusals: [],
      plans: [],
      stage: { phase: 'collecting', until: now + limits.offerWithin }
    },
    now
  )
}

function ask(coordinator: Coordinator, now: number): Advance<Coordinator> {
  const { epoch, limits } = coordinator
  const hops = coordinator.hops
    .filter((hop) => !coordinator.without.some((one) => one.hop === hop.peer))
    .map((hop) => ({ peer: hop.peer, answer: 'waiting' as const, offer: null }))
  return then(
    stay<Coordinator>(
      { ...coordinator, hops, stage: { phase: 'collecting', until: now + limits.offerWithin } },
      ...hops.map((hop) => send(hop.peer, { kind: 'ask', epoch }))
    ),
    (asked) => composeWhenAnswered(asked, now)
  )
}

function compose(coordinator: Coordinator): Effect {
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
    recipient: startedRecipient(coordinator) ?? null
  }
}

function startComposing(coordinator: Coordinator, now: number): Advance<Coordinator> {
  return stay(
    { ...coordinator, stage: { phase: 'composing', until: now + coordinator.limits.composeWithin } },
    compose(coordinator)
  )
}

function composeWhenAnswered(coordinator: Coordinator, now: number): Advance<Coordinator> {
  const waiting = coordinator.hops.some((hop) => hop.answer === 'waiting')
  return waiting ? stay(coordinator) : startComposing(coordinator, now)
}

function offered(
  coordinator: Coordinator,
  from: string,
  epoch: number,
  offer: string | null,
  now: number
): Advance<Coordinator> {
  const { stage, hops } = coordinator
  const waiting = hops.some((hop) => hop.peer === from && hop.answer === 'waiting')
  if (stage.phase !== 'collecting' || epoch !== coordinator.epoch || !waiting) return stay(coordinator)
  const answer = offer === null ? ('refused' as const) : ('offered' as const)
  const answered = hops.map((hop) => (hop.peer === from ? { peer: from, answer, offer } : hop))
  return composeWhenAnswered({ ...coordinator, hops: answered }, now)
}

/**
 * The contract of this epoch. Parties of an epoch that started and that are not in the new one are told to stop.
 *
 * @throws {PlanInvalid} when it does not rest on the offers at hand, or changes the recipient after a start
 */
function planned(coordinator: Coordinator, event: Planned): Advance<Coordinator> {
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

function unplannable(coordinator: Coordinator, event: Unplannable): Advance<Coordinator> {
  if (coordinator.stage.phase !== 'composing' || event.epoch !== coordinator.epoch) return stay(coordinator)
  return giveUp(coordinator, 'failed', event.code, event.hop, event.now)
}

/** Goes back to plan another epoch without some hops, or gives up after the last. */
function retreat(
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

function accepted(
  coordinator: Coordinator,
  from: string,
  acceptance: AcceptanceView,
  now: number
): Advance<Coordinator> {
  const { stage } = coordinator
  if (stage.phase === 'ended') {
    const { outcome } = stage
    return stay(coordinator, send(from, { kind: 'outcome', outcome }))
  }
  const current = stage.phase === 'proposing' || stage.phase === 'running' ? stage.contract : undefined
  if (current?.id !== acceptance.contract) {
    const stale = coordinator.plans.find((plan) => plan.contract.id === acceptance.contract)
    if (stale === undefined || stale.started) return stay(coordinator)
    const { id, epoch } = stale.contract
    return stay(coordinator, send(from, { kind: 'abort', contract: id, epoch }))
  }
  if (stage.phase !== 'proposing') return stay(coordinator)
  const known = stage.accepted.some((one) => one.signer === acceptance.signer)
  const isParty = stage.contract.parties.some((party) => party.peer === acceptance.signer)
  if (known || !isParty || acceptance.signer !== from || acceptance.epoch !== stage.contract.epoch)
    return stay(coordinator)
  const all = [...stage.accepted, acceptance]
  if (!isComplete(stage.contract, all)) return stay({ ...coordinator, stage: { ...stage, accepted: all } })
  const { contract } = stage
  return stay(
    {
      ...coordinator,
      plans: coordinator.plans.map((plan) =>
        plan.contract.id === contract.id ? { contract, started: true } : plan
      ),
      stage: {
        phase: 'running',
        contract,
        accepted: all,
        confirmed: [],
        retryAt: now + coordinator.limits.retryEvery
      }
    },
    ...contract.parties.map((party) => deliver(party.peer, contract.id, all))
  )
}

function deliver(to: string, contract: string, acceptances: AcceptanceView[]): Effect {
  return send(to, { kind: 'start', contract, acceptances })
}

/** The contract in force when `from` is a party of it. */
function withParty(coordinator: Coordinator, from: string, contract: string | null): boolean {
  const { stage } = coordinator
  return (
    (stage.phase === 'proposing' || stage.phase === 'running') &&
    (contract === null || stage.contract.id === contract) &&
    stage.contract.parties.some((party) => party.peer === from)
  )
}

function received(coordinator: Coordinator, event: Received): Advance<Coordinator> {
  const { from, message, now } = event
  const { stage } = coordinator
  switch (message.kind) {
    case 'offer':
      return offered(coordinator, from, message.epoch, message.permits ? message.offer : null, now)
    case 'acceptance':
      return accepted(coordinator, from, message.acceptance, now)
    case 'decline': {
      if (stage.phase !== 'proposing' || !withParty(coordinator, from, message.contract))
        return stay(coordinator)
      const { refusal } = message
      const refusals = [...coordinator.refusals, { hop: from, epoch: coordinator.epoch, refusal }]
      return retreat({ ...coordinator, refusals }, [from], refusal.code, now)
    }
    case 'started': {
      if (stage.phase !== 'running' || !withParty(coordinator, from, message.contract))
        return stay(coordinator)
      const confirmed = [...new Set([...stage.confirmed, from])]
      return stay({ ...coordinator, stage: { ...stage, confirmed } })
    }
    case 'rejected': {
      if (message.contract === null || !withParty(coordinator, from, message.contract))
        return stay(coordinator)
      return retreat(coordinator, [from], message.code, now)
    }
    case 'failure': {
      if (stage.phase !== 'running' || !withParty(coordinator, from, message.contract))
        return stay(coordinator)
      const blamed = withParty(coordinator, message.hop, message.contract) ? message.hop : from
      return retreat(coordinator, [blamed], message.code, now)
    }
    case 'outcome': {
      const heard = hearOutcome(coordinator, from, message.outcome)
      if (heard !== null) return heard
      // A party's own `expired`: it will not do its share.
      if (message.outcome.result !== 'expired' || !withParty(coordinator, from, message.outcome.contract))
        return stay(coordinator)
      return retreat(coordinator, [from], message.outcome.code ?? 'timeout', now)
    }
    case 'ask':
    case 'propose':
    case 'abort':
    case 'start':
    case 'cancel':
      return stay(coordinator)
  }
}

function tick(coordinator: Coordinator, now: number): Advance<Coordinator> {
  const { stage, deadline, limits } = coordinator
  if (stage.phase === 'ended') return stay(coordinator)
  if (stage.phase === 'closing') return closingTick(coordinator, now)
  if (now >= deadline) return giveUp(coordinator, 'failed', 'timeout', null, now)
  switch (stage.phase) {
    case 'collecting': {
      if (now < stage.until) return stay(coordinator)
      const hops = coordinator.hops.map((hop) =>
        hop.answer === 'waiting' ? { ...hop, answer: 'silent' as const } : hop
      )
      return startComposing({ ...coordinator, hops }, now)
    }
    case 'composing':
      return now < stage.until ? stay(coordinator) : giveUp(coordinator, 'failed', 'internal', null, now)
    case 'proposing': {
      if (now < stage.until) return stay(coordinator)
      const silent = stage.contract.parties
        .map((party) => party.peer)
        .filter((peer) => !stage.accepted.some((one) => one.signer === peer))
      return retreat(coordinator, silent, 'peer-silent', now)
    }
    case 'running': {
      if (now < stage.retryAt) return stay(coordinator)
      // The recipient is asked again even when it confirmed: it answers with the outcome, should that have been lost.
      const recipient = recipientOf(stage.contract)
      const again = stage.contract.parties.filter(
        ({ peer }) => peer === recipient || !stage.confirmed.includes(peer)
      )
      return stay(
        { ...coordinator, stage: { ...stage, retryAt: now + limits.retryEvery } },
        ...again.map(({ peer }) => deliver(peer, stage.contract.id, stage.accepted))
      )
    }
  }
}

/** Orders again what may have been lost. */
function restarted(coordinator: Coordinator): Advance<Coordinator> {
  const { stage, hops, epoch, self } = coordinator
  switch (stage.phase) {
    case 'collecting':
      return stay(
        coordinator,
        ...hops.filter((hop) => hop.answer === 'waiting').map((hop) => send(hop.peer, { kind: 'ask', epoch }))
      )
    case 'composing':
      return stay(coordinator, compose(coordinator))
    case 'proposing':
      return stay(
        coordinator,
        ...stage.contract.parties
          .filter((party) => !stage.accepted.some((one) => one.signer === party.peer))
          .map((party) => send(party.peer, { kind: 'propose', contract: stage.contract }))
      )
    case 'running':
      return stay(
        coordinator,
        ...stage.contract.parties
          .filter((party) => !stage.confirmed.includes(party.peer))
          .map((party) => deliver(party.peer, stage.contract.id, stage.accepted))
      )
    case 'closing': {
      const recipient = startedRecipient(coordinator)
      const { result, code, hop } = stage
      if (recipient === undefined) return stay(coordinator)
      return stay(coordinator, send(recipient, { kind: 'cancel', result, code, hop }))
    }
    case 'ended': {
      const { outcome } = stage
      const signing: Effect[] = outcome.signer === self ? [{ do: 'sign-outcome', outcome }] : []
      const parties = new Set(
        coordinator.plans.flatMap((plan) => plan.contract.parties.map((party) => party.peer))
      )
      return stay(
        coordinator,
        ...signing,
        ...[...parties].map((peer) => send(peer, { kind: 'outcome', outcome }))
      )
    }
  }
}

function happened(coordinator: Coordinator, event: CoordinatorEvent): Advance<Coordinator> {
  const { stage } = coordinator
  switch (event.type) {
    case 'received':
      return received(coordinator, event)
    case 'tick':
      return stay(coordinator)
    case 'restarted':
      return restarted(coordinator)
    case 'planned':
      return planned(coordinator, event)
    case 'unplannable':
      return unplannable(coordinator, event)
    case 'lost':
      return withParty(coordinator, event.peer, null)
        ? retreat(coordinator, [event.peer], 'party-lost', event.now)
        : stay(coordinator)
    case 'cancel':
      return stage.phase === 'ended' || stage.phase === 'closing'
        ? stay(coordinator)
        : giveUp(coordinator, 'cancelled', 'cancelled', null, event.now)
  }
}

/** See the package comment for the states. Deadlines that have passed are seen to before the event. */
export function advanceCoordinator(coordinator: Coordinator, event: CoordinatorEvent): Advance<Coordinator> {
  return then(tick(coordinator, event.now), (current) => happened(current, event))
}
