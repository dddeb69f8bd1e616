import type { PolicyEngine } from '../../policy/index.ts'
import type {
  ArchetypeBody,
  Hosting,
  Refusal,
  RefusalCode,
  Resources
} from '../../protocol/documents/index.ts'
import type { Manifests } from '../../services/index.ts'
import type { Agreements } from '../agreements/index.ts'
import type { Approvals } from '../approvals/index.ts'
import type { Datasets } from '../datasets/index.ts'
import type { DecisionPoint } from '../decision-point/index.ts'
import type { Launcher } from '../jobs/index.ts'
import type { Members } from '../membership/index.ts'
import type { Logger, Speaker } from '../negotiation/index.ts'
import type { Store } from '../store/index.ts'
import type { Disclosure } from './disclosure.ts'

export interface DecisionsInit {
  roles: readonly ('dataProvider' | 'computeProvider')[]
  hosting: Hosting
  resources: Resources
  /** Shares that may run here at once; more are answered `busy`. */
  slots: number
  /** Whether results of requests that others made are taken here. */
  consents(request: { organisation: string; purpose: string }): boolean
  /** Milliseconds that an offer stays good. */
  offerLifetime: number
}

export interface DecisionsComponents {
  self: { peer: string; organisation: string }
  engine: PolicyEngine
  point: DecisionPoint
  /** What is to be said with every offer. */
  notes?(): readonly string[]
  agreements: Agreements
  disclosure: Pick<Disclosure, 'deniesTo'>
  approvals: Pick<Approvals, 'of' | 'ask' | 'withdraw'>
  datasets: Datasets
  launcher: Launcher
  manifests: Manifests
  archetypes: ReadonlyMap<string, ArchetypeBody>
  members: Members
  store: Store
  speaker: Speaker
  clock: { now(): number }
  random(bytes: number): Uint8Array
  log: Logger
}

export function refuse(code: RefusalCode, reason: string, position: number | null = null): Refusal {
  return { code, clause: null, reason, acceptable: null, position }
}
