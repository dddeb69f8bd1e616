import { isDeepStrictEqual } from 'node:util'
import type { ResultTerms } from '../../protocol/documents/index.ts'
import { combineTerms } from './combine.ts'
import { type BrokenTerm, type Use, withinTerms } from './within.ts'

/** A party's acceptance of a contract, as far as it is about the result. */
export interface AcceptedTerms {
  party: string
  isProvider: boolean
  /** Null where it says none; undefined where there is no acceptance. */
  terms: ResultTerms | null | undefined
}

export type TermsProblem =
  /** A data provider that accepts without terms, or another party with some. */
  | { party: string; problem: 'absent' | 'unasked' }
  /** Its terms do not permit what the contract is for. */
  | { party: string; problem: 'use'; broken: BrokenTerm[] }
  /** The contract's terms permit something that its own do not. */
  | { party: string; problem: 'narrower' }

/**
 * What keeps a contract from starting on the terms under which its parties accepted: each data provider's have to permit the
 * use, and be no narrower than the contract's. Wider ones do no harm: what holds of the result is the combination of all. Null
 * when they are.
 */
export function acceptedTermsProblem(
  contract: ResultTerms,
  accepted: readonly AcceptedTerms[],
  use: Use
): TermsProblem | null {
  for (const { party, isProvider, terms } of accepted) {
    if (!isProvider) {
      if (terms != null) return { party, problem: 'unasked' }
      continue
    }
    if (terms == null) return { party, problem: 'absent' }
    const broken = withinTerms(terms, use)
    if (broken.length > 0) return { party, problem: 'use', broken }
    if (!isDeepStrictEqual(combineTerms([contract, terms]), combineTerms([contract])))
      return { party, problem: 'narrower' }
  }
  return null
}
