/**
 * What the agent does for its own people, as the HTTP interface and the command line need it. The daemon implements it; the
 * API only translates. Shapes of answers (views.ts) are promises to users.
 */
import type { Submission } from '../config/index.ts'
import type { AttachedFiles } from './attached-files.ts'
import type { AuditOperations } from './audit-operations.ts'
import type { Caller } from './caller.ts'
import type { ContractView } from './contract-view.ts'
import type { MarketplaceView, TakenDocuments } from './marketplace-view.ts'
import type { PolicyOperations } from './policy-operations.ts'
import type { StandingOperations } from './standing-operations.ts'
import type {
  AgreementDiff,
  AgreementView,
  ApprovalView,
  DatasetView,
  Finding,
  HealthView,
  MemberView,
  PeerView,
  ProgressEvent,
  RequestSummary,
  RequestView
} from './views.ts'

export type ResultFormat = 'json' | 'csv' | 'parquet'

/** Rows `offset` to `offset + limit` of a result. */
export interface ResultPage {
  offset: number
  limit: number
}

/** What is sent for a result: `before`, the bytes of the file, `after`; any of them may be missing. */
export interface ResultBody {
  mediaType: string
  /** What to call it. */
  name?: string
  before?: string
  path?: string
  after?: string
  /** Of a page: where the next one begins, when there is one. */
  next?: number
  /** To be called when it was sent, or not: it takes up disk until then. */
  release?(): Promise<void>
}

export interface Operations {
  health(): Promise<HealthView>
  submit(
    submission: Submission,
    caller: Caller,
    options: { idempotencyKey?: string }
  ): Promise<{ request: string; created: boolean }>
  explain(submission: Submission, caller: Caller, signal: AbortSignal): Promise<RequestView>
  requests(): Promise<RequestSummary[]>
  request(id: string): Promise<RequestView | undefined>
  /** Ends after the final status. Starts with what already happened. */
  events(id: string, signal: AbortSignal): AsyncIterable<ProgressEvent>
  cancel(id: string): Promise<RequestView | undefined>
  /** The same submission as a new request. */
  rerun(
    id: string,
    caller: Caller,
    options: { idempotencyKey?: string }
  ): Promise<{ request: string; created: boolean } | undefined>
  /** What was asked. */
  submission(id: string): Promise<Submission | undefined>
  contract(id: string): Promise<ContractView | undefined>
  /** A result of a completed request, whole or a page of it; `from` chooses one when there is one per provider. */
  result(
    id: string,
    options: { from?: string; format: ResultFormat; page?: ResultPage },
    signal: AbortSignal
  ): Promise<ResultBody | undefined>
  /** A picture of a completed request, by a name that its answer lists. */
  artifact(id: string, name: string): Promise<{ path: string; mediaType: string; digest: string } | undefined>
  peers(signal: AbortSignal): Promise<PeerView[]>
  members(): Promise<MemberView[]>
  marketplace(): Promise<MarketplaceView>
  /** Takes documents that the authority signed, in base64, if they are newer than what the agent has. */
  takeDocuments(documents: { status?: string; membership?: string }): Promise<TakenDocuments>
  /** Own capability without `peer`. Peer id or organisation. Undefined: nobody of that name was found. */
  capability(peer: string | undefined, signal: AbortSignal): Promise<unknown>
  datasets(find: string | undefined, signal: AbortSignal): Promise<DatasetView[]>
  dataset(id: string, signal: AbortSignal): Promise<DatasetView | undefined>
  agreements(): Promise<AgreementView[]>
  agreement(idOrName: string): Promise<AgreementView | undefined>
  checkAgreement(
    text: string,
    files?: AttachedFiles
  ): Promise<{ findings: Finding[]; view: AgreementView | null }>
  /** The bytes a steward's key has to sign, in base64, for an agreement file. */
  prepareAgreement(
    text: string,
    files?: AttachedFiles
  ): Promise<{ id: string; payload: string; view: AgreementView }>
  /** Takes a steward-signed agreement (base64 of the signed bytes) or signs with the agent's own steward key where the configuration lets it, a text or a proposal that waits under `name`; collects the others' signatures. */
  signAgreement(
    input: { text?: string; files?: AttachedFiles; signed?: string; name?: string },
    signal: AbortSignal
  ): Promise<AgreementView>
  /** What a steward has to sign for a proposal that waits: the bytes, in base64. */
  agreementToSign(idOrName: string): Promise<{ id: string; payload: string; view: AgreementView }>
  /** Sends an agreement as it is to the other parties; with `counters` as the answer to a proposal that waits. */
  proposeAgreement(
    input: { text: string; files?: AttachedFiles; counters?: string },
    signal: AbortSignal
  ): Promise<AgreementView>
  refuseAgreement(idOrName: string, reason: string, signal: AbortSignal): Promise<AgreementView>
  /** Against another version: the one it answers, or that is in force, when none is named. */
  agreementDiff(idOrName: string, other?: string): Promise<AgreementDiff>
  /** The bytes of a revocation for a steward to sign, in base64. */
  prepareRevocation(idOrName: string, reason: string): Promise<{ id: string; payload: string }>
  /** A revocation that a steward signed (base64), or a reason when the agent may sign itself. */
  revokeAgreement(
    idOrName: string,
    input: { signed?: string; reason?: string },
    signal: AbortSignal
  ): Promise<AgreementView>
  standing: StandingOperations
  policy: PolicyOperations
  audit: AuditOperations
  /** Requests that wait for this caller's approval. */
  approvals(caller: Caller): Promise<ApprovalView[]>
  approve(request: string, caller: Caller): Promise<ApprovalView>
  /** Refuses what waits, or takes an approval back. */
  refuseApproval(request: string, reason: string, caller: Caller): Promise<ApprovalView>
}
