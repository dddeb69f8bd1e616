/**
 * The documents agents exchange: schemas, canonical bytes, ids, detached signatures and salted sections. Schemas live here
 * alone; a change needs a new version and a test vector.
 */
export * from './agreement.ts'
export * from './capability.ts'
export * from './checkpoint.ts'
export * from './codec.ts'
export * from './codes.ts'
export * from './ending.ts'
export * as fields from './fields.ts'
export { type AnyOrNames, anyOrNames, type LogPosition, logPosition, type User, user } from './fields.ts'
export * from './membership.ts'
export * from './negotiation.ts'
export { DOCUMENTS, type DocumentType, type Payload } from './payloads.ts'
export * from './questions.ts'
export * from './release.ts'
export * from './salted.ts'
export * from './sealed.ts'
export * from './signed.ts'
