import type { BeforePart } from '../exchange/index.ts'
import type { Clock } from '../network/index.ts'

/** What a test brings instead of the world. */
export interface AgentSeams {
  clock?: Clock
  beforePart?: BeforePart
  /** Awaited before a release is decided on. */
  beforeRelease?: (contract: string) => Promise<void>
}
