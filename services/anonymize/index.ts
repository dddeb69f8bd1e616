/**
 * Makes tables less identifying. It acts on a provider's tables before the analyst's SQL reads them: applied to the result
 * instead, `SELECT Unieknr AS id` or a predicate on an exact birthday would get round it.
 */

export type { AnonymizeParameters } from './parameters.ts'
export { parseAnonymize } from './parameters.ts'
export { anonymisedTables, type Counting, planAnonymize, planShared, pseudonymKeys } from './plan.ts'
