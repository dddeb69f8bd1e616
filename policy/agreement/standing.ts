import type { Terms } from '../../protocol/documents/index.ts'
import { instantText } from '../../protocol/errors/index.ts'
import { describeAgreement } from './describe.ts'
import type { Agreed, AgreementDraft } from './draft.ts'
import { listInWords } from './list-in-words.ts'
import { formatInstant } from './quantities.ts'
import { formOfAgreement, writeForm } from './write.ts'

/** What a standing offer says: terms without consumers, and who may become one. */
export interface Offered extends Agreed {
  takers: '*' | readonly string[]
  max: number
  /** After that nobody takes it any more; agreements that came of it go on. */
  expires: number
}

/**
 * The name of the agreement that comes of it when an organisation takes it: another one for each, so that none replaces that
 * of somebody else.
 *
 * @param digest short and different for different organisations, for those whose name cannot be part of one
 */
export function takenName(offer: string, taker: string, digest: string): string {
  return /^[A-Za-z0-9_-]{1,64}$/.test(taker) ? `${offer}.${taker}` : `${offer}..${digest}`
}

/** The terms that a taker signs: those offered, with its organisation as the consumer. */
export function takenTerms(offered: Terms, taker: string): Terms {
  return { ...offered, consumers: [{ organisation: taker }] }
}

export function mayTake({ takers, provider }: Offered, organisation: string): boolean {
  return organisation !== provider && (takers === '*' || takers.includes(organisation))
}

/** In plain language, from the same terms that are taken. */
export function describeOffer(offered: Omit<Offered, 'expires'> & { expires: number | undefined }): string[] {
  const { takers, max, expires, terms } = offered
  const who = takers === '*' ? 'any member' : listInWords(takers, 'nobody')
  const until = expires === undefined ? '' : `, before ${formatInstant(expires)}`
  return [
    `A standing offer: ${who} may take it, ${max} at most${until}.`,
    ...describeAgreement({ ...offered, terms: takenTerms(terms, 'the organisation that takes it') })
  ]
}

/** A draft in plain language, whether it is an offer or not. */
export function describeDraft(draft: AgreementDraft): string[] {
  const { standing, terms } = draft
  if (standing === undefined) return describeAgreement(draft)
  const ends = [standing.until, terms.valid.until].filter((at) => at !== undefined)
  return describeOffer({ ...draft, ...standing, expires: ends.length === 0 ? undefined : Math.min(...ends) })
}

/** As the file that `parseAgreement` reads. */
export function writeOffer(offered: Offered): string {
  const { consumers: _none, agreement, provider, dataset, ...clauses } = formOfAgreement(offered)
  const { takers, max, expires } = offered
  const standing = { takers, max, until: instantText(expires) }
  return writeForm({ agreement, provider, dataset, standing, ...clauses })
}
