import { requiredServices } from '../../policy/index.ts'
import type { Terms } from '../../protocol/documents/index.ts'
import type { DatasetConfig } from '../config/index.ts'

/** A dataset as one agreement shows it. */
export interface ShownDataset {
  terms: Terms
  config: DatasetConfig
}

/**
 * What `anonymize` does to a dataset: what the agreement orders; where it orders nothing and the asker wants it, the
 * subjects of the tables become pseudonyms. Pseudonyms are per dataset.
 */
function anonymizeParameters({ terms, config }: ShownDataset): Record<string, unknown> {
  const { anonymize } = terms
  if (anonymize !== undefined) {
    const { pseudonymise, generalise, suppress } = anonymize
    return { pseudonymise, generalise, suppress, domain: config.id }
  }
  const subjects = config.tables.flatMap((table) => table.subject ?? [])
  return { pseudonymise: [...new Set(subjects)], domain: config.id }
}

/**
 * What the step does to each dataset of a request. One that its own agreement leaves as it is stays so when only another one
 * of the request is to be anonymised; a step that nobody's agreement requires is about all.
 *
 * @param asked whether the asker wants it
 * @returns parameters by dataset; a dataset that is not in it is left as it is
 */
export function anonymizeByDataset(
  shown: readonly ShownDataset[],
  asked: boolean
): Record<string, Record<string, unknown>> {
  const ordered = shown.filter(({ terms }) => requiredServices(terms).includes('anonymize'))
  const meant = asked || ordered.length === 0 ? shown : ordered
  return Object.fromEntries(meant.map((one) => [one.config.id, anonymizeParameters(one)]))
}
