import { closingTick, giveUp, hearOutcome } from './coordinator-ending.ts'
import {
  compose,
  composeWhenAnswered,
  doneThere,
  offered,
  planned,
  retreat,
  unplannable
} from './coordinator-plan.ts'
import { type Coordinator, isAwaited, startedRecipient } from './coordinator-state.ts'
import { hearWaiting, pollTick, silenced } from './coordinator-waiting.ts'
import { type Advance, type Effect, send, stay, then } from './effects.ts'
import type { CoordinatorEvent, Received } from './events.ts'
import { isComplete } from './hop-share.ts'
import { type AcceptanceView, type OutcomeView, recipientOf } from './views.ts'

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

/** A party that is done without already says why itself: that counts more than what others, or a broken connection, told of it. */
function inItsOwnWords(
  coordinator: Coordinator,
  from: string,
  { result, code, signer }: OutcomeView
): Coordinator {
  const told = coordinator.without.find((one) => one.hop === from)
  if (told === undefined || result !== 'expired' || signer !== from || code === null || code === told.code)
    return coordinator
  const without = coordinator.without.map((one) => (one === told ? { hop: from, code } : one))
  const { stage } = coordinator
  if (stage.phase !== 'closing' || stage.hop !== from) return { ...coordinator, without }
  return { ...coordinator, without, stage: { ...stage, code } }
}

function received(coordinator: Coordinator, event: Received): Advance<Coordinator> {
  const { from, message, now } = event
  const { stage } = coordinator
  switch (message.kind) {
    case 'offer':
    case 'waiting': {
      // Somebody there may still be looking at a request that is over here.
      if (stage.phase === 'ended')
        return stay(coordinator, send(from, { kind: 'abort', contract: null, epoch: coordinator.epoch }))
      if (message.kind === 'waiting') return hearWaiting(coordinator, from, message, now)
      return offered(coordinator, from, message.epoch, message.permits ? message.offer : null, now)
    }
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
      const told = inItsOwnWords(coordinator, from, message.outcome)
      if (told !== coordinator) return stay(told)
      const { result, signer, code } = message.outcome
      if (stage.phase === 'collecting' && result === 'expired' && signer === from)
        return doneThere(coordinator, from, code ?? 'timeout', now)
      // A party's own `expired`: it will not do its share.
      if (result !== 'expired' || !withParty(coordinator, from, message.outcome.contract))
        return stay(coordinator)
      return retreat(coordinator, [from], code ?? 'timeout', now)
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
      const left = silenced(coordinator, now)
      return left === null ? pollTick(coordinator, now) : composeWhenAnswered(left, now)
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
      return stay(coordinator, ...hops.filter(isAwaited).map((hop) => send(hop.peer, { kind: 'ask', epoch })))
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
        ? retreat(coordinator, [event.peer], event.code ?? 'party-lost', event.now)
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
