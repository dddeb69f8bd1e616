import { combineTerms, type Denial, type Permission, type ProviderVerdict } from '../../policy/index.ts'
import type { ResultTerms } from '../../protocol/documents/index.ts'

/** All agreements that a request needs at a provider permit it: one about each dataset. */
export interface WholePermission extends Permission {
  requiredServices: string[]
  terms: ResultTerms
}

export type WholeVerdict = WholePermission | Denial

/**
 * What the agreements about several datasets say together: each must permit the request whole, the services that any
 * requires are required, and the terms of the result are those that all allow. The first that denies speaks for all.
 */
export function together(verdicts: readonly ProviderVerdict[]): WholeVerdict {
  const permitted = verdicts.flatMap((one) => (one.verdict === 'permit' ? [one] : []))
  const denial = verdicts.find((one) => one.verdict === 'deny')
  if (denial !== undefined) return denial
  return {
    verdict: 'permit',
    clauses: [...new Set(permitted.flatMap((one) => one.clauses))],
    requiredServices: [...new Set(permitted.flatMap((one) => one.requiredServices))].sort(),
    terms: combineTerms(permitted.map((one) => one.terms)),
    policy: permitted[0]?.policy ?? ''
  }
}
