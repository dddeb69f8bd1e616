import { type Coordinator, startedRecipient } from './coordinator-state.ts'
import { type Advance, type Effect, send, stay, then } from './effects.ts'
import { type EndCode, type OutcomeView, recipientOf } from './views.ts'

export function lastContract(coordinator: Coordinator): string | null {
  const started = coordinator.plans.filter((plan) => plan.started).at(-1)
  return (started ?? coordinator.plans.at(-1))?.contract.id ?? null
}

/** Tells all who were asked: parties of any contract get the outcome, the others only that it is over. */
function dismiss(coordinator: Coordinator, outcome: OutcomeView): Effect[] {
  const parties = new Set(
    coordinator.plans.flatMap((plan) => plan.contract.parties.map((party) => party.peer))
  )
  const asked = coordinator.hops.map((hop) => hop.peer).filter((peer) => !parties.has(peer))
  return [
    ...[...parties].map((peer) => send(peer, { kind: 'outcome', outcome })),
    ...asked.map((peer) => send(peer, { kind: 'abort', contract: null, epoch: coordinator.epoch }))
  ]
}

/** Ends with an outcome of somebody else, or with one that was signed here. */
export function settle(coordinator: Coordinator, outcome: OutcomeView): Advance<Coordinator> {
  const told: Coordinator = { ...coordinator, stage: { phase: 'ended', outcome, late: null } }
  return stay(told, ...dismiss(coordinator, outcome))
}

/** Signs: before any start whatever ended it; after a start only `expired`, and never when the recipient is this agent. */
export function sign(
  coordinator: Coordinator,
  result: 'failed' | 'cancelled' | 'expired',
  code: EndCode,
  hop: string | null
): Advance<Coordinator> {
  const outcome: OutcomeView = {
    contract: lastContract(coordinator),
    signer: coordinator.self,
    result,
    code,
    hop,
    step: null,
    position: null
  }
  return then(stay(coordinator, { do: 'sign-outcome', outcome }), (one) => settle(one, outcome))
}

/** No use going on: before any start it ends here and now, after one the recipient is asked to end it. */
export function giveUp(
  coordinator: Coordinator,
  result: 'failed' | 'cancelled',
  code: EndCode,
  hop: string | null,
  now: number
): Advance<Coordinator> {
  const recipient = startedRecipient(coordinator)
  const abort = abortUnstarted(coordinator)
  if (recipient === undefined) return then(stay(coordinator, ...abort), (one) => sign(one, result, code, hop))
  const { closeWithin, retryEvery } = coordinator.limits
  return stay(
    {
      ...coordinator,
      stage: {
        phase: 'closing',
        result,
        code,
        hop,
        until: now + closeWithin,
        retryAt: now + retryEvery
      }
    },
    ...abort,
    send(recipient, { kind: 'cancel', result, code, hop })
  )
}

/** Gives back what parties promised under a contract that will not start. */
export function abortUnstarted(coordinator: Coordinator, except: string | null = null): Effect[] {
  const { stage, epoch } = coordinator
  if (stage.phase !== 'proposing') return []
  return stage.contract.parties
    .filter((party) => party.peer !== except)
    .map((party) => send(party.peer, { kind: 'abort', contract: stage.contract.id, epoch }))
}

/** The recipient did not answer in time. Where that is another agent this one ends as `expired`; its own is asked until it has ended. */
export function closingTick(coordinator: Coordinator, now: number): Advance<Coordinator> {
  const { stage } = coordinator
  const recipient = startedRecipient(coordinator)
  if (stage.phase !== 'closing' || recipient === undefined) return stay(coordinator)
  if (recipient !== coordinator.self && now >= stage.until)
    return sign(coordinator, 'expired', stage.code, stage.hop)
  if (now < stage.retryAt) return stay(coordinator)
  const { result, code, hop } = stage
  return stay(
    { ...coordinator, stage: { ...stage, retryAt: now + coordinator.limits.retryEvery } },
    send(recipient, { kind: 'cancel', result, code, hop })
  )
}

/** Somebody's outcome, verified. */
export function hearOutcome(
  coordinator: Coordinator,
  from: string,
  outcome: OutcomeView
): Advance<Coordinator> | null {
  const recipient = startedRecipient(coordinator)
  const { stage, self } = coordinator
  if (stage.phase === 'ended') {
    const news =
      outcome.signer !== null && outcome.signer === recipient && outcome.signer !== stage.outcome.signer
    if (!news || stage.late !== null) return stay(coordinator)
    return stay({ ...coordinator, stage: { ...stage, late: outcome } })
  }
  // The own recipient promised and was never started here: nobody has signed, so the coordinator says it.
  if (recipient === self && from === self && outcome.signer === null)
    return sign(coordinator, 'expired', 'start-too-late', self)
  if (outcome.signer === null || outcome.signer !== (recipient ?? proposedRecipient(coordinator, outcome)))
    return null
  return then(stay(coordinator, ...abortUnstarted(coordinator)), (one) => settle(one, outcome))
}

/** Should acceptances ever leak, others can start what this agent only proposed: the recipient's word then still counts. */
function proposedRecipient(coordinator: Coordinator, outcome: OutcomeView): string | undefined {
  if (outcome.result === 'expired') return undefined
  const plan = coordinator.plans.find(({ contract }) => contract.id === outcome.contract)
  return plan === undefined ? undefined : recipientOf(plan.contract)
}
