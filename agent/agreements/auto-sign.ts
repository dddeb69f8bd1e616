import { type SigningRule, widerThan } from '../../policy/index.ts'
import type { Agreement } from './agreement.ts'

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
  const { provider, dataset, terms } = payload
  if (current !== undefined) {
    // By another's proposal of the same name, a third party would lose what it has signed …
    if (current.payload.parties.join('\n') !== payload.parties.join('\n')) return false
    // … and who may ask would lose what it has, without the notice that was agreed.
    if (provider !== own && widerThan(terms, current.payload.terms, { consumers: true }).length > 0)
      return false
  }
  if (provider !== own && provider !== proposedBy) return false
  return rules.some(
    (rule) =>
      rule.from === proposedBy &&
      (rule.dataset === '*' || rule.dataset === dataset) &&
      widerThan(rule.terms, terms, { consumers: provider === own }).length === 0
  )
}
