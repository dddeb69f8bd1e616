import { type Advance, type Effect, send, stay, then } from './effects.ts'
import { decides, engaged, type Failure, type Hop, latestAccepted } from './hop-state.ts'
import type { EndCode, OutcomeView } from './views.ts'

/**
 * The order to give back what a contract holds. Quota and budget count a request once, whatever its contracts: they stay as
 * long as one of them is spent, or holds them.
 */
export function giveBack(hop: Hop, contract: string): Effect {
  const spent = hop.reservations.some(
    (one) => one.state === 'spent' || (one.state === 'held' && one.contract !== contract)
  )
  return { do: 'release', contract, spent }
}

/** Gives back what a contract holds; once output has left, quota and budget are spent and only the slot is free. */
export function release(hop: Hop, contract: string): Advance<Hop> {
  if (!hop.reservations.some((one) => one.contract === contract && one.state === 'held')) return stay(hop)
  const { stage } = hop
  const started = stage.phase === 'started' && stage.contract.id === contract
  const spent = started && stage.left
  const reservations = hop.reservations.map((one) =>
    one.contract === contract ? { contract, state: spent ? ('spent' as const) : ('returned' as const) } : one
  )
  // A start uses its offer up, whatever comes of it.
  const offer =
    !started && hop.offer !== null && hop.offer.usedBy === contract
      ? { ...hop.offer, usedBy: null }
      : hop.offer
  const free: Hop = { ...hop, reservations, offer }
  return stay(free, giveBack(free, contract))
}

/** Stops a running share and gives back what the contract in force holds. */
export function disengage(hop: Hop, code?: EndCode): Advance<Hop> {
  const { stage } = hop
  if (stage.phase !== 'accepted' && stage.phase !== 'started') return stay(hop)
  const stop: Effect[] =
    stage.phase === 'started' && stage.share === 'running'
      ? [{ do: 'stop-share', contract: stage.contract.id, ...(code === undefined ? {} : { code }) }]
      : []
  return then(stay(hop, ...stop), (after) => release(after, stage.contract.id))
}

export function dropProposal(hop: Hop): Advance<Hop> {
  const { proposal } = hop
  if (proposal === null) return stay(hop)
  return then(stay<Hop>({ ...hop, proposal: null }), (after) => release(after, proposal.contract.id))
}

/** Who is to hear of an end: the requester's agent and the parties of the contract in force. */
function audience(hop: Hop): string[] {
  const { stage } = hop
  const parties =
    stage.phase === 'accepted' || stage.phase === 'started'
      ? stage.contract.parties.map((party) => party.peer)
      : []
  return [...new Set([hop.coordinator, ...parties])].filter(
    (peer) => peer !== hop.self || peer === hop.coordinator
  )
}

function close(hop: Hop, outcome: OutcomeView): Advance<Hop> {
  // Also when policy is being asked once more whether it was approved.
  const open = hop.approval !== null || (hop.waited && hop.offer?.id === null)
  const withdraw: Effect[] = open ? [{ do: 'withdraw-approval' }] : []
  return then(dropProposal({ ...hop, approval: null }), (dropped) =>
    then(disengage(dropped, outcome.code ?? undefined), (free) =>
      stay({ ...free, stage: { phase: 'ended', outcome, late: null } }, ...withdraw)
    )
  )
}

/**
 * Ends with this hop's own outcome. It is called from a stage that is not `ended`, so that nobody signs twice; `completed`,
 * `failed` and `cancelled` are for the recipient alone.
 */
export function conclude(
  hop: Hop,
  result: OutcomeView['result'],
  failure: Partial<Failure> & Pick<Failure, 'code'>
): Advance<Hop>
export function conclude(hop: Hop, result: 'completed', failure: null): Advance<Hop>
export function conclude(
  hop: Hop,
  result: OutcomeView['result'],
  failure: (Partial<Failure> & Pick<Failure, 'code'>) | null
): Advance<Hop> {
  const outcome: OutcomeView = {
    contract: engaged(hop) ?? latestAccepted(hop)?.contract ?? null,
    signer: hop.self,
    result,
    code: failure?.code ?? null,
    hop: failure?.hop ?? null,
    step: failure?.step ?? null,
    position: failure?.position ?? null
  }
  const tell = audience(hop).map((peer) => send(peer, { kind: 'outcome', outcome }))
  return then(close(hop, outcome), (ended) => stay(ended, { do: 'sign-outcome', outcome }, ...tell))
}

/** Ends without a word of its own: another's outcome is adopted, or nothing was promised. */
export function adopt(hop: Hop, outcome: OutcomeView): Advance<Hop> {
  return close(hop, outcome)
}

/** Whether it ended only because nothing came of it for so long, and nothing was ever promised. */
export function forgotten({ stage, answered }: Hop): boolean {
  return (
    stage.phase === 'ended' &&
    stage.outcome.signer === null &&
    stage.outcome.code === 'timeout' &&
    answered.length === 0
  )
}

/** Ends without an outcome that anybody needs. @param code `timeout` when nothing but time ended it */
export function lapse(hop: Hop, code: 'timeout' | null = null): Advance<Hop> {
  const contract = engaged(hop) ?? null
  return close(hop, {
    contract,
    signer: null,
    result: 'expired',
    code,
    hop: null,
    step: null,
    position: null
  })
}

/**
 * Time is up. A recipient that was ever started has to decide, because nobody else can; all others may say `expired`, which
 * contradicts nothing. At the requester's own agent the coordinator speaks, so that the agent signs one outcome.
 */
export function expire(hop: Hop): Advance<Hop> {
  if (decides(hop) && hop.everStarted) return conclude(hop, 'failed', { code: 'timeout' })
  const promised = engaged(hop) !== undefined || hop.everStarted
  if (!promised) return lapse(hop, 'timeout')
  if (hop.coordinator !== hop.self)
    return conclude(hop, 'expired', {
      code: hop.stage.phase === 'accepted' ? 'start-too-late' : 'timeout'
    })
  return then(lapse(hop), (ended) => stay(ended, ...tellOutcome(ended, hop.self)))
}

/** Repeats how it ended to somebody who still asks. */
export function tellOutcome(hop: Hop, to: string): Effect[] {
  if (hop.stage.phase !== 'ended') return []
  return [send(to, { kind: 'outcome', outcome: hop.stage.outcome })]
}

export function hopTick(hop: Hop, now: number): Advance<Hop> {
  const { stage } = hop
  switch (stage.phase) {
    case 'idle':
    case 'offered':
      return now >= stage.until ? expire(hop) : stay(hop)
    case 'accepted':
      return now >= stage.startBy ? expire(hop) : stay(hop)
    case 'started':
      if (now >= stage.deadline) return expire(hop)
      if (stage.grace !== null && now >= stage.grace && stage.failure !== null)
        return conclude(hop, 'failed', stage.failure)
      return stay(hop)
    case 'ended':
      return stay(hop)
  }
}

/**
 * Somebody's outcome. After a start only the recipient's counts; before it also the requester's agent's, which has not
 * started anything then.
 */
export function hearOutcome(hop: Hop, outcome: OutcomeView): Advance<Hop> {
  const { stage } = hop
  if (stage.phase === 'ended') {
    const known = stage.outcome.signer === outcome.signer || stage.late !== null
    if (known || !speaks(hop, outcome, stage.outcome.contract)) return stay(hop)
    return stay({ ...hop, stage: { ...stage, late: outcome } })
  }
  if (speaks(hop, outcome, engaged(hop) ?? null)) return adopt(hop, outcome)
  // About a contract that is not ours: the request is over, and nothing was started here.
  return outcome.signer === hop.coordinator && !hop.everStarted ? lapse(hop) : stay(hop)
}

/** @param contract the one in force here; the requester's agent speaks of no other */
function speaks(hop: Hop, outcome: OutcomeView, contract: string | null): boolean {
  if (!decides(hop) && outcome.signer !== null && outcome.signer === latestAccepted(hop)?.recipient)
    return true
  if (outcome.signer !== hop.coordinator || hop.everStarted) return false
  if (contract === null || outcome.contract !== contract) return false
  return outcome.result === 'failed' || outcome.result === 'cancelled'
}
