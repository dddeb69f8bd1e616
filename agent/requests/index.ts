/** Requests of this agent's own people, from submission to result. */

export type { RequestsComponents } from './components.ts'
export type { Finder } from './holders.ts'
export { Requests, SubmissionRefused } from './requests.ts'
export { ResultFiles } from './results.ts'
