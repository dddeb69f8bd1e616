/** DuckDB as the jobs use it: settings that hold it inside its folder, and its errors as ours. Runs inside a job only. */

export type { EngineSettings } from './engine.ts'
export { Engine } from './engine.ts'
export type { EngineError } from './engine-error.ts'
export { engineError, resourceFailure } from './engine-error.ts'
