import type {
  ArchetypeBody,
  OfferDetails,
  Payload,
  Refusal,
  RefusalCode,
  Resources,
  ResultTerms,
  Signed
} from '../../protocol/documents/index.ts'
import type { Manifests } from '../../services/index.ts'
import type { Chain } from './chain.ts'
import type { Scores } from './score.ts'

/** One hop's answer, opened and verified. */
export interface Answer {
  peer: string
  organisation: string
  offer: Signed<'offer'>
  details: OfferDetails | null
}

export interface Preferences {
  require: 'all' | 'available' | number
  optimise: Scores
  /** Milliseconds, and millionths of the currency. */
  within: { time?: number; cost?: number }
}

export interface CompositionInput {
  request: Payload<'request'>
  answers: readonly Answer[]
  /** Hops that gave no answer, with what is known of why. */
  silent: readonly { peer: string; organisation: string; refusal: Refusal }[]
  /** Peers that may not be in the chain any more, with the code of what happened. */
  without: ReadonlyMap<string, string>
  /** The requester's agent's idea of the recipient. */
  recipient: { peer: string; organisation: string }
  archetypes: ReadonlyMap<string, ArchetypeBody>
  manifests: Manifests
  /** Declared by each agent's capability. */
  resources: ReadonlyMap<string, { organisation: string; resources: Resources; load: number }>
  preferences: Preferences
}

export interface Plan {
  row: number
  archetype: ArchetypeBody
  chain: Chain
  data: Answer[]
  infrastructure: Answer | null
  /** Who runs again what the infrastructure runs; null: nobody. */
  verifier: Answer | null
  recipient: { peer: string; organisation: string; answer: Answer | null }
  terms: ResultTerms
  /** One result over all providers' rows. */
  union: boolean
  merge: boolean
}

/** What one hop said about one row, or why it said nothing. */
export type HopAnswer = { hop: string; question: HopRefusal['question'] } & (
  | { verdict: 'permit'; clauses: readonly string[] }
  | { verdict: 'deny'; refusal: Refusal }
  | { verdict: 'none'; code: string; reason: string }
)

export interface Candidate {
  row: number
  archetype: string
  infrastructure: string | null
  scores: Scores | null
  total: number | null
  chosen: boolean
  why: string
  /** Of each hop that the row needs: the data providers, the compute provider, the recipient. */
  answers: HopAnswer[]
}

export interface HopRefusal {
  hop: string
  question: 'discover' | 'offer' | 'host' | 'accept'
  refusal: Refusal
}

export interface Composition {
  plan: Plan | null
  candidates: Candidate[]
  refusals: HopRefusal[]
  /** Organisations that were asked for data and are not in the chosen chain. */
  missing: string[]
  notes: string[]
  /** Milliseconds that the plan may take, by what its hops estimated; null without a plan. */
  expected: number | null
}

/** Why a row cannot be taken; with a code when it is the asker's side that found it out. */
export interface Infeasible {
  why: string
  code?: RefusalCode
  hop?: string
}

/** A row that every needed hop permits, with what it would take. */
export interface Feasible {
  plan: Plan
  measures: Scores
}

/** The organisation of a hop, by whatever is known of it. */
export function organisationOf(
  input: Pick<CompositionInput, 'answers' | 'silent' | 'resources'>,
  peer: string
): string {
  return (
    input.answers.find((one) => one.peer === peer)?.organisation ??
    input.silent.find((one) => one.peer === peer)?.organisation ??
    input.resources.get(peer)?.organisation ??
    peer
  )
}
