import type { Terms } from '../../protocol/documents/index.ts'
import type { DatasetConfig } from '../config/index.ts'

/**
 * What `anonymize` does to a dataset: what the agreement orders; where it orders nothing and the asker wants it, the
 * subjects of the tables become pseudonyms. Pseudonyms are per dataset.
 */
export function anonymizeParameters(terms: Terms, dataset: DatasetConfig): Record<string, unknown> {
  const { anonymize } = terms
  if (anonymize !== undefined) {
    const { pseudonymise, generalise, suppress } = anonymize
    return { pseudonymise, generalise, suppress, domain: dataset.id }
  }
  const subjects = dataset.tables.flatMap((table) => table.subject ?? [])
  return { pseudonymise: [...new Set(subjects)], domain: dataset.id }
}
