import type { AgreementDraft, Finding } from '../../policy/index.ts'
import type { Dataset } from '../datasets/index.ts'
import { checkAnonymised } from './anonymised.ts'
import { checkProtected } from './protected.ts'

/**
 * What a provider's own dataset has to say to an agreement about it, beyond names.
 *
 * @param found what was found already
 */
export function checkAgainst(draft: AgreementDraft, dataset: Dataset, found: readonly Finding[]): Finding[] {
  return [...checkAnonymised(draft, dataset, found), ...checkProtected(draft, dataset, found)]
}
