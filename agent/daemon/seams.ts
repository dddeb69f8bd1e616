import type { BeforePart } from '../exchange/index.ts'
import type { Launcher } from '../jobs/index.ts'
import type { Clock } from '../network/index.ts'
import type { ReleaseAnswers } from './releases.ts'

/** What a test brings instead of the world. */
export interface AgentSeams {
  clock?: Clock
  beforePart?: BeforePart
  /** Awaited before a release is decided on. */
  beforeRelease?: (contract: string) => Promise<void>
  /** Stands before this agent's jobs, so that a test can have them give something else. */
  jobs?: (honest: Launcher) => Launcher
  /** Stands before what this agent answers about releases, so that a test can have it lie. */
  releaseAnswers?: (honest: ReleaseAnswers) => ReleaseAnswers
}
