import type { Terms } from '../../protocol/documents/index.ts'

/**
 * Services that must be in the chain. Parameters for `anonymize` mean that it happens: a clause that says what to
 * anonymise is an order, not a wish.
 */
export function requiredServices(terms: Terms): string[] {
  const { anonymize, services } = terms
  const asked =
    anonymize !== undefined &&
    (anonymize.pseudonymise.length > 0 ||
      anonymize.suppress.length > 0 ||
      Object.keys(anonymize.generalise).length > 0 ||
      (anonymize.k ?? 0) > 1)
  return [...new Set([...services.require, ...(asked ? ['anonymize'] : [])])].sort()
}
