import { z } from 'zod'

/** CIDv1 in base32 (dag-cbor or raw, sha2-256). */
export const documentId = z.string().regex(/^baf[yk][a-z2-7]{20,80}$/, 'expected a document id')
/** A libp2p peer id of an Ed25519 key in base58btc. */
export const peer = z.string().regex(/^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/, 'expected an Ed25519 peer id')
/** An organisation's unique name inside a marketplace. */
export const organisation = z
  .string()
  .regex(
    /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u,
    'expected a name of at most 64 letters, digits, blanks, ".", "_" or "-"'
  )
export const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'expected a name of letters, digits, ".", "_" or "-"')
export const identifier = z.string().min(1).max(128)
export const text = z.string().max(4096)
/** Milliseconds since 1970-01-01T00:00Z. */
export const instant = z.int().nonnegative()
/** Milliseconds. */
export const duration = z.int().nonnegative()
export const count = z.int().nonnegative()
export const digest = z.string().regex(/^[0-9a-f]{64}$/, 'expected a sha2-256 digest in hex')
export const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'expected bytes')
/** A closed list of names, or any. */
export const anyOrNames = z.union([z.literal('*'), z.array(z.string().min(1).max(256)).max(256)])
export type AnyOrNames = z.infer<typeof anyOrNames>

export const user = z.strictObject({ organisation, name: z.string().min(1).max(256) })
export type User = z.infer<typeof user>

/** What every payload has. `issuer` is the peer id of the key that speaks. */
export function header<T extends string>(type: T) {
  return {
    type: z.literal(type),
    version: z.literal(1),
    /** The id of the charter; empty in the charter itself. */
    marketplace: z.union([documentId, z.literal('')]),
    issuer: peer,
    issuedAt: instant,
    expires: instant
  }
}

/** Position in the signer's log: two heads for one sequence number prove equivocation. */
export const logPosition = z.strictObject({ sequence: count, head: digest })
export type LogPosition = z.infer<typeof logPosition>

export const column = z.strictObject({ name: identifier, type: z.string().max(256) })
