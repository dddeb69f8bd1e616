import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { concat } from 'uint8arrays'
import { DynamosError } from '../errors/index.ts'

export class CannotOpen extends DynamosError {
  static override readonly name = 'CannotOpen'
  constructor(message: string) {
    super('malformed-document', message)
  }
}

const NONCE = new Uint8Array(12)
const KEY_BYTES = 32
const TAG_BYTES = 16

function sealingKey(shared: Uint8Array, ephemeral: Uint8Array, recipient: Uint8Array): Uint8Array {
  return new Uint8Array(
    hkdfSync('sha256', shared, concat([ephemeral, recipient]), 'dynamos/sealed/1', KEY_BYTES)
  )
}

function edwardsKeyOf(peer: string): Uint8Array {
  const publicKey = peerIdFromString(peer).publicKey
  if (publicKey?.type !== 'Ed25519') throw new CannotOpen(`expected an Ed25519 peer id, found ${peer}`)
  return publicKey.raw
}

/**
 * Seals bytes to the holder of a peer id: ephemeral X25519, HKDF-SHA256, ChaCha20-Poly1305 (as in RFC 9180 base mode; the
 * Ed25519 identity is used in its Montgomery form, RFC 7748 §4.1).
 */
export function sealTo(peer: string, message: Uint8Array): Uint8Array {
  const recipient = ed25519.utils.toMontgomery(edwardsKeyOf(peer))
  const secret = randomBytes(KEY_BYTES)
  const ephemeral = x25519.getPublicKey(secret)
  const cipher = createCipheriv(
    'chacha20-poly1305',
    sealingKey(x25519.getSharedSecret(secret, recipient), ephemeral, recipient),
    NONCE,
    {
      authTagLength: TAG_BYTES
    }
  )
  return concat([ephemeral, cipher.update(message), cipher.final(), cipher.getAuthTag()])
}

/** @throws {CannotOpen} when it was sealed to another key, or altered */
export function openSealed(key: PrivateKey, sealed: Uint8Array): Uint8Array {
  if (key.type !== 'Ed25519' || sealed.byteLength < KEY_BYTES + TAG_BYTES)
    throw new CannotOpen('expected bytes sealed to an Ed25519 key')
  const seed = key.raw.subarray(0, KEY_BYTES)
  const recipient = ed25519.utils.toMontgomery(key.publicKey.raw)
  const ephemeral = sealed.subarray(0, KEY_BYTES)
  try {
    const shared = x25519.getSharedSecret(ed25519.utils.toMontgomerySecret(seed), ephemeral)
    const decipher = createDecipheriv('chacha20-poly1305', sealingKey(shared, ephemeral, recipient), NONCE, {
      authTagLength: TAG_BYTES
    })
    decipher.setAuthTag(sealed.subarray(sealed.byteLength - TAG_BYTES))
    return concat([
      decipher.update(sealed.subarray(KEY_BYTES, sealed.byteLength - TAG_BYTES)),
      decipher.final()
    ])
  } catch {
    throw new CannotOpen('the bytes were sealed to another key, or altered')
  }
}
