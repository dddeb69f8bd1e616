import { combineTerms } from '../../policy/index.ts'
import type { ResultTerms } from '../../protocol/documents/index.ts'
import type { TermsView } from '../api/index.ts'
import type { HeldContract } from '../negotiation/index.ts'

/** The terms that travel with a result: those of its contract, and of each data provider's own acceptance where narrower. */
export function resultTermsIn({ contract, acceptances }: HeldContract): ResultTerms {
  const signed = [...acceptances.values()].flatMap(({ payload }) => payload.resultTerms ?? [])
  return combineTerms([contract.payload.terms, ...signed])
}

export function viewTerms({ until, ...terms }: ResultTerms): TermsView {
  return { ...terms, until: until === null ? null : new Date(until).toISOString() }
}
