import { type SigningRule, widerThan } from '../../policy/index.ts'
import type { Agreement } from './shelf.ts'

export type { SigningRule } from '../../policy/index.ts'

/**
 * Whether a rule of this organisation lets its agent sign what another proposed: it grants nothing beyond the rule, and
 * replaces nothing that others rely on.
 */
export function permittedByRule(
  rules: readonly SigningRule[],
  { payload }: Agreement,
  init: { own: string; proposedBy: string; current: Agreement | undefined }
): boolean {
  const { own, proposedBy, current } = init
  // By another's proposal of the same name, a third party would lose what it has signed.
  if (current !== undefined && current.payload.parties.join('\n') !== payload.parties.join('\n')) return false
  if (payload.provider !== own && payload.provider !== proposedBy) return false
  return rules.some(
    (rule) =>
      rule.from === proposedBy &&
      (rule.dataset === '*' || rule.dataset === payload.dataset) &&
      widerThan(rule.terms, payload.terms, { consumers: payload.provider === own }).length === 0
  )
}
