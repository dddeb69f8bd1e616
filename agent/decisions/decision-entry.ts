import type { ProviderVerdict, Verdict } from '../../policy/index.ts'
import type { DecisionFields } from '../audit/index.ts'

/** Clauses of one decision that are told to others and kept in the log. */
export const CLAUSES_SHOWN = 64

/** A decision as the log keeps it. */
export function decisionEntry(
  time: number,
  request: string,
  contract: string | null,
  question: DecisionFields['question'],
  verdict: Verdict | ProviderVerdict,
  row?: number
) {
  return {
    time,
    kind: 'decision' as const,
    request,
    ...(contract === null ? {} : { contract }),
    fields: {
      question,
      verdict: verdict.verdict,
      clauses: verdict.clauses.slice(0, CLAUSES_SHOWN),
      policy: verdict.policy,
      ...(verdict.verdict === 'deny' ? { code: verdict.refusal.code } : {}),
      ...(row === undefined ? {} : { row })
    }
  }
}
