/**
 * What agents put on the wire about one request: a protocol id and a schema per kind of message, and the documents each
 * carries. A reply holds the answers that were ready at once (an offer to a request, an acceptance or decline to a contract);
 * what comes later travels as a message of its own.
 */
import { z } from 'zod'
import {
  failureCode,
  fields,
  MAX_APPROVAL_MS,
  refusal,
  refusalCode,
  saltedSection,
  signedBytes
} from '../documents/index.ts'

const { documentId, organisation, peer } = fields
const epoch = z.int().min(1).max(3)
const endCode = z.union([failureCode, refusalCode])

export const wireMessage = z.discriminatedUnion('kind', [
  /** The query part goes to data holders under an agreement only. */
  z.strictObject({
    kind: z.literal('ask'),
    epoch,
    request: signedBytes,
    query: saltedSection.nullable(),
    /** Only to know what the answer would be: nobody is bothered with it. */
    explain: z.literal(true).exactOptional()
  }),
  z.strictObject({ kind: z.literal('offer'), epoch, offer: signedBytes, details: saltedSection }),
  /** Instead of an offer: somebody has to approve the request, for which `within` milliseconds are left; `by` may. */
  z.strictObject({
    kind: z.literal('waiting'),
    request: documentId,
    epoch,
    within: z.int().nonnegative().max(MAX_APPROVAL_MS),
    by: z.array(z.string().max(256)).max(32)
  }),
  z.strictObject({ kind: z.literal('propose'), contract: signedBytes, sections: saltedSection }),
  z.strictObject({ kind: z.literal('acceptance'), acceptance: signedBytes }),
  z.strictObject({ kind: z.literal('decline'), decline: signedBytes }),
  z.strictObject({ kind: z.literal('abort'), request: documentId, contract: documentId.nullable(), epoch }),
  z.strictObject({
    kind: z.literal('start'),
    contract: signedBytes,
    acceptances: z.array(signedBytes).max(80)
  }),
  z.strictObject({ kind: z.literal('started'), request: documentId, contract: documentId }),
  z.strictObject({
    kind: z.literal('rejected'),
    request: documentId,
    contract: documentId.nullable(),
    code: endCode
  }),
  z.strictObject({
    kind: z.literal('failure'),
    request: documentId,
    contract: documentId,
    hop: peer,
    code: endCode,
    step: z.string().max(128).nullable(),
    position: z.int().nonnegative().nullable()
  }),
  z.strictObject({
    kind: z.literal('cancel'),
    request: documentId,
    result: z.enum(['failed', 'cancelled']),
    code: endCode,
    hop: peer.nullable()
  }),
  z.strictObject({ kind: z.literal('outcome'), outcome: signedBytes }),
  z.strictObject({ kind: z.literal('receipt'), receipt: signedBytes })
])
export type WireMessage = z.infer<typeof wireMessage>
export type WireKind = WireMessage['kind']
export type WireOf<K extends WireKind> = Extract<WireMessage, { kind: K }>

export const wireReply = z.strictObject({ messages: z.array(wireMessage).max(8) })
export type WireReply = z.infer<typeof wireReply>

/** One protocol for each kind of message, so that limits and rates are per kind. */
export function protocolOf(kind: WireKind): string {
  return `/dynamos/${kind}/1`
}

interface MessageLimits {
  /** bytes of a message */
  maxBytes: number
  /** sustained messages of one peer */
  ratePerSecond: number
  burst: number
  /** milliseconds for an answer */
  timeoutMs: number
}

const KIB = 1024
const plain: MessageLimits = { maxBytes: 4 * KIB, ratePerSecond: 50, burst: 100, timeoutMs: 10_000 }
const documents: MessageLimits = { maxBytes: 256 * KIB, ratePerSecond: 50, burst: 100, timeoutMs: 10_000 }

export const MESSAGE_LIMITS: Readonly<Record<WireKind, MessageLimits>> = {
  ask: { maxBytes: 256 * KIB, ratePerSecond: 20, burst: 60, timeoutMs: 10_000 },
  offer: documents,
  waiting: { ...plain, maxBytes: 16 * KIB },
  propose: { ...documents, maxBytes: 512 * KIB },
  acceptance: documents,
  decline: documents,
  abort: plain,
  start: { ...documents, maxBytes: 1024 * KIB },
  started: plain,
  rejected: plain,
  failure: plain,
  cancel: plain,
  outcome: documents,
  receipt: documents
}

/** `/dynamos/agreement/1`: an agreement for a party's steward to sign, and the same with the signatures there are. */
export const AGREEMENT_PROTOCOL = '/dynamos/agreement/1'
export const agreementProposal = z.strictObject({ agreement: signedBytes })
export const agreementReply = z.strictObject({
  agreement: signedBytes.nullable(),
  organisation,
  /** Why it was not signed yet. */
  pending: refusal.nullable()
})

/**
 * `/dynamos/standing-offers/1`: what a provider offers to the member that asks, or one of them whole. What is not for that
 * member is answered like what does not exist.
 */
export const STANDING_OFFERS_PROTOCOL = '/dynamos/standing-offers/1'
export const MAX_OFFERS = 128
export const standingQuestion = z.strictObject({ name: fields.name.exactOptional() })
export const standingReply = z.strictObject({
  offers: z
    .array(
      z.strictObject({
        id: documentId,
        name: fields.name,
        dataset: fields.name,
        purposes: fields.anyOrNames,
        until: z.int().nonnegative()
      })
    )
    .max(MAX_OFFERS),
  /** The one that was asked for. */
  offer: signedBytes.nullable()
})
export type StandingQuestion = z.infer<typeof standingQuestion>
export type StandingReply = z.infer<typeof standingReply>

/**
 * `/dynamos/agreement-notice/1`: a party refuses a proposed agreement, or revokes one in force, or tells one that it left out
 * that another version took its place.
 */
export const AGREEMENT_NOTICE_PROTOCOL = '/dynamos/agreement-notice/1'
export const agreementNotice = z.union([
  z.strictObject({ refusal: signedBytes }),
  z.strictObject({ revocation: signedBytes }),
  z.strictObject({ replaced: signedBytes })
])
export type AgreementNotice = z.infer<typeof agreementNotice>
export const agreementNoticeReply = z.strictObject({ taken: z.literal(true) })

/** `/dynamos/release/1`: whoever would send a result to its recipient asks a data provider for its last word. */
export const RELEASE_PROTOCOL = '/dynamos/release/1'
export const releaseQuestion = z.strictObject({
  contract: documentId,
  flow: z.int().nonnegative(),
  result: documentId
})
export type ReleaseQuestion = z.infer<typeof releaseQuestion>
export const releaseReply = z.strictObject({ release: signedBytes })
export type ReleaseReply = z.infer<typeof releaseReply>

/** `/dynamos/released/1`: the recipient asks whoever sent it a result for the last words about it. */
export const RELEASED_PROTOCOL = '/dynamos/released/1'
export const releasedQuestion = z.strictObject({ contract: documentId, flow: z.int().nonnegative() })
export type ReleasedQuestion = z.infer<typeof releasedQuestion>
export const releasedReply = z.strictObject({ releases: z.array(signedBytes).max(64) })
export type ReleasedReply = z.infer<typeof releasedReply>
