import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { RecordEnvelope } from '@libp2p/peer-record'
import { equals, fromString } from 'uint8arrays'
import { z } from 'zod'
import { DynamosError } from '../errors/index.ts'
import { decodePlain, encodePlain, idOf, MAX_DOCUMENT_BYTES } from './codec.ts'
import { bytes } from './fields.ts'
import { type DocumentType, type Payload, schemaOf } from './payloads.ts'

export class BadSignature extends DynamosError {
  static override readonly name = 'BadSignature'
  constructor(message: string, options?: ErrorOptions) {
    super('bad-signature', message, options)
  }
}

/** How a signed document travels: the payload's own bytes, which the id covers, and detached envelopes over the id. */
export const signedBytes = z.strictObject({
  payload: bytes,
  signatures: z.array(bytes).min(1).max(32)
})
export type SignedBytes = z.infer<typeof signedBytes>

declare const verified: unique symbol
/** A document whose payload matched its schema and whose every signature is good. Only {@link openDocument} and {@link signDocument} make one. */
export interface Signed<T extends DocumentType> {
  readonly [verified]: true
  readonly id: string
  readonly type: T
  readonly payload: Payload<T>
  /** Peer ids of the keys whose signatures stand under it; who they speak for is the membership's business. */
  readonly signers: readonly string[]
  readonly bytes: SignedBytes
  /** Of an agreement that came of one: the standing offer inside it, opened. */
  readonly standing?: Signed<'standing-offer'>
}

function domainOf(type: DocumentType, version: number): string {
  return `dynamos/${type}/${version}`
}

/** Documents that several sign: authorities, or the parties of an agreement. */
const MANY_SIGNERS: readonly DocumentType[] = [
  'charter',
  'membership',
  'status',
  'agreement',
  'standing-offer'
]

const PAYLOAD_TYPE = fromString('/dynamos/document-id/1')

async function seal(id: string, type: DocumentType, version: number, key: PrivateKey): Promise<Uint8Array> {
  const domain = domainOf(type, version)
  const record = { domain, codec: PAYLOAD_TYPE, marshal: () => fromString(id), equals: () => false }
  return (await RecordEnvelope.seal(record, key)).marshal()
}

const withOffer = z.looseObject({ standing: signedBytes })

/** What an agreement carries is checked like the agreement itself. */
async function carriedBy(
  type: DocumentType,
  payload: unknown
): Promise<{ standing?: Signed<'standing-offer'> }> {
  if (type !== 'agreement') return {}
  const carried = withOffer.safeParse(payload)
  return carried.success ? { standing: await openDocument('standing-offer', carried.data.standing) } : {}
}

function make<T extends DocumentType>(fields: Omit<Signed<T>, typeof verified>): Signed<T> {
  return fields as Signed<T>
}

/**
 * Signs a payload with a detached envelope over its id (libp2p RFC 0002, domain `dynamos/<type>/<version>`).
 *
 * @param payload checked against its schema first
 */
export async function signDocument<T extends DocumentType>(
  type: T,
  payload: Payload<T>,
  key: PrivateKey
): Promise<Signed<T>> {
  return await signFields(type, payload, key)
}

/**
 * As {@link signDocument}, for a payload put together from parts whose type the compiler cannot follow; the schema decides.
 *
 * @throws {MalformedDocument}
 */
export async function signFields<T extends DocumentType>(
  type: T,
  fields: unknown,
  key: PrivateKey
): Promise<Signed<T>> {
  const bytes = encodePlain(fields)
  const payload = decodePlain(bytes, schemaOf(type))
  const id = await idOf(bytes)
  const signature = await seal(id, type, payload.version, key)
  return make<T>({
    id,
    type,
    payload,
    signers: [peerIdFromPublicKey(key.publicKey).toString()],
    bytes: { payload: bytes, signatures: [signature] },
    ...(await carriedBy(type, payload))
  })
}

/** The same document with one more signature under it; signing twice with one key changes nothing. */
export async function addSignature<T extends DocumentType>(
  document: Signed<T>,
  key: PrivateKey
): Promise<Signed<T>> {
  const signer = peerIdFromPublicKey(key.publicKey).toString()
  if (document.signers.includes(signer)) return document
  const signature = await seal(document.id, document.type, document.payload.version, key)
  return make<T>({
    ...document,
    signers: [...document.signers, signer],
    bytes: { payload: document.bytes.payload, signatures: [...document.bytes.signatures, signature] }
  })
}

/**
 * Opens a document from a peer, a file or the store: size, schema, id and every signature. Whether the signers may say
 * what it says, and whether it has expired, is for the caller (`verifySigner`, `assertCurrent`).
 *
 * @throws {MalformedDocument} or {BadSignature}
 */
export async function openDocument<T extends DocumentType>(type: T, wire: SignedBytes): Promise<Signed<T>> {
  const payload = decodePlain(wire.payload, schemaOf(type))
  const id = await idOf(wire.payload)
  // Each costs a verification: who sends one document with many signatures makes us work for nothing.
  if (wire.signatures.length > 1 && !MANY_SIGNERS.includes(type))
    throw new BadSignature(`${type}: expected one signature, found ${wire.signatures.length}`)
  const signers: string[] = []
  for (const signature of wire.signatures) {
    let envelope: RecordEnvelope
    try {
      envelope = await RecordEnvelope.openAndCertify(signature, domainOf(type, payload.version))
    } catch (cause) {
      throw new BadSignature(`${type}: a signature does not verify`, { cause })
    }
    if (!equals(envelope.payloadType, PAYLOAD_TYPE) || !equals(envelope.payload, fromString(id))) {
      throw new BadSignature(`${type}: a signature stands under another document than ${id}`)
    }
    // The reader of envelopes passes over what it does not know, which no signature covers: one signature could have many forms.
    if (envelope.publicKey.type !== 'Ed25519' || !equals(envelope.marshal(), signature))
      throw new BadSignature(`${type}: expected the canonical envelope of a signature by an Ed25519 key`)
    const signer = peerIdFromPublicKey(envelope.publicKey).toString()
    if (signers.includes(signer)) throw new BadSignature(`${type}: ${signer} has signed twice`)
    signers.push(signer)
  }
  return make<T>({ id, type, payload, signers, bytes: wire, ...(await carriedBy(type, payload)) })
}

/** One byte string per signed document, for files and the store. */
export function encodeSigned(document: { bytes: SignedBytes }): Uint8Array {
  return encodePlain(document.bytes)
}

/** @throws {MalformedDocument} or {BadSignature} */
export async function decodeSigned<T extends DocumentType>(type: T, bytes: Uint8Array): Promise<Signed<T>> {
  return await openDocument(type, decodePlain(bytes, signedBytes, MAX_DOCUMENT_BYTES + 8192))
}

/** @throws {BadSignature} when `signer` has not signed */
export function assertSignedBy(document: { type: string; signers: readonly string[] }, signer: string): void {
  if (!document.signers.includes(signer)) {
    throw new BadSignature(
      `${document.type}: expected a signature of ${signer}, found ${document.signers.join(', ')}`
    )
  }
}
