import type { ArchetypeBody } from '../../protocol/documents/index.ts'
import type { Manifests } from '../../services/index.ts'
import type { Clock, Logger } from '../negotiation/index.ts'
import type { Store } from '../store/index.ts'
import type { PrepareComponents } from './prepare.ts'
import type { ResultFiles } from './results.ts'

export interface RequestsComponents extends Omit<PrepareComponents, 'archetypes' | 'algorithms' | 'atData'> {
  store: Store
  manifests: Manifests
  archetypeBodies: ReadonlyMap<string, ArchetypeBody>
  atData: ReadonlySet<string>
  clock: Clock
  log: Logger
  results: ResultFiles
  sandbox: 'bubblewrap' | 'none'
  /** People this agent speaks for; empty: its steward only. */
  users: readonly string[]
}
