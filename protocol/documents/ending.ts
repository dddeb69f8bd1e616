import { z } from 'zod'
import { failureCode, refusalCode } from './codes.ts'
import { count, digest, documentId, header, instant, logPosition, name, organisation } from './fields.ts'
import { question } from './questions.ts'

/** What a party's policy said at one question under the contract, as it tells others: question, verdict, clauses, policy. */
export const toldDecision = z.strictObject({
  question: question,
  verdict: z.enum(['permit', 'deny']),
  clauses: z.array(z.string().max(256)).max(64),
  policy: z.string().max(128)
})
export type ToldDecision = z.infer<typeof toldDecision>

/**
 * What came of running steps again elsewhere: who ran them first, who again, and of each result the digests of both canonical
 * forms. Salted by the recipient, who alone can say of what they are.
 */
export const verification = z.strictObject({
  of: organisation,
  at: organisation,
  results: z
    .array(z.strictObject({ first: digest, again: digest }))
    .min(1)
    .max(64)
})
export type Verification = z.infer<typeof verification>

/** Signed by the party that did a step. Counts are null where output is protected. */
export const receipt = z.strictObject({
  ...header('receipt'),
  contract: documentId,
  request: documentId,
  organisation,
  step: count,
  service: name,
  round: count,
  inputs: z.array(digest).max(10_000),
  outputs: z.array(digest).max(10_000),
  rows: count.nullable(),
  bytes: count.nullable(),
  /** Rows of the tables that `anonymize` left out: 0, or a power of two from 16; only where it counted. */
  withheld: count.optional(),
  /** Groups that stayed because too few units are in them, or because of what left before; only where output is protected. */
  suppressed: count.optional(),
  cpuMicroseconds: count,
  microjoules: count,
  energy: z.enum(['estimated', 'measured']),
  cache: z.enum(['hit', 'miss', 'none']),
  milliseconds: count,
  wiped: z.strictObject({ bytes: count, at: instant }).nullable(),
  /** Of the recipient, where steps were run again elsewhere: both results are the same. */
  verification: verification.optional(),
  /** What was decided here under the contract so far; on a party's last receipt. */
  decisions: z.array(toldDecision).max(64),
  log: logPosition
})

/**
 * How an exchange ended. `completed` is signed by the recipient alone, whose receipts it names; `failed` and `cancelled`
 * after the start by the recipient too, so that no two can contradict; before the start by whoever ends it.
 */
export const outcome = z.strictObject({
  ...header('outcome'),
  request: documentId,
  contract: documentId.nullable(),
  organisation,
  result: z.enum(['completed', 'failed', 'cancelled', 'expired']),
  code: z.union([failureCode, refusalCode]).nullable(),
  hop: organisation.nullable(),
  step: name.nullable(),
  position: count.nullable(),
  receipts: z.array(documentId).max(512),
  /** With `verification-differs`: the two results are not the same. */
  verification: verification.optional(),
  log: logPosition
})
