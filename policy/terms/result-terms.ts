import type { ResultTerms, Terms } from '../../protocol/documents/index.ts'
import { protectionOf, REQUESTER, requiredServices } from '../agreement/index.ts'
import { combineTerms } from './combine.ts'

/**
 * What one provider's agreement says about a result made from its data: this travels with the result.
 *
 * @param requester organisation that asks: it is the recipient where the agreement names none
 */
export function resultTermsOf(terms: Terms, requester: string): ResultTerms {
  const { recipients } = terms
  const protection = protectionOf(terms)
  return combineTerms([
    {
      recipients:
        recipients === '*' ? '*' : recipients.map((name) => (name === REQUESTER ? requester : name)),
      purposes: terms.purposes,
      until: terms.valid.until ?? null,
      services: requiredServices(terms),
      forbid: terms.services.forbid,
      maxRows: terms.output.maxRows ?? null,
      ...(protection === null ? {} : { minGroupSize: protection.minGroupSize }),
      ...(terms.releaseAsk === true ? { releaseAsk: true as const } : {}),
      onward: 'none'
    }
  ])
}
