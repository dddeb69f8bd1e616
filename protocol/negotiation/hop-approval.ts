import { type Advance, type Effect, send, stay } from './effects.ts'
import type { OfferWaits } from './events.ts'
import type { Hop } from './hop-state.ts'

/** Tells how long the answer to the newest question may still take, and who gives it. */
export function waitingAnswer(hop: Hop, now: number): Effect[] {
  const { approval, offer } = hop
  if (approval === null || offer === null) return []
  const { until, by } = approval
  const within = Math.max(0, until - now)
  return [send(hop.coordinator, { kind: 'waiting', epoch: offer.epoch, within, by })]
}

/** Somebody has to approve it: the question is remembered for as long as they may take, and nothing is promised. */
export function offerWaits(hop: Hop, event: OfferWaits): Advance<Hop> {
  const { offer, stage } = hop
  if (stage.phase === 'ended') return stay({ ...hop, waited: true }, { do: 'withdraw-approval' })
  if (offer === null || offer.id !== null || offer.epoch !== event.epoch) return stay(hop)
  const { until, by, now } = event
  const waiting: Hop = {
    ...hop,
    approval: { until, by: [...by] },
    waited: true,
    stage: stage.phase === 'idle' ? { phase: 'idle', until: until + hop.limits.idle } : stage
  }
  return stay(waiting, ...waitingAnswer(waiting, now))
}

/**
 * Whatever was decided, policy makes an answer of it. Also while policy is being asked: what it answers then may rest on how
 * things stood before.
 */
export function approvalDecided(hop: Hop): Advance<Hop> {
  const { offer, stage } = hop
  if (offer === null || offer.id !== null || stage.phase === 'ended') return stay(hop)
  const { epoch } = offer
  return stay({ ...hop, approval: null }, { do: 'ask-policy', question: 'offer', contract: null, epoch })
}

/** Nobody decided in time: policy says no. */
export function approvalTick(hop: Hop, now: number): Advance<Hop> {
  return hop.approval !== null && now >= hop.approval.until ? approvalDecided(hop) : stay(hop)
}
