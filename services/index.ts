/**
 * The atomic services of a data exchange, the archetypes that arrange them, and what a job is told and answers. A service is
 * a folder with a manifest; it is found from there. Code of a service runs inside a job only.
 */
export { anonymisedTables } from './anonymize/index.ts'
export { Failure } from './failure/index.ts'
export { specificationProblems } from './graph/index.ts'
export * from './job/index.ts'
export * from './manifests/index.ts'
export { AGGREGATES } from './protect/index.ts'
export { foldName, qualifiedName, sameName } from './sql/index.ts'
