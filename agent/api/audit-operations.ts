import type { AuditAcceptedView, AuditListView, AuditProofView, AuditVerifiedView } from './audit-views.ts'

/** What the agent's own log tells. */
export interface AuditOperations {
  /** The latest first. */
  list(wanted: { request?: string; kind?: string; before?: number; limit: number }): Promise<AuditListView>
  /** An export, piece by piece. @param open numbers of decisions, or all */
  export(request: string, open: 'all' | readonly number[]): AsyncIterable<Uint8Array>
  verify(signal: AbortSignal): Promise<AuditVerifiedView>
  /** Of agents that told two things of one place in their log. */
  proofs(): Promise<AuditProofView[]>
  acceptBreak(reason: string): Promise<AuditAcceptedView>
}
