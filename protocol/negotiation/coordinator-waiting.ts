import { type Coordinator, dueAt, startedRecipient } from './coordinator-state.ts'
import { type Advance, type Effect, send, stay } from './effects.ts'
import type { Message } from './messages.ts'

/** How often older offers are asked for again: a hop that waits, offers and waits again holds the others up no longer. */
const MAX_ROUNDS = 3

/** Whether some hop has not given its answer yet. */
export function awaitsAnswer({ hops }: Coordinator): boolean {
  return hops.some((hop) => hop.answer === 'waiting' || hop.answer === 'approval')
}

/**
 * A hop says that somebody there has to approve the request. It is waited for, but for no longer than all approvals together
 * may take; the deadline of the exchange waits too. Once something was started it is too late to wait for people.
 */
export function hearWaiting(
  coordinator: Coordinator,
  from: string,
  { epoch, within, by }: Extract<Message, { kind: 'waiting' }>,
  now: number
): Advance<Coordinator> {
  const { stage, limits, hops } = coordinator
  const asked = hops.some(
    (hop) => hop.peer === from && (hop.answer === 'waiting' || hop.answer === 'approval')
  )
  const late = startedRecipient(coordinator) !== undefined
  if (stage.phase !== 'collecting' || epoch !== coordinator.epoch || !asked || late) return stay(coordinator)
  const waited = coordinator.waited ?? { latest: now + limits.approvalWithin, rounds: 0 }
  const until = Math.max(now, Math.min(now + within, waited.latest))
  return stay({
    ...coordinator,
    waited,
    deadline: Math.max(coordinator.deadline, until + limits.offerWithin + coordinator.span),
    hops: hops.map((hop) =>
      hop.peer === from ? { ...hop, answer: 'approval' as const, approval: { until, by } } : hop
    ),
    stage: { ...stage, askAt: stage.askAt ?? now + limits.askAgainEvery }
  })
}

/** Hops whose time is up are silent; null: it was nobody's. */
export function silenced(coordinator: Coordinator, now: number): Coordinator | null {
  const late = coordinator.hops.filter((hop) => now >= dueAt(coordinator, hop))
  if (late.length === 0) return null
  const hops = coordinator.hops.map((hop) =>
    late.includes(hop) ? { ...hop, answer: 'silent' as const, approval: null } : hop
  )
  return { ...coordinator, hops }
}

/** Asks once more where an approval is waited for: the answer may have been lost. */
export function pollTick(coordinator: Coordinator, now: number): Advance<Coordinator> {
  const { stage, epoch, hops, limits } = coordinator
  if (stage.phase !== 'collecting' || stage.askAt === null || now < stage.askAt) return stay(coordinator)
  return stay(
    { ...coordinator, stage: { ...stage, askAt: now + limits.askAgainEvery } },
    ...hops.filter((hop) => hop.answer === 'approval').map((hop) => send(hop.peer, { kind: 'ask', epoch }))
  )
}

/**
 * All have answered, and some only after people had decided: the exchange's time begins now. Offers that were made before
 * are asked for again, because they do not last as long as people take.
 *
 * @returns null when nothing was waited for, or nothing has to be asked again
 */
export function askAfterWaiting(coordinator: Coordinator, now: number): Advance<Coordinator> | null {
  const { waited, limits, epoch } = coordinator
  if (waited === null || waited.rounds >= MAX_ROUNDS) return null
  const old = coordinator.hops.filter(
    (hop) => hop.answer === 'offered' && now - hop.heardAt > limits.offerWithin
  )
  if (old.length === 0) return null
  const again: Effect[] = old.map((hop) => send(hop.peer, { kind: 'ask', epoch }))
  return stay(
    {
      ...restartSpan(coordinator, now),
      waited: { ...waited, rounds: waited.rounds + 1 },
      hops: coordinator.hops.map((hop) =>
        old.includes(hop) ? { ...hop, answer: 'waiting' as const, offer: null } : hop
      ),
      stage: { phase: 'collecting', until: now + limits.offerWithin, askAt: null }
    },
    ...again
  )
}

/** The deadline of an exchange that waited for people starts once they have decided. */
export function restartSpan(coordinator: Coordinator, now: number): Coordinator {
  return coordinator.waited === null ? coordinator : { ...coordinator, deadline: now + coordinator.span }
}
