import type { Coordinator } from '../../protocol/negotiation/index.ts'
import type { RequestStatus } from '../api/index.ts'
import type { Composition, HopRefusal } from '../composition/index.ts'
import type { StoredResult } from '../exchange/index.ts'
import type { Dossier } from '../negotiation/index.ts'
import { Pace } from './pace.ts'
import type { Prepared } from './prepare.ts'

/** Instants of one request, milliseconds on this agent's clock. */
export interface Milestones {
  submitted: number
  discovered: number | null
  offered: number | null
  composed: number | null
  started: number | null
  ended: number | null
}

/** One request of this agent's own people, while it is worked on. */
export interface RequestRecord {
  id: string
  user: string
  submittedAt: string
  dossier: Dossier
  prepared: Prepared | null
  coordinator: Coordinator | null
  /** Only asked and composed, nothing run. */
  dryRun: boolean
  composition: Composition | null
  refusals: HopRefusal[]
  /** Hops that could not be asked: peer to what was said. */
  unanswered: Map<string, { code: string; reason: string }>
  results: StoredResult[] | null
  milestones: Milestones
  pace: Pace
  status: RequestStatus
}

/** A request of which nothing is known yet but who asked what, and when: milliseconds. */
export function newRecord(
  asked: Pick<RequestRecord, 'id' | 'user' | 'dossier' | 'status'> & { submittedAt: number }
): RequestRecord {
  return {
    ...asked,
    submittedAt: new Date(asked.submittedAt).toISOString(),
    prepared: null,
    coordinator: null,
    dryRun: false,
    composition: null,
    refusals: [],
    unanswered: new Map(),
    results: null,
    pace: new Pace(),
    milestones: {
      submitted: asked.submittedAt,
      discovered: null,
      offered: null,
      composed: null,
      started: null,
      ended: null
    }
  }
}
