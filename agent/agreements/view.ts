import { describeAgreement, unenforceableClauses } from '../../policy/index.ts'
import type { AgreementView } from '../api/index.ts'
import type { Agreement } from './shelf.ts'

/** An agreement as people see it: exact terms, and plain words made from the same terms. */
export function viewAgreement(
  agreement: Agreement,
  stored: string,
  signedBy: string[],
  now: number
): AgreementView {
  const { name, provider, dataset, parties, terms } = agreement.payload
  const unenforceable = unenforceableClauses(terms).map((one) => `${one.clause}: ${one.reason}`)
  return {
    id: agreement.id,
    name,
    provider,
    dataset,
    parties,
    signedBy,
    state: stateOf(stored, terms.valid, unenforceable.length > 0, now),
    unenforceable,
    plain: describeAgreement({ name, provider, dataset, terms }),
    terms
  }
}

function stateOf(
  stored: string,
  valid: { from?: number | undefined; until?: number | undefined },
  unenforceable: boolean,
  now: number
): AgreementView['state'] {
  if (stored === 'superseded' || stored === 'revoked') return 'superseded'
  if (stored === 'draft' || stored === 'proposed') return stored
  if (valid.until !== undefined && now >= valid.until) return 'expired'
  if (valid.from !== undefined && now < valid.from) return 'not-yet-valid'
  return unenforceable ? 'not-enforceable' : 'in-force'
}
