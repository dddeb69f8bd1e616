/**
 * Requests that somebody of this organisation has to approve, because the agreement they would run under says so: who was
 * asked what, who said what. An approval covers the digest of one request; policy asks for it at every question.
 */
export { Approvals, type ApprovalsComponents, MAX_PENDING } from './approvals.ts'
export { ApprovalNotFound, ApprovalOver, NotAnApprover } from './errors.ts'
