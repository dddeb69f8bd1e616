/**
 * What the agent does for its own people, as the HTTP interface and the command line need it. The daemon implements it; the
 * API only translates. Shapes of answers are promises to users (see docs/contract.md).
 */
import type { Submission } from '../config/index.ts'

export type RequestStatus =
  | 'queued'
  | 'discovering'
  | 'negotiating'
  | 'waiting'
  | 'running'
  | 'completed'
  | 'refused'
  | 'failed'
  | 'cancelled'
  | 'timed-out'

export const FINAL_STATUS: readonly RequestStatus[] = ['completed', 'refused', 'failed', 'cancelled', 'timed-out']

export interface DecisionView {
  hop: string
  question: string
  verdict: 'permit' | 'deny'
  clauses: string[]
  policy: string
}

export interface RefusalView {
  hop: string
  question: string
  code: string
  clause: string | null
  reason: string
  acceptable: Record<string, unknown> | null
  position?: number
}

export interface CandidateView {
  archetype: string
  at: Record<string, string>
  scores: Record<string, number>
  total: number | null
  chosen: boolean
  why: string
}

export interface ResultView {
  from: string[]
  columns: string[]
  types: string[]
  rows: unknown[][]
  rowCount: number
  truncated: boolean
  suppressed: { provider: string; groups: number }[]
}

export interface ReceiptView {
  hop: string
  service: string
  rows: number | null
  bytes: number | null
  cpuSeconds: number
  joules: number
  energy: 'estimated' | 'measured'
  cache: string
  milliseconds: number
  wiped: { bytes: number; at: string } | null
}

/** `request submit --json` and `GET …/requests/ID`. */
export interface RequestView {
  request: string
  contract: string | null
  status: RequestStatus
  archetype: string | null
  missing: string[]
  notes: string[]
  chain: { service: string; at: string }[]
  decisions: DecisionView[]
  candidates: CandidateView[]
  results?: ResultView[]
  artifacts: { name: string; mediaType: string; digest: string }[]
  refusals?: RefusalView[]
  error?: { code: string; hop: string | null; step: string | null; position: number | null; message: string }
  receipts: ReceiptView[]
  timing: Record<string, number>
  submitted: string
  user: string
}

export interface RequestSummary {
  request: string
  status: RequestStatus
  submitted: string
  user: string
  datasets: string[]
}

/** Progress of a request: status changes, hops' answers, bytes of flows, estimates of what is left. */
export interface ProgressEvent {
  sequence: number
  at: string
  status: RequestStatus
  phase: string
  hop?: string
  message: string
  bytes?: number
  of?: number
  etaMilliseconds?: number
}

export interface PeerView {
  peerId: string
  organisation: string | null
  roles: string[]
  addresses: string[]
  connected: boolean
}

export interface DatasetView {
  id: string
  title: string
  providers: { organisation: string; peerId: string; agreements: string[] }[]
  tables: { name: string; rows: number; columns: { name: string; type: string; unit?: string; description?: string }[] }[]
  differences: string[]
}

export interface AgreementView {
  id: string
  name: string
  provider: string
  dataset: string
  parties: string[]
  signedBy: string[]
  state: 'draft' | 'proposed' | 'in-force' | 'superseded' | 'expired' | 'not-yet-valid' | 'not-enforceable'
  unenforceable: string[]
  plain: string[]
  terms: unknown
}

export interface Finding {
  level: 'error' | 'warning'
  clause: string
  message: string
  line?: number
}

export interface Caller {
  /** The user this token stands for, as `name@domain`. */
  user: string
}

export interface Operations {
  health(): Promise<{ status: 'ok' | 'degraded'; organisation: string; peerId: string; version: string; sandbox: string; problems: string[] }>
  submit(submission: Submission, caller: Caller, options: { idempotencyKey?: string }): Promise<{ request: string; created: boolean }>
  explain(submission: Submission, caller: Caller, signal: AbortSignal): Promise<RequestView>
  requests(): Promise<RequestSummary[]>
  request(id: string): Promise<RequestView | undefined>
  /** Ends after the final status. Starts with what already happened. */
  events(id: string, signal: AbortSignal): AsyncIterable<ProgressEvent>
  cancel(id: string): Promise<RequestView | undefined>
  /** A file of a completed request; `from` chooses a result when there is one per provider. */
  result(id: string, options: { from?: string; format: 'json' | 'csv' | 'parquet' }): Promise<{ path: string; mediaType: string } | undefined>
  peers(signal: AbortSignal): Promise<PeerView[]>
  members(): Promise<{ organisation: string; agents: string[]; roles: string[]; expires: string }[]>
  /** Own capability without `peer`. Peer id or organisation. */
  capability(peer: string | undefined, signal: AbortSignal): Promise<unknown>
  datasets(find: string | undefined, signal: AbortSignal): Promise<DatasetView[]>
  dataset(id: string, signal: AbortSignal): Promise<DatasetView | undefined>
  agreements(): Promise<AgreementView[]>
  agreement(idOrName: string): Promise<AgreementView | undefined>
  checkAgreement(text: string): Promise<{ findings: Finding[]; view: AgreementView | null }>
  /** The bytes a steward's key has to sign, in base64, for an agreement file. */
  prepareAgreement(text: string): Promise<{ id: string; payload: string; view: AgreementView }>
  /** Takes a steward-signed agreement (base64 of the signed bytes) or signs with the agent's own steward key where the configuration lets it; collects the others' signatures. */
  signAgreement(input: { text?: string; signed?: string }, signal: AbortSignal): Promise<AgreementView>
}
