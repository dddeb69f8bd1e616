import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { RecordEnvelope } from '@libp2p/peer-record'
import { encode as varint } from 'uint8-varint'
import { concat, fromString } from 'uint8arrays'

interface Prepared {
  /** Null for other kinds of keys: those sign by themselves. */
  ed25519: KeyObject | null
  peer: string
}

/** The library makes a key of its bytes at each signature, which costs more than the signature. Gone with the key they are of. */
const prepared = new WeakMap<PrivateKey, Prepared>()

const SEED_BYTES = 32

function prepare(key: PrivateKey): Prepared {
  const known = prepared.get(key)
  if (known !== undefined) return known
  const made = {
    ed25519: key.type === 'Ed25519' ? keyObjectOf(key.raw) : null,
    peer: peerIdFromPublicKey(key.publicKey).toString()
  }
  prepared.set(key, made)
  return made
}

/** @param raw the seed, and the public key after it */
function keyObjectOf(raw: Uint8Array): KeyObject {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
  const [d, x] = [text(raw.subarray(0, SEED_BYTES)), text(raw.subarray(SEED_BYTES))]
  return createPrivateKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', d, x } })
}

/** The peer id of a key's owner. */
export function signerOf(key: PrivateKey): string {
  return prepare(key).peer
}

function withLength(bytes: Uint8Array): Uint8Array[] {
  return [varint(bytes.byteLength), bytes]
}

/** A signed envelope around `payload` (libp2p RFC 0002), byte for byte as `RecordEnvelope.seal` makes it. */
export async function sealEnvelope(
  { domain, payloadType, payload }: { domain: string; payloadType: Uint8Array; payload: Uint8Array },
  key: PrivateKey
): Promise<Uint8Array> {
  const signed = concat([fromString(domain), payloadType, payload].flatMap(withLength))
  const { ed25519 } = prepare(key)
  const signature = ed25519 === null ? await key.sign(signed) : new Uint8Array(sign(null, signed, ed25519))
  return new RecordEnvelope({ publicKey: key.publicKey, payloadType, payload, signature }).marshal()
}
