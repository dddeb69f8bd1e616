import { z } from 'zod'
import type { RefusalCode } from '../documents/index.ts'
import { refusal } from '../documents/index.ts'
import { approvers, contractView, endCode, epoch, id, instant, outcomeView } from './views.ts'

const duration = z.number().nonnegative()

/** Milliseconds. */
export const hopLimits = z.strictObject({
  /** From an acceptance to the latest start. */
  startBy: duration,
  /** Caps a contract's own deadline. */
  deadline: duration,
  /** How long a recipient that heard of a failure waits for the next epoch. */
  grace: duration,
  /** How long a hop that has promised nothing remembers that it was asked. */
  idle: duration
})
export type HopLimits = z.infer<typeof hopLimits>

/** One for each epoch, and one more for each when an approval took so long that the first ran out. */
export const MAX_OFFERS = 6

const answered = z.strictObject({
  epoch,
  contract: id,
  recipient: id,
  /** `released`: aborted or replaced before its start. */
  answer: z.enum(['accepted', 'declined', 'released']),
  refusal: refusal.nullable()
})
export type Answered = z.infer<typeof answered>

export const failure = z.strictObject({
  hop: id,
  code: endCode,
  step: z.string().nullable(),
  position: z.number().nullable()
})
export type Failure = z.infer<typeof failure>

export const hopStage = z.discriminatedUnion('phase', [
  /** Nothing is promised; `until` it is remembered. */
  z.strictObject({ phase: z.literal('idle'), until: instant }),
  /** An offer was made, which promises nothing either. */
  z.strictObject({ phase: z.literal('offered'), until: instant }),
  /** `permitting`: the complete start is here and policy is being asked. */
  z.strictObject({
    phase: z.literal('accepted'),
    contract: contractView,
    startBy: instant,
    permitting: z.boolean()
  }),
  /** `grace`: at the recipient, until when a failure may still be mended by a new epoch. */
  z.strictObject({
    phase: z.literal('started'),
    contract: contractView,
    deadline: instant,
    share: z.enum(['running', 'done', 'failed']),
    failure: failure.nullable(),
    grace: instant.nullable(),
    /** Whether anything that was made here has left, or may have: then quota and budget are spent. */
    left: z.boolean().default(false)
  }),
  /** `late`: an outcome of somebody else that came after. */
  z.strictObject({ phase: z.literal('ended'), outcome: outcomeView, late: outcomeView.nullable() })
])
export type HopStage = z.infer<typeof hopStage>

/** One request at one of the agents that would do it: data provider, compute provider or recipient. */
export const hop = z.strictObject({
  machine: z.literal('hop'),
  request: id,
  self: id,
  coordinator: id,
  limits: hopLimits,
  /** The newest offer; `id` is null while policy is being asked. `usedBy`: the contract whose acceptance rests on it. */
  offer: z
    .strictObject({ epoch, id: id.nullable(), permits: z.boolean(), until: instant, usedBy: id.nullable() })
    .nullable(),
  /** While the newest question waits for somebody here to approve the request: until when, and who may. */
  approval: z.strictObject({ until: instant, by: approvers }).nullable().default(null),
  /** Whether it ever waited for that: then it is remembered over a restart until it ends. */
  waited: z.boolean().default(false),
  /** How many offers were asked for: no asker gets more than {@link MAX_OFFERS}. */
  asked: z.int().nonnegative().default(0),
  /** The one contract of each epoch that was answered. */
  answered: z.array(answered).max(3),
  /** A contract that is being decided on, beside whatever runs. */
  proposal: z
    .strictObject({ contract: contractView, recipient: id, stage: z.enum(['deciding', 'reserving']) })
    .nullable(),
  reservations: z
    .array(z.strictObject({ contract: id, state: z.enum(['held', 'returned', 'spent']) }))
    .max(3),
  /** Whether a start was ever taken here. */
  everStarted: z.boolean(),
  stage: hopStage
})
export type Hop = z.infer<typeof hop>

/** A hop that just heard of a request. `coordinator` is the requester's agent, which signed it. */
export function createHop(init: {
  request: string
  self: string
  coordinator: string
  limits: HopLimits
  now: number
}): Hop {
  const { request, self, coordinator, limits, now } = init
  return {
    machine: 'hop',
    request,
    self,
    coordinator,
    limits,
    offer: null,
    approval: null,
    waited: false,
    asked: 0,
    answered: [],
    proposal: null,
    reservations: [],
    everStarted: false,
    stage: { phase: 'idle', until: now + limits.idle }
  }
}

/** The answer that binds: the acceptance of the highest epoch. */
export function latestAccepted(hop: Hop): Answered | undefined {
  let latest: Answered | undefined
  for (const one of hop.answered)
    if (one.answer === 'accepted' && (latest === undefined || one.epoch > latest.epoch)) latest = one
  return latest
}

/** Whether this hop is the recipient, who alone signs how a started exchange ended. */
export function decides(hop: Hop): boolean {
  return latestAccepted(hop)?.recipient === hop.self
}

/** The contract that is in force here, started or not. */
export function engaged(hop: Hop): string | undefined {
  return hop.stage.phase === 'accepted' || hop.stage.phase === 'started' ? hop.stage.contract.id : undefined
}

export function hopWakeAt(hop: Hop): number | null {
  const { approval } = hop
  const at = stageWakeAt(hop)
  return approval === null || at === null ? at : Math.min(at, approval.until)
}

function stageWakeAt({ stage }: Hop): number | null {
  switch (stage.phase) {
    case 'idle':
    case 'offered':
      return stage.until
    case 'accepted':
      return stage.startBy
    case 'started':
      return stage.grace === null ? stage.deadline : Math.min(stage.grace, stage.deadline)
    case 'ended':
      return null
  }
}

/**
 * Why a flow of a contract may not be opened, sent or taken here at this moment; null when the negotiation has nothing
 * against it (policy is asked besides). A recipient takes a result only of the highest epoch it accepted.
 */
export function flowRefusal(hop: Hop, contract: string): RefusalCode | null {
  const { stage } = hop
  if (stage.phase === 'ended') return 'already-ended'
  if (engaged(hop) === contract) {
    if (stage.phase !== 'started') return 'start-incomplete'
    return stage.share === 'failed' ? 'already-ended' : null
  }
  return hop.answered.some((one) => one.contract === contract && one.answer !== 'declined')
    ? 'epoch-superseded'
    : 'flow-not-in-contract'
}
