/**
 * The HTTP interface of an agent for its own organisation: bearer tokens, JSON in and out, problem+json for what goes wrong,
 * server-sent events for progress. It decides nothing; {@link Operations} does.
 */
export { MEDIA_TYPES } from './accept.ts'
export type { AuditOperations } from './audit-operations.ts'
export * from './audit-views.ts'
export type { TokenVerifier } from './bearer.ts'
export type { Caller } from './caller.ts'
export { type ContractView, contractView } from './contract-view.ts'
export { type ApiInit, createApi } from './create-api.ts'
export { isLoopback } from './host-guard.ts'
export { listen } from './listen.ts'
export {
  type MarketplaceView,
  marketplaceView,
  type TakenDocuments,
  takenDocuments
} from './marketplace-view.ts'
export type { Operations, ResultBody, ResultFormat, ResultPage } from './operations.ts'
export type { PolicyDraft, PolicyOperations, RuleText } from './policy-operations.ts'
export * from './policy-views.ts'
export { ApiProblem, conflict, notFound } from './problem.ts'
export type { Role, Roles } from './roles.ts'
export type { StandingOperations } from './standing-operations.ts'
export * from './standing-view.ts'
export * from './views.ts'
