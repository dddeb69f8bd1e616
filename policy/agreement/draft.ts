import type { Terms } from '../../protocol/documents/index.ts'
import type { Place } from './source.ts'

/** An agreement before anybody signed it. */
export interface AgreementDraft {
  name: string
  provider: string
  dataset: string
  terms: Terms
  /** Clause (`tables.Personen.where`, `consumers.0`) to the line, from 1, that states it. */
  lines: Readonly<Record<string, number>>
  /** The same, to the column of that line. */
  columns?: Readonly<Record<string, number>>
  /** An offer to members, instead of consumers: who may take it, how many of them, and until when. */
  standing?: { takers: '*' | string[]; max: number; until?: number | undefined }
  /** The bounds of `valid` as they were written: a date says another thing than the instant that it became. */
  written?: { from?: string | undefined; until?: string | undefined }
  /** Where the text of `cedar` begins, when its lines are lines of the file. */
  cedarAt?: Place
}

/** What a draft and a signed agreement have in common. */
export type Agreed = Pick<AgreementDraft, 'name' | 'provider' | 'dataset' | 'terms'>

/**
 * Stands among `recipients` for whichever consumer organisation asks, which is what omitted `recipients` mean. No
 * organisation can have this name.
 */
export const REQUESTER = '@requester'
