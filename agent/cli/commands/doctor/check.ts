import type { HealthView, MarketplaceView } from '../../../api/index.ts'
import type { AgentConfig } from '../../../config/index.ts'
import type { MembershipPackage } from '../../../membership/index.ts'

export type Level = 'ok' | 'warning' | 'error'

/** What a check found. */
export interface Found {
  level: Level
  /** The code that others, or the agent, say about it; its page is `dynamos explain CODE`. */
  code?: string
  message: string
  /** The command, or the act, that mends it. */
  mend?: string
}

/** What could not be had, and why. */
export interface Lacking {
  code: string
  message: string
}

/** What is known of an agent before anything is checked. */
export interface Patient {
  /** Milliseconds since 1970. */
  now: number
  config: AgentConfig | Lacking
  /** The membership file that the configuration names. */
  installed: MembershipPackage | Lacking
  /** What the running agent says of itself. */
  running: { url: string; health: HealthView; marketplace: MarketplaceView } | Lacking
}

export interface Check {
  /** A word or two, before what it found. */
  name: string
  /** Nothing found means that it does not apply, or could not be looked at: another check says why. */
  look(patient: Patient): Promise<Found[]> | Found[]
}

export function isLacking(value: object): value is Lacking {
  return 'code' in value && 'message' in value
}

export function inDays(milliseconds: number): string {
  const days = milliseconds / 86_400_000
  if (days >= 2) return `${Math.floor(days)} days`
  const hours = Math.max(0, Math.floor(milliseconds / 3_600_000))
  return hours === 1 ? '1 hour' : `${hours} hours`
}
