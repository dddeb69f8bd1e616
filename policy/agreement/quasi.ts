import type { Terms } from '../../protocol/documents/index.ts'

/**
 * Columns by whose combination somebody might be singled out: those the agreement lists, else those it makes coarser, since
 * nobody coarsens a column that tells nothing.
 */
export function quasiIdentifiers(anonymize: NonNullable<Terms['anonymize']>): string[] {
  return anonymize.quasi ?? Object.keys(anonymize.generalise)
}
