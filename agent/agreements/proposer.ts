import type { Members } from '../membership/index.ts'
import type { Agreement } from './agreement.ts'
import { AgreementNotSignable } from './errors.ts'
import { takerOf } from './taken.ts'
import { signedBy } from './verify.ts'

/**
 * Who made an agreement: the organisation of the agent that issued and signed it, else the first party whose steward signed.
 * Nobody else's signature may stand under it: each costs work and means nothing.
 *
 * @throws {AgreementNotSignable} for one that no party made, or that strangers signed
 */
export function proposerOf(agreement: Agreement, members: Members): string {
  const { payload, signers } = agreement
  const { issuer, parties, provider } = payload
  const stewards = parties.flatMap((party) => members.byOrganisation(party)?.stewards ?? [])
  const counts = agreement.standing?.payload.issuer
  const stranger = signers.find(
    (signer) => signer !== issuer && signer !== counts && !stewards.includes(signer)
  )
  if (stranger !== undefined)
    throw new AgreementNotSignable(
      'bad-signature',
      `expected signatures of stewards of ${parties.join(', ')} and of the agent that made it, found one of ${stranger}`
    )
  const maker = signers.includes(issuer) ? members.organisationOf(issuer) : undefined
  if (maker !== undefined && parties.includes(maker)) return maker
  const signed = signedBy(agreement, members)
  // Whose agent only counted who took its offer has not made the agreement.
  const taker = agreement.standing === undefined ? undefined : takerOf(agreement)
  if (taker !== undefined && signed.includes(taker)) return taker
  const first = signed.includes(provider) ? provider : signed[0]
  if (first !== undefined) return first
  throw new AgreementNotSignable(
    'bad-signature',
    `expected the signature of an agent or a steward of ${parties.join(', ')}`
  )
}
