/** Requests of this agent's own people, from submission to result. */
export type { Finder } from './prepare.ts'
export { Requests, type RequestsComponents, SubmissionRefused } from './requests.ts'
export { ResultFiles } from './results.ts'
