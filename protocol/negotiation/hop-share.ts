import { type Advance, type Effect, send, stay, then } from './effects.ts'
import type { OutputLeaves, ShareDone, ShareFailed } from './events.ts'
import { conclude, disengage, release, tellOutcome } from './hop-ending.ts'
import { decides, type Failure, type Hop, latestAccepted } from './hop-state.ts'
import type { Message } from './messages.ts'
import { type AcceptanceView, type ContractView, recipientOf } from './views.ts'

/** One acceptance of each party, of this very contract and epoch, and none of anybody else. */
export function isComplete(contract: ContractView, acceptances: readonly AcceptanceView[]): boolean {
  const signers = new Set(acceptances.map((one) => one.signer))
  return (
    acceptances.length === contract.parties.length &&
    signers.size === acceptances.length &&
    contract.parties.every((party) => signers.has(party.peer)) &&
    acceptances.every((one) => one.contract === contract.id && one.epoch === contract.epoch)
  )
}

/** A start proves itself, whoever brings it. Policy is asked once more before the first step. */
export function hearStart(
  hop: Hop,
  from: string,
  contract: string,
  acceptances: readonly AcceptanceView[]
): Advance<Hop> {
  const { stage } = hop
  if (stage.phase === 'ended') return stay(hop, ...tellOutcome(hop, from))
  if (stage.phase === 'accepted' && stage.contract.id === contract) {
    if (!isComplete(stage.contract, acceptances))
      return stay(hop, send(from, { kind: 'rejected', contract, code: 'start-incomplete' }))
    if (stage.permitting) return stay(hop)
    return stay(
      { ...hop, stage: { ...stage, permitting: true } },
      { do: 'ask-policy', question: 'start', contract, epoch: stage.contract.epoch }
    )
  }
  if (stage.phase === 'started' && stage.contract.id === contract) {
    if (stage.failure !== null && stage.share === 'failed')
      return stay(hop, send(from, failureMessage(contract, stage.failure)))
    return stay(hop, send(from, { kind: 'started', contract }))
  }
  const accepted = hop.answered.some((one) => one.contract === contract && one.answer !== 'declined')
  return stay(
    hop,
    send(from, { kind: 'rejected', contract, code: accepted ? 'epoch-superseded' : 'start-incomplete' })
  )
}

function failureMessage(contract: string, failure: Failure): Message {
  return { kind: 'failure', contract, ...failure }
}

/** The recipient, who decides, and the requester's agent, who may plan anew. */
export function report(hop: Hop, contract: ContractView, failure: Failure): Effect[] {
  const listeners = new Set([hop.coordinator, recipientOf(contract) ?? hop.coordinator])
  if (hop.coordinator !== hop.self) listeners.delete(hop.self)
  return [...listeners].map((peer) => send(peer, failureMessage(contract.id, failure)))
}

/** Said before the first byte leaves; whatever was stopped meanwhile sends nothing. */
export function outputLeaves(hop: Hop, event: OutputLeaves): Advance<Hop> {
  const { stage } = hop
  if (stage.phase !== 'started' || stage.contract.id !== event.contract || stage.share !== 'running')
    return stay(hop)
  return stay({ ...hop, stage: { ...stage, left: true } })
}

/** At the recipient this is the commit point: its receipt, then `completed`. */
export function shareDone(hop: Hop, event: ShareDone): Advance<Hop> {
  const { stage } = hop
  if (stage.phase !== 'started' || stage.contract.id !== event.contract || stage.share !== 'running')
    return stay(hop)
  const done: Hop = { ...hop, stage: { ...stage, share: 'done', left: true } }
  const receipt: Effect = { do: 'sign-receipt', contract: event.contract }
  if (decides(hop)) return then(stay(done, receipt), (after) => conclude(after, 'completed', null))
  return then(stay(done, receipt), (after) => release(after, event.contract))
}

/** The share cannot be done: stop, tell; a recipient that is itself to blame decides at once. */
export function failShare(hop: Hop, contract: string, failure: Failure, now: number): Advance<Hop> {
  const { stage } = hop
  if (stage.phase !== 'started' || stage.contract.id !== contract || stage.share !== 'running')
    return stay(hop)
  if (decides(hop)) {
    if (failure.hop === hop.self) return conclude(hop, 'failed', failure)
    return then(awaitEpoch(hop, failure, now), (waiting) =>
      stay(waiting, ...report(hop, stage.contract, failure))
    )
  }
  return then(disengage(hop), (free) =>
    stay({ ...free, stage: { ...stage, share: 'failed', failure } }, ...report(hop, stage.contract, failure))
  )
}

export function shareFailed(hop: Hop, event: ShareFailed, now: number): Advance<Hop> {
  const { contract, hop: blamed, code, step, position } = event
  return failShare(hop, contract, { hop: blamed, code, step, position }, now)
}

/**
 * The recipient waits for a new epoch, for as long as its grace lasts, before it calls the exchange failed. Where it is the
 * requester's own agent, it knows that there will be one, or that it will be asked to end it.
 */
export function awaitEpoch(hop: Hop, failure: Failure, now: number): Advance<Hop> {
  const { stage } = hop
  if (stage.phase !== 'started' || stage.grace !== null) return stay(hop)
  const grace = hop.coordinator === hop.self ? stage.deadline : now + hop.limits.grace
  return stay({ ...hop, stage: { ...stage, failure, grace } })
}

/** Another party's share failed. Only the recipient acts on it, and only on what is started here. */
export function hearFailure(
  hop: Hop,
  from: string,
  message: Extract<Message, { kind: 'failure' }>,
  now: number
): Advance<Hop> {
  const { stage } = hop
  if (!decides(hop) || stage.phase !== 'started' || stage.contract.id !== message.contract) return stay(hop)
  const peers = stage.contract.parties.map((party) => party.peer)
  if (from === hop.self || !peers.includes(from)) return stay(hop)
  const blamed = peers.includes(message.hop) ? message.hop : from
  const { code, step, position } = message
  return awaitEpoch(hop, { hop: blamed, code, step, position }, now)
}

/** The requester's agent asks the recipient, who accepted, to end it. */
export function hearCancel(
  hop: Hop,
  from: string,
  message: Extract<Message, { kind: 'cancel' }>
): Advance<Hop> {
  if (from !== hop.coordinator) return stay(hop)
  if (hop.stage.phase === 'ended') return stay(hop, ...tellOutcome(hop, from))
  if (latestAccepted(hop) === undefined || !decides(hop)) return stay(hop)
  const { result, code, hop: blamed } = message
  // The failure that it ends for was told here as well, with the step and the place in the asker's text.
  const told = hop.stage.phase === 'started' ? hop.stage.failure : null
  if (told !== null && told.code === code && told.hop === blamed) return conclude(hop, result, told)
  return conclude(hop, result, blamed === null ? { code } : { code, hop: blamed })
}
