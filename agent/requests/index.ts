/** Requests of this agent's own people, from submission to result. */

export type { RequestsComponents } from './components.ts'
export { Exports, ResultNotWritten } from './export.ts'
export type { Finder } from './holders.ts'
export { ResultReader } from './reader.ts'
export { Requests, SubmissionRefused } from './requests.ts'
export { ResultFiles } from './results.ts'
export { suppressedIn } from './suppressed.ts'
