import { z } from 'zod'
import { fields, question } from '../../protocol/documents/index.ts'

const { count, documentId, instant } = fields

export const ENTRY_KINDS = [
  'identity',
  'membership',
  'agreement',
  'request',
  'offer',
  'contract',
  'acceptance',
  'decline',
  'start',
  'decision',
  'approval',
  'flow-sent',
  'flow-received',
  'job-started',
  'job-finished',
  'job-wiped',
  'release',
  'receipt',
  'outcome',
  'refusal',
  'config'
] as const
export type EntryKind = (typeof ENTRY_KINDS)[number]

/** Long enough for an id, a digest, a code, a name; too short for data or a query. */
const MAX_TEXT = 512
/** A flow has no more parts. */
const MAX_LISTED = 4096
const scalar = z.union([z.string().max(MAX_TEXT), z.int(), z.boolean(), z.null()])
const value = z.union([scalar, z.array(scalar).max(MAX_LISTED)])

const decisionFields = z.strictObject({
  question,
  verdict: z.enum(['permit', 'deny']),
  /** `agreement#clause` of what decided. */
  clauses: z.array(z.string().max(MAX_TEXT)).max(64),
  /** Id of the policy that was evaluated. */
  policy: z.string().max(128),
  /** Commitment to what it rested on, which lies beside the log. */
  facts: documentId.exactOptional(),
  code: z.string().max(64).exactOptional(),
  /** The other party, where there is one. */
  party: z.string().max(MAX_TEXT).exactOptional(),
  /** What it is about, where there is no request that says so. */
  dataset: z.string().max(MAX_TEXT).exactOptional(),
  row: count.exactOptional()
})

const about = {
  time: instant,
  request: documentId.exactOptional(),
  contract: documentId.exactOptional(),
  document: documentId.exactOptional()
}

/**
 * What happened, as the log keeps it. `fields` hold ids, digests, codes, names and counts; never a payload, a value of data or
 * an analyst's text: those lie beside the log and can be deleted without breaking it.
 */
export const logEntry = z.union([
  z.strictObject({ ...about, kind: z.literal('decision'), fields: decisionFields }),
  z.strictObject({
    ...about,
    kind: z.enum(ENTRY_KINDS).exclude(['decision']),
    fields: z.record(z.string().max(64), value)
  })
])
export type LogEntry = z.infer<typeof logEntry>
export type DecisionFields = z.infer<typeof decisionFields>
