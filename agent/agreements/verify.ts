import { agreementParties } from '../../policy/index.ts'
import type { Signed } from '../../protocol/documents/index.ts'
import type { Members } from '../membership/index.ts'
import { AgreementNotSignable } from './errors.ts'

/** Parties whose steward has signed, by the memberships known now. */
export function signedBy(agreement: Signed<'agreement'>, members: Members): string[] {
  return agreement.payload.parties.filter((party) =>
    members.byOrganisation(party)?.stewards.some((steward) => agreement.signers.includes(steward))
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
}

const MAX_SKEW_MS = 120_000

/**
 * One that has begun and not ended. From the future it would keep every later version out.
 *
 * @throws {AgreementNotSignable}
 */
export function assertCurrent({ payload }: Pick<Signed<'agreement'>, 'payload'>, now: number): void {
  const { issuedAt, expires } = payload
  if (issuedAt - now > MAX_SKEW_MS) {
    throw new AgreementNotSignable(
      'clock-skew',
      `the agreement was issued ${issuedAt - now} ms from now; set the clock of whoever made it`
    )
  }
  if (expires <= now)
    throw new AgreementNotSignable('agreement-expired', `the agreement ended ${now - expires} ms ago`)
}
