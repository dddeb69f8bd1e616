import { agreementParties } from '../../policy/index.ts'
import type { Signed } from '../../protocol/documents/index.ts'
import { MAX_CLOCK_SKEW_MS, type Members } from '../membership/index.ts'
import { AgreementNotSignable } from './errors.ts'
import { coveredByOffer, notAsOffered } from './taken.ts'

/**
 * Parties whose steward has signed, by the memberships known now; the provider too where its standing offer was taken.
 *
 * @param heldSince when it came into force here, in milliseconds since 1970; undefined for one that did not
 */
export function signedBy(agreement: Signed<'agreement'>, members: Members, heldSince?: number): string[] {
  const { parties, issuedAt } = agreement.payload
  const when = heldSince === undefined ? { issuedAt } : { issuedAt, heldSince }
  return parties.filter(
    (party) =>
      members.stewardKeys(party, when).some((steward) => agreement.signers.includes(steward)) ||
      (party === agreement.payload.provider && coveredByOffer(agreement, members, heldSince))
  )
}

export function isFullySigned(agreement: Signed<'agreement'>, members: Members): boolean {
  return signedBy(agreement, members).length === agreement.payload.parties.length
}

/**
 * An agreement of this marketplace that names as parties exactly those whose word it needs.
 *
 * @throws {AgreementNotSignable}
 */
export function assertWellFormed(agreement: Signed<'agreement'>, members: Members): void {
  const { marketplace, parties } = agreement.payload
  if (marketplace !== members.marketplace) {
    throw new AgreementNotSignable('agreement-malformed', 'expected an agreement of this marketplace')
  }
  const expected = agreementParties(agreement.payload)
  if (expected.join('\n') !== parties.join('\n')) {
    throw new AgreementNotSignable(
      'agreement-malformed',
      `expected the parties ${expected.join(', ')}, found ${parties.join(', ')}`
    )
  }
  const wrong = notAsOffered(agreement)
  if (wrong !== null)
    throw new AgreementNotSignable('agreement-malformed', `not what the standing offer says: ${wrong}`)
}

/**
 * One from the future would keep every later version out. One that has ended may be taken: by it a steward ends an earlier
 * version of the same name.
 *
 * @throws {AgreementNotSignable}
 */
export function assertIssued(
  { type, payload }: { type: string; payload: { issuedAt: number } },
  now: number
): void {
  const ahead = payload.issuedAt - now
  if (ahead <= MAX_CLOCK_SKEW_MS) return
  throw new AgreementNotSignable(
    'clock-skew',
    `the ${type} was issued ${ahead} ms from now; set the clock of whoever made it`
  )
}
