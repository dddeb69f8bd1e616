import { z } from 'zod'
import { refusal } from '../documents/index.ts'
import {
  acceptanceView,
  approvers,
  contractView,
  endCode,
  epoch,
  id,
  instant,
  outcomeView,
  recipientOf
} from './views.ts'

const duration = z.number().nonnegative()

/** Milliseconds. */
export const coordinatorLimits = z.strictObject({
  /** From a question to the latest offer. */
  offerWithin: duration,
  composeWithin: duration,
  /** From a contract to the latest acceptance; shorter than the hops' `startBy`, or promises run out while others are awaited. */
  acceptWithin: duration,
  /** Between deliveries of a start, or of a wish to end, to parties that have not confirmed. */
  retryEvery: duration,
  /** How long the recipient is asked to end what has started. */
  closeWithin: duration,
  /** How long approvals of people at hops may take, all together. */
  approvalWithin: duration.default(0),
  /** Between questions to hops where somebody has to approve the request: their answer may have been lost. */
  askAgainEvery: duration.default(120_000)
})
export type CoordinatorLimits = z.infer<typeof coordinatorLimits>

const askedHop = z.strictObject({
  peer: id,
  /** `waiting`: nothing was heard; `approval`: somebody there has to approve the request. */
  answer: z.enum(['waiting', 'approval', 'offered', 'refused', 'silent']),
  offer: id.nullable(),
  approval: z.strictObject({ until: instant, by: approvers }).nullable().default(null),
  /** When the offer came. */
  heardAt: instant.default(0)
})
export type AskedHop = z.infer<typeof askedHop>

export const coordinatorStage = z.discriminatedUnion('phase', [
  /** `askAt`: when hops that wait for an approval are asked again. */
  z.strictObject({ phase: z.literal('collecting'), until: instant, askAt: instant.nullable().default(null) }),
  z.strictObject({ phase: z.literal('composing'), until: instant }),
  z.strictObject({
    phase: z.literal('proposing'),
    contract: contractView,
    accepted: z.array(acceptanceView),
    until: instant
  }),
  /** From here on a start may have left. */
  z.strictObject({
    phase: z.literal('running'),
    contract: contractView,
    accepted: z.array(acceptanceView),
    confirmed: z.array(id),
    retryAt: instant
  }),
  /** The recipient is asked to end it. */
  z.strictObject({
    phase: z.literal('closing'),
    result: z.enum(['failed', 'cancelled']),
    code: endCode,
    hop: id.nullable(),
    until: instant,
    retryAt: instant
  }),
  z.strictObject({ phase: z.literal('ended'), outcome: outcomeView, late: outcomeView.nullable() })
])
export type CoordinatorStage = z.infer<typeof coordinatorStage>

/** One request at the agent that asks. It brings the hops together and has no authority over them. */
export const coordinator = z.strictObject({
  machine: z.literal('coordinator'),
  request: id,
  self: id,
  limits: coordinatorLimits,
  /** The whole exchange ends by then. It begins anew once all approvals are there. */
  deadline: instant,
  /** How long the exchange may take. */
  span: duration.default(300_000),
  /** Set once somebody's approval was waited for: the latest that it may be, and how often older offers were asked for again. */
  waited: z.strictObject({ latest: instant, rounds: z.int().nonnegative() }).nullable().default(null),
  epoch,
  hops: z.array(askedHop),
  /** Hops that declined, failed, were silent at acceptance or lost: a new plan does without them. */
  without: z.array(z.strictObject({ hop: id, code: endCode })),
  refusals: z.array(z.strictObject({ hop: id, epoch, refusal })),
  /** Every contract that was proposed; `started`: a start may have left. */
  plans: z.array(z.strictObject({ contract: contractView, started: z.boolean() })).max(3),
  stage: coordinatorStage
})
export type Coordinator = z.infer<typeof coordinator>

/** The recipient of what was started; from then on it alone signs how it ended, and later epochs keep it. */
export function startedRecipient(coordinator: Coordinator): string | undefined {
  const started = coordinator.plans.find((plan) => plan.started)
  return started === undefined ? undefined : recipientOf(started.contract)
}

/** When a hop that has not answered counts as silent; infinity: it has answered. */
export function dueAt({ stage, limits }: Coordinator, { answer, approval }: AskedHop): number {
  if (stage.phase !== 'collecting') return Number.POSITIVE_INFINITY
  if (answer === 'waiting') return stage.until
  // The hop itself says that the time is up; it gets as long for that as for any answer.
  return answer === 'approval' && approval !== null
    ? approval.until + limits.offerWithin
    : Number.POSITIVE_INFINITY
}

export function coordinatorWakeAt(coordinator: Coordinator): number | null {
  const { stage, deadline } = coordinator
  switch (stage.phase) {
    case 'collecting':
      return Math.min(
        stage.askAt ?? deadline,
        deadline,
        ...coordinator.hops.map((hop) => dueAt(coordinator, hop))
      )
    case 'composing':
    case 'proposing':
      return Math.min(stage.until, deadline)
    case 'running':
      return Math.min(stage.retryAt, deadline)
    case 'closing':
      // The own recipient is asked until it has ended; another one only until the time is up.
      return startedRecipient(coordinator) === coordinator.self
        ? stage.retryAt
        : Math.min(stage.retryAt, stage.until)
    case 'ended':
      return null
  }
}
