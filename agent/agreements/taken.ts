import { createHash } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'
import { equals } from 'uint8arrays'
import { agreementParties, mayTake, takenName, takenTerms } from '../../policy/index.ts'
import { encodePlain, type Payload, type Signed, signFields } from '../../protocol/documents/index.ts'
import type { Members } from '../membership/index.ts'
import type { Agreement } from './agreement.ts'
import { TEN_YEARS } from './ten-years.ts'

type Offer = Signed<'standing-offer'>

/** All that an agreement says besides when it was made, as it follows from the offer and from who takes it. */
function saysOf({ payload }: Offer, taker: string) {
  const { provider, dataset, pins } = payload
  const terms = takenTerms(payload.terms, taker)
  const digest = createHash('sha256').update(taker).digest('hex').slice(0, 32)
  return {
    name: takenName(payload.name, taker, digest),
    provider,
    dataset,
    parties: agreementParties({ provider, terms }),
    terms,
    pins
  }
}

function expiryOf(terms: Payload<'agreement'>['terms'], issuedAt: number): number {
  return terms.valid.until ?? issuedAt + TEN_YEARS
}

/** The agreement that an organisation signs to take an offer, made by its agent. */
export async function issueTaken(
  offer: Offer,
  init: {
    taker: string
    self: string
    key: PrivateKey
    now: number
    current: (name: string) => Agreement | undefined
  }
): Promise<Agreement> {
  const { taker, self, key, now } = init
  const says = saysOf(offer, taker)
  const supersedes = init.current(says.name)
  const issuedAt = Math.max(now, offer.payload.issuedAt, (supersedes?.payload.issuedAt ?? 0) + 1)
  return await signFields(
    'agreement',
    {
      type: 'agreement',
      version: 1,
      marketplace: offer.payload.marketplace,
      issuer: self,
      issuedAt,
      expires: expiryOf(says.terms, issuedAt),
      ...says,
      standing: offer.bytes,
      ...(supersedes === undefined ? {} : { supersedes: supersedes.id })
    },
    key
  )
}

/** Who takes the offer that an agreement carries: its one consumer organisation. */
export function takerOf({ payload }: Agreement): string | undefined {
  const [consumer, ...others] = payload.terms.consumers
  return consumer !== undefined && others.length === 0 && 'organisation' in consumer
    ? consumer.organisation
    : undefined
}

/** What of an agreement does not follow from the offer that it carries; null when all does, or when it carries none. */
export function notAsOffered(agreement: Agreement): string | null {
  const { standing: offer, payload } = agreement
  if (offer === undefined) return null
  const taker = takerOf(agreement)
  if (taker === undefined) return 'expected one organisation as the consumer'
  if (!mayTake(offer.payload, taker)) return `expected a taker that the offer names, found ${taker}`
  if (payload.marketplace !== offer.payload.marketplace) return 'expected an offer of the same marketplace'
  const { issuedAt, counters } = payload
  if (counters !== undefined) return 'expected no counter: an offer is taken as it is'
  if (issuedAt < offer.payload.issuedAt || issuedAt >= offer.payload.expires)
    return 'expected an agreement made while the offer held'
  const { name, provider, dataset, parties, terms, pins, expires } = payload
  const found = { name, provider, dataset, parties, terms, pins, expires }
  const expected = { ...saysOf(offer, taker), expires: expiryOf(payload.terms, issuedAt) }
  return equals(encodePlain(found), encodePlain(expected)) ? null : 'expected exactly the terms of the offer'
}

/**
 * Whether an agreement stands for the provider's word without its steward's signature: the steward signed the offer that it
 * carries, it says exactly what was offered, and the agent that the offer names has counted it.
 *
 * @param heldSince as in `signedBy`
 */
export function coveredByOffer(agreement: Agreement, members: Members, heldSince?: number): boolean {
  const { standing: offer } = agreement
  if (offer === undefined || notAsOffered(agreement) !== null) return false
  const { issuer } = offer.payload
  if (!agreement.signers.includes(issuer)) return false
  if (
    heldSince === undefined ? members.expulsionOf(issuer) !== undefined : members.distrusts(issuer, heldSince)
  )
    return false
  return offeredBySteward(offer, members, heldSince)
}

/** Whether a steward of the provider signed an offer. */
export function offeredBySteward(offer: Offer, members: Members, heldSince?: number): boolean {
  const { provider, issuedAt } = offer.payload
  const when = heldSince === undefined ? { issuedAt } : { issuedAt, heldSince }
  return members.stewardKeys(provider, when).some((steward) => offer.signers.includes(steward))
}
