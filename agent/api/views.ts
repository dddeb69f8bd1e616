/**
 * What the API answers with, as schemas: the agent's side takes its types from them, and a client parses by them before it
 * believes an answer. They are promises to users: add optional keys, never rename one.
 */
import { z } from 'zod'
import { chainStepView, failureView, verificationView, verifiedView } from './verification-view.ts'

export const requestStatus = z.enum([
  'queued',
  'discovering',
  'negotiating',
  'waiting',
  'running',
  'completed',
  'refused',
  'failed',
  'cancelled',
  'timed-out'
])
export type RequestStatus = z.infer<typeof requestStatus>

export const FINAL_STATUS: readonly RequestStatus[] = [
  'completed',
  'refused',
  'failed',
  'cancelled',
  'timed-out'
]

export const decisionView = z.object({
  hop: z.string(),
  question: z.string(),
  verdict: z.enum(['permit', 'deny']),
  clauses: z.array(z.string()),
  policy: z.string()
})
export type DecisionView = z.infer<typeof decisionView>

export const refusalView = z.object({
  hop: z.string(),
  question: z.string(),
  code: z.string(),
  clause: z.string().nullable(),
  reason: z.string(),
  acceptable: z.record(z.string(), z.unknown()).nullable(),
  position: z.number().exactOptional()
})
export type RefusalView = z.infer<typeof refusalView>

/** An answer stands in each of up to 64 candidates; what is cut here stands whole in the refusals. */
export const ANSWER_LETTERS = 1000
const ANSWER_VALUES = 64

/** The lists in what would be acceptable, as short as an answer shows them. */
export function valuesShown(acceptable: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(acceptable).map(([key, value]) => [
      key,
      Array.isArray(value) ? value.slice(0, ANSWER_VALUES) : value
    ])
  )
}

/** What one hop said about one candidate; `none`: it gave no answer, and `code` says why. */
export const answerView = z.object({
  hop: z.string(),
  question: z.string(),
  verdict: z.enum(['permit', 'deny', 'none']),
  clauses: z.array(z.string()).exactOptional(),
  code: z.string().exactOptional(),
  clause: z.string().exactOptional(),
  reason: z.string().exactOptional(),
  acceptable: z.record(z.string(), z.unknown()).exactOptional(),
  position: z.number().exactOptional()
})
export type AnswerView = z.infer<typeof answerView>

export const candidateView = z.object({
  archetype: z.string(),
  at: z.record(z.string(), z.string()),
  scores: z.record(z.string(), z.number()),
  total: z.number().nullable(),
  chosen: z.boolean(),
  why: z.string(),
  answers: z.array(answerView).exactOptional()
})
export type CandidateView = z.infer<typeof candidateView>

export const resultView = z.object({
  from: z.array(z.string()),
  columns: z.array(z.string()),
  types: z.array(z.string()),
  /** By column, where the unit is known. */
  units: z.record(z.string(), z.string()).exactOptional(),
  rows: z.array(z.array(z.unknown())),
  rowCount: z.number(),
  truncated: z.boolean(),
  suppressed: z.array(z.object({ provider: z.string(), groups: z.number() })),
  verified: verifiedView.exactOptional()
})
export type ResultView = z.infer<typeof resultView>

export const receiptView = z.object({
  hop: z.string(),
  service: z.string(),
  rows: z.number().nullable(),
  bytes: z.number().nullable(),
  cpuSeconds: z.number(),
  joules: z.number(),
  energy: z.enum(['estimated', 'measured']),
  cache: z.string(),
  milliseconds: z.number(),
  wiped: z.object({ bytes: z.number(), at: z.string() }).nullable(),
  verification: verificationView.exactOptional()
})
export type ReceiptView = z.infer<typeof receiptView>

/** `request submit --json` and `GET …/requests/ID`. */
const anyOrNames = z.union([z.literal('*'), z.array(z.string())])
/** Terms that came with a result. */
export const termsView = z.object({
  recipients: anyOrNames,
  purposes: anyOrNames,
  until: z.string().nullable(),
  services: z.array(z.string()),
  forbid: z.array(z.string()),
  maxRows: z.number().nullable(),
  /** Of so many people at least each group is made, at each provider; absent: of any number. */
  minGroupSize: z.number().optional(),
  /** Those of its data providers who want the last word have released it. */
  releaseAsk: z.literal(true).optional(),
  onward: z.string()
})
export type TermsView = z.infer<typeof termsView>

export const stopView = z.object({
  hop: z.string(),
  code: z.string(),
  at: z.string(),
  message: z.string()
})
export type StopView = z.infer<typeof stopView>

export const requestView = z.object({
  request: z.string(),
  contract: z.string().nullable(),
  status: requestStatus,
  archetype: z.string().nullable(),
  missing: z.array(z.string()),
  notes: z.array(z.string()),
  chain: z.array(chainStepView),
  decisions: z.array(decisionView),
  candidates: z.array(candidateView),
  results: z.array(resultView).exactOptional(),
  artifacts: z.array(z.object({ name: z.string(), mediaType: z.string(), digest: z.string() })),
  refusals: z.array(refusalView).exactOptional(),
  error: failureView.exactOptional(),
  /** Under which the results may be used; they hold whatever is made of them. */
  terms: termsView.exactOptional(),
  /** Parties that took back what they had permitted while it ran: who, when, why. */
  stopped: z.array(stopView).exactOptional(),
  /** While the status is `waiting`: who has to approve it where, and until when. */
  waiting: z.array(z.object({ hop: z.string(), by: z.array(z.string()), until: z.string() })).exactOptional(),
  receipts: z.array(receiptView),
  timing: z.record(z.string(), z.number()),
  submitted: z.string(),
  user: z.string()
})
export type RequestView = z.infer<typeof requestView>

export const requestSummary = z.object({
  request: z.string(),
  status: requestStatus,
  submitted: z.string(),
  user: z.string(),
  datasets: z.array(z.string())
})
export type RequestSummary = z.infer<typeof requestSummary>

/** Progress of a request: status changes, hops' answers, bytes of flows, estimates of what is left. */
export const progressEvent = z.object({
  sequence: z.number(),
  at: z.string(),
  status: requestStatus,
  phase: z.string(),
  hop: z.string().exactOptional(),
  message: z.string(),
  rows: z.number().exactOptional(),
  bytes: z.number().exactOptional(),
  /** Bytes in all. */
  of: z.number().exactOptional(),
  etaMilliseconds: z.number().exactOptional()
})
export type ProgressEvent = z.infer<typeof progressEvent>

export const peerView = z.object({
  peerId: z.string(),
  organisation: z.string().nullable(),
  roles: z.array(z.string()),
  addresses: z.array(z.string()),
  connected: z.boolean()
})
export type PeerView = z.infer<typeof peerView>

export const memberView = z.object({
  organisation: z.string(),
  agents: z.array(z.string()),
  roles: z.array(z.string()),
  expires: z.string()
})
export type MemberView = z.infer<typeof memberView>

export const datasetView = z.object({
  id: z.string(),
  title: z.string(),
  providers: z.array(
    z.object({ organisation: z.string(), peerId: z.string(), agreements: z.array(z.string()) })
  ),
  tables: z.array(
    z.object({
      name: z.string(),
      /** About, of all providers together. */
      rows: z.number(),
      /** The column that tells whom a row is about. */
      subject: z.string().exactOptional(),
      columns: z.array(
        z.object({
          name: z.string(),
          type: z.string(),
          unit: z.string().exactOptional(),
          /** What its codes mean. */
          values: z.array(z.string()).exactOptional(),
          /** Between what its values lie, as its steward declared. */
          min: z.string().exactOptional(),
          max: z.string().exactOptional(),
          description: z.string().exactOptional(),
          sensitive: z.boolean().exactOptional()
        })
      )
    })
  ),
  differences: z.array(z.string()),
  /** Whom to ask about it. */
  contacts: z.array(z.object({ organisation: z.string(), contact: z.string() })).exactOptional(),
  /** A command that asks for something of it, permitted where an agreement is in force. */
  ask: z.string().exactOptional(),
  /** The same, to write a request from. */
  example: z
    .object({
      query: z.string(),
      purpose: z.string(),
      algorithm: z.object({ name: z.string(), value: z.string().exactOptional() }).exactOptional()
    })
    .exactOptional()
})
export type DatasetView = z.infer<typeof datasetView>

export const agreementView = z.object({
  id: z.string(),
  name: z.string(),
  provider: z.string(),
  dataset: z.string(),
  parties: z.array(z.string()),
  signedBy: z.array(z.string()),
  state: z.enum([
    'draft',
    'proposed',
    'refused',
    'countered',
    'in-force',
    'superseded',
    'revoked',
    'expired',
    'not-yet-valid',
    'not-enforceable'
  ]),
  unenforceable: z.array(z.string()),
  plain: z.array(z.string()),
  terms: z.unknown(),
  /** The terms as a file: exactly what `plain` was made from. */
  text: z.string().exactOptional(),
  proposedBy: z.string().exactOptional(),
  issued: z.string().exactOptional(),
  /** The version in force that it replaces, and the proposal that it answers. */
  supersedes: z.string().exactOptional(),
  counters: z.string().exactOptional(),
  /** The standing offer that it came of, when a member took one. */
  standing: z.string().exactOptional(),
  /** Who told that other terms took its place, to which this organisation is no party. */
  replacedBy: z.string().exactOptional(),
  refusals: z.array(z.object({ organisation: z.string(), reason: z.string() })).exactOptional(),
  /** Who ends it, and from when on it is in force no longer. */
  revocation: z
    .object({
      organisation: z.string(),
      reason: z.string(),
      effect: z.enum(['stop', 'finish']),
      ends: z.string()
    })
    .exactOptional(),
  /** Parties that have not heard of it yet. `gaveUp`: they will not take it. */
  undelivered: z
    .array(z.object({ organisation: z.string(), reason: z.string(), gaveUp: z.boolean() }))
    .exactOptional(),
  /** What makes this agent's steward hesitate: names that are not known here, manifests that differ. */
  problems: z.array(z.string()).exactOptional(),
  /** Ids of proposals that wait under the same name. */
  waiting: z.array(z.string()).exactOptional()
})
export type AgreementView = z.infer<typeof agreementView>

/** Two versions of an agreement, clause by clause. */
export const agreementDiff = z.object({
  name: z.string(),
  /** The earlier version; null when there is none, so that all is new. */
  before: z.string().nullable(),
  after: z.string(),
  clauses: z.array(
    z.object({ clause: z.string(), before: z.string().nullable(), after: z.string().nullable() })
  ),
  removed: z.array(z.string()),
  added: z.array(z.string())
})
export type AgreementDiff = z.infer<typeof agreementDiff>

/** A request that somebody here has to approve: what they are to know. */
export const approvalView = z.object({
  request: z.string(),
  agreement: z.string(),
  organisation: z.string(),
  user: z.string(),
  purpose: z.string(),
  datasets: z.array(z.string()),
  algorithm: z.string(),
  parameters: z.unknown(),
  query: z.string(),
  asked: z.string(),
  until: z.string(),
  state: z.enum(['pending', 'approved', 'refused', 'withdrawn']),
  by: z.array(z.string()),
  reason: z.string().exactOptional(),
  /** Further agreements under which the same was decided at once. */
  also: z.array(z.string()).exactOptional()
})
export type ApprovalView = z.infer<typeof approvalView>

export const finding = z.object({
  level: z.enum(['error', 'warning']),
  clause: z.string(),
  message: z.string(),
  line: z.number().exactOptional(),
  column: z.number().exactOptional(),
  source: z.string().exactOptional()
})
export type Finding = z.infer<typeof finding>

export const healthView = z.object({
  status: z.enum(['ok', 'degraded']),
  organisation: z.string(),
  peerId: z.string(),
  version: z.string(),
  sandbox: z.string(),
  /** What the kernel holds jobs to. */
  isolation: z.array(z.string()).exactOptional(),
  problems: z.array(z.string())
})
export type HealthView = z.infer<typeof healthView>

export const submitted = z.object({ request: z.string(), created: z.boolean() })
export const checkedAgreement = z.object({ findings: z.array(finding), view: agreementView.nullable() })
export const preparedRevocation = z.object({ id: z.string(), payload: z.string() })
export const preparedAgreement = z.object({ id: z.string(), payload: z.string(), view: agreementView })

/** RFC 9457, with the stable `code` and, for a file that breaks its schema, the places. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string(),
  problems: z
    .array(
      z.object({
        line: z.number().exactOptional(),
        column: z.number().exactOptional(),
        path: z.string(),
        message: z.string()
      })
    )
    .exactOptional()
})
export type Problem = z.infer<typeof problem>
