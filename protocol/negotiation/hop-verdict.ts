import type { Refusal } from '../documents/index.ts'
import { type Advance, send, stay, then } from './effects.ts'
import type { Verdict } from './events.ts'
import { unengaged } from './hop-contract.ts'
import { conclude, disengage, hearOutcome, release } from './hop-ending.ts'
import { awaitEpoch, failShare, report } from './hop-share.ts'
import { decides, type Failure, type Hop } from './hop-state.ts'
import { type ContractView, type EndCode, type OutcomeView, recipientOf } from './views.ts'

/** Ends that say nothing but that time was up. */
const OF_TIME: readonly (EndCode | null)[] = [null, 'timeout', 'start-too-late']

export function failureOf(hop: Hop, { hop: blamed = hop.self }: Verdict, { code }: Refusal): Failure {
  return { hop: blamed, code, step: null, position: null }
}

/** Policy's answer to `start`: run the share, which is ordered here and nowhere else. */
export function startVerdict(hop: Hop, event: Verdict, now: number): Advance<Hop> {
  const { stage } = hop
  if (stage.phase !== 'accepted' || !stage.permitting || stage.contract.id !== event.contract)
    return stay(hop)
  const { contract } = stage
  if (event.refusal !== null) return withdraw(hop, contract, failureOf(hop, event, event.refusal), now)
  const deadline = now + Math.min(contract.deadline, hop.limits.deadline)
  return stay(
    {
      ...hop,
      everStarted: true,
      stage: {
        phase: 'started',
        contract,
        deadline,
        share: 'running',
        failure: null,
        grace: null,
        left: false
      }
    },
    { do: 'run-share', contract: contract.id },
    send(hop.coordinator, { kind: 'started', contract: contract.id })
  )
}

/**
 * Policy takes back what it permitted, before the start or after it, also once the own share is done: others may still work
 * on what left here. A party whose own permission ended signs that it has ended for it, and why; nobody else can say so. When
 * it is another's standing that was lost, this party is still there for a plan without that one, unless there is none (see
 * {@link leaderless}). The recipient, who decides, waits for such a plan as for any failure, but nothing is made of the old one
 * any more.
 */
export function withdraw(hop: Hop, contract: ContractView, failure: Failure, now: number): Advance<Hop> {
  const own = failure.hop === hop.self || leaderless(hop, contract, failure)
  const { stage } = hop
  const started = stage.phase === 'started'
  if (decides(hop)) {
    if (own || !started) return conclude(hop, 'failed', failure)
    return then(stopped(hop, failure), (idle) =>
      then(awaitEpoch(idle, failure, now), (waiting) => stay(waiting, ...report(hop, contract, failure)))
    )
  }
  // At the requester's own agent the coordinator signs, so that the agent signs one outcome.
  if (own && hop.coordinator !== hop.self) return conclude(hop, 'expired', failure)
  if (started)
    return then(disengage(hop, failure.code), (free) =>
      stay({ ...free, stage: { ...stage, share: 'failed', failure } }, ...report(hop, contract, failure))
    )
  return then(release(hop, contract.id), (free) => {
    // The offer stays used: this contract was started, though not here.
    const offer = free.offer?.id === hop.offer?.id ? hop.offer : free.offer
    const idle = { ...free, offer }
    return stay({ ...idle, stage: unengaged(idle, now) }, ...report(hop, contract, failure))
  })
}

/** Why no word of an agent is taken any more. */
const NO_MEMBER: readonly EndCode[] = ['membership-expired', 'expelled', 'not-member']

/**
 * The agent that plans, or the one that decides, is no member any more: no word of it is taken, so there will be neither
 * another plan nor an outcome to adopt, and whoever has a part in it ends it for itself.
 */
function leaderless(hop: Hop, contract: ContractView, { hop: lost, code }: Failure): boolean {
  return NO_MEMBER.includes(code) && (lost === hop.coordinator || lost === recipientOf(contract))
}

/** The share is over, whether it was done or not; what the contract holds stays held. */
function stopped(hop: Hop, failure: Failure): Advance<Hop> {
  const { stage } = hop
  if (stage.phase !== 'started') return stay(hop)
  const idle: Hop = { ...hop, stage: { ...stage, share: 'failed', failure } }
  if (stage.share !== 'running') return stay(idle)
  return stay(idle, { do: 'stop-share', contract: stage.contract.id, code: failure.code })
}

/** A changed verdict after the start. */
export function continueVerdict(hop: Hop, event: Verdict, now: number): Advance<Hop> {
  const { stage } = hop
  if (event.refusal === null || stage.phase !== 'started' || stage.contract.id !== event.contract)
    return stay(hop)
  const failure = failureOf(hop, event, event.refusal)
  if (stage.share !== 'failed') return withdraw(hop, stage.contract, failure, now)
  // What failed here before only waits to hear how it ended.
  const alone = !decides(hop) && failure.hop !== hop.self && leaderless(hop, stage.contract, failure)
  return alone ? withdraw(hop, stage.contract, failure, now) : stay(hop)
}

/**
 * A party's own signed word that it has ended, and why: what was made of its share is not gone on with. All other outcomes are
 * heard as {@link hearOutcome} says.
 */
export function hearEnd(hop: Hop, outcome: OutcomeView, now: number): Advance<Hop> {
  const { stage } = hop
  const { signer, code, step, position } = outcome
  const withdrawn =
    stage.phase === 'started' &&
    outcome.result === 'expired' &&
    outcome.contract === stage.contract.id &&
    !OF_TIME.includes(code) &&
    signer !== hop.self &&
    signer !== hop.coordinator &&
    stage.contract.parties.some((party) => party.peer === signer)
  if (!withdrawn || code === null || signer === null) return hearOutcome(hop, outcome)
  const blamed = stage.contract.parties.some((party) => party.peer === outcome.hop) ? outcome.hop : null
  const failure: Failure = { hop: blamed ?? signer, code, step, position }
  if (!decides(hop)) return failShare(hop, stage.contract.id, failure, now)
  // Others may have told before that it failed, in their words.
  if (stage.grace !== null && stage.failure?.hop === signer)
    return stopped({ ...hop, stage: { ...stage, failure } }, failure)
  return then(stopped(hop, failure), (idle) => awaitEpoch(idle, failure, now))
}
