import type { ResultTerms } from '../../protocol/documents/index.ts'

/** A use of a result. */
export interface Use {
  /** Organisations that would have it. */
  recipients: readonly string[]
  purpose: string
  /** Every service of the chain that made it. */
  services: readonly string[]
  /** Instant in milliseconds. */
  now: number
  /** Rows it has; null before they are known. */
  rows?: number | null
}

export type BrokenTerm = 'recipients' | 'purposes' | 'until' | 'services' | 'forbid' | 'maxRows'

/** The terms that a use breaks; empty when it is within them. `until` is exclusive. */
export function withinTerms(terms: ResultTerms, use: Use): BrokenTerm[] {
  const broken: BrokenTerm[] = []
  const { recipients, purposes } = terms
  if (use.recipients.length === 0) broken.push('recipients')
  else if (recipients !== '*' && !use.recipients.every((name) => recipients.includes(name)))
    broken.push('recipients')
  if (purposes !== '*' && !purposes.includes(use.purpose)) broken.push('purposes')
  if (!Number.isFinite(use.now) || (terms.until !== null && use.now >= terms.until)) broken.push('until')
  if (!terms.services.every((service) => use.services.includes(service))) broken.push('services')
  if (terms.forbid.some((service) => use.services.includes(service))) broken.push('forbid')
  const rows = use.rows ?? null
  if (terms.maxRows !== null && rows !== null && rows > terms.maxRows) broken.push('maxRows')
  return broken
}
