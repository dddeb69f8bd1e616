import { z } from 'zod'
import { refusal } from '../documents/index.ts'
import { acceptanceView, approvers, contractView, endCode, epoch, id, outcomeView } from './views.ts'

/**
 * What agents tell each other about one request. `ask`, `offer`, `propose`, `acceptance`, `decline`, `start` and `outcome`
 * stand for signed documents: whoever receives one verifies it and makes the message with `viewContract` and its like. The
 * others are plain words between two authenticated peers; nobody gains anything by them: they can only stop.
 */
export const message = z.discriminatedUnion('kind', [
  /** The request. A higher epoch asks anew, because a start used the offers up. */
  z.strictObject({ kind: z.literal('ask'), epoch }),
  /** The hop's offer; `permits` when at least one row is permitted. */
  z.strictObject({ kind: z.literal('offer'), epoch, offer: id, permits: z.boolean() }),
  /** Instead of an offer, for now: somebody at the hop has to approve this very request, for which `within` milliseconds are left. */
  z.strictObject({ kind: z.literal('waiting'), epoch, within: z.number().nonnegative(), by: approvers }),
  z.strictObject({ kind: z.literal('propose'), contract: contractView }),
  z.strictObject({ kind: z.literal('acceptance'), acceptance: acceptanceView }),
  z.strictObject({ kind: z.literal('decline'), contract: id, epoch, refusal }),
  /** Not going on with this contract; null: not going on with the request. */
  z.strictObject({ kind: z.literal('abort'), contract: id.nullable(), epoch }),
  /** The contract with all acceptances: it proves itself, whoever brings it. */
  z.strictObject({ kind: z.literal('start'), contract: id, acceptances: z.array(acceptanceView).max(80) }),
  z.strictObject({ kind: z.literal('started'), contract: id }),
  /** A start, a contract or a question that was not taken, and why; promises nothing. */
  z.strictObject({ kind: z.literal('rejected'), contract: id.nullable(), code: endCode }),
  /** The sender's share will not be done. `hop` is whom it blames. */
  z.strictObject({
    kind: z.literal('failure'),
    contract: id,
    hop: id,
    code: endCode,
    step: z.string().max(128).nullable(),
    position: z.number().nullable()
  }),
  /** The requester's agent asks the recipient to end what has started. */
  z.strictObject({
    kind: z.literal('cancel'),
    result: z.enum(['failed', 'cancelled']),
    code: endCode,
    hop: id.nullable()
  }),
  z.strictObject({ kind: z.literal('outcome'), outcome: outcomeView })
])
export type Message = z.infer<typeof message>

/** Which machine of the receiving agent a message is for; an outcome and a failure are for both. */
export function addressees(kind: Message['kind']): readonly ('coordinator' | 'hop')[] {
  switch (kind) {
    case 'ask':
    case 'propose':
    case 'abort':
    case 'start':
    case 'cancel':
      return ['hop']
    case 'offer':
    case 'waiting':
    case 'acceptance':
    case 'decline':
    case 'started':
    case 'rejected':
      return ['coordinator']
    case 'failure':
    case 'outcome':
      return ['hop', 'coordinator']
  }
}
