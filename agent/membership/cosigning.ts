import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { addSignature, type DocumentType, type Signed } from '../../protocol/documents/index.ts'
import { type Marketplace, united } from './authority.ts'
import { NotToBeSigned } from './errors.ts'

/** What is to be signed before a state of the marketplace holds. */
export interface Missing {
  /** Documents that too few authorities signed. */
  readonly documents: readonly Signed<DocumentType>[]
  /** The most signatures that any of them lacks. */
  readonly signatures: number
  /** Authorities that could give them. */
  readonly from: readonly string[]
}

function documentsOf({ charter, status, memberships }: Marketplace): Signed<DocumentType>[] {
  return [charter, status, ...memberships]
}

export function missingIn(marketplace: Marketplace): Missing {
  const { authorities, threshold } = marketplace.charter.payload
  const lacking = documentsOf(marketplace).filter(({ signers }) => signers.length < threshold)
  return {
    documents: lacking,
    signatures: Math.max(0, ...lacking.map(({ signers }) => threshold - signers.length)),
    from: authorities.filter((one) => lacking.some(({ signers }) => !signers.includes(one)))
  }
}

/**
 * What the holder of an authority key is about to agree to, put together with what it knows itself.
 *
 * @param own what this holder believed so far; undefined for one that has just been made an authority
 * @param signed ids of status lists that its key signed, by number
 * @throws {NotToBeSigned} when it was made from an older state, or its number has another list already
 */
export function agreeable(
  own: Marketplace | undefined,
  proposed: Marketplace,
  signed: ReadonlyMap<number, string>
): Marketplace {
  const { id, payload } = proposed.status
  if (own !== undefined) {
    if (own.charter.id !== proposed.charter.id)
      throw new NotToBeSigned(
        `expected a proposal for marketplace ${own.charter.id}, found one for ${proposed.charter.id}`
      )
    const before = own.status
    if (payload.number < before.payload.number)
      throw new NotToBeSigned(
        `expected status list ${before.payload.number} or a later one, found ${payload.number}; have the proposal made again from the newest state`
      )
    if (payload.number === before.payload.number && id !== before.id)
      throw new NotToBeSigned(
        `expected status list ${payload.number} as it is in force, found another; have the proposal made again from the newest state`
      )
    const dropped = before.payload.expelled.find(
      (one) => !payload.expelled.some((kept) => kept.peer === one.peer)
    )
    if (dropped !== undefined)
      throw new NotToBeSigned(
        `expected every key that list ${before.payload.number} expels, found ${dropped.peer} left out`
      )
  }
  const other = signed.get(payload.number)
  if (other !== undefined && other !== id)
    throw new NotToBeSigned(
      `expected no second status list ${payload.number}, found one beside ${other}, which this key signed; have it made again under a higher number`
    )
  return own === undefined ? proposed : united(proposed, own)
}

/** Signs every document that lacks signatures. */
export async function cosign(marketplace: Marketplace, key: PrivateKey): Promise<Marketplace> {
  const { authorities } = marketplace.charter.payload
  const signer = peerIdFromPrivateKey(key).toString()
  if (!authorities.includes(signer))
    throw new NotToBeSigned(
      `expected the key of an authority (${authorities.join(', ')}), found that of ${signer}`
    )
  const { threshold } = marketplace.charter.payload
  const sign = async <T extends DocumentType>(document: Signed<T>): Promise<Signed<T>> =>
    document.signers.length < threshold ? await addSignature(document, key) : document
  return {
    ...marketplace,
    charter: await sign(marketplace.charter),
    status: await sign(marketplace.status),
    memberships: await Promise.all(marketplace.memberships.map(sign))
  }
}
