/** Reads an owner's own file as it is found in the wild, and says as SQL how to read it. Never used with an analyst's text. */

export type { EngineReader, OpenSource } from './open.ts'
export { openSource } from './open.ts'
export { describeCsvProblem } from './ragged.ts'
export { tall } from './tall.ts'
