/**
 * What the agent does for its own people, as the HTTP interface and the command line need it. The daemon implements it; the
 * API only translates. Shapes of answers (views.ts) are promises to users.
 */
import type { Submission } from '../config/index.ts'
import type {
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

export interface Caller {
  /** The user this token stands for, as `name@domain`. */
  user: string
}

export type ResultFormat = 'json' | 'csv' | 'parquet'

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
  /** A file of a completed request; `from` chooses a result when there is one per provider. */
  result(
    id: string,
    options: { from?: string; format: ResultFormat }
  ): Promise<{ path: string; mediaType: string } | undefined>
  peers(signal: AbortSignal): Promise<PeerView[]>
  members(): Promise<MemberView[]>
  /** Own capability without `peer`. Peer id or organisation. Undefined: nobody of that name was found. */
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
  /** Requests that wait for this caller's approval. */
  approvals(caller: Caller): Promise<ApprovalView[]>
  approve(request: string, caller: Caller): Promise<ApprovalView>
  /** Refuses what waits, or takes an approval back. */
  refuseApproval(request: string, reason: string, caller: Caller): Promise<ApprovalView>
}
