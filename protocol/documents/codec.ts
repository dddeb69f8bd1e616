import * as dagCbor from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { create as createDigest } from 'multiformats/hashes/digest'
import { sha256 } from 'multiformats/hashes/sha2'
import type { z } from 'zod'
import { DynamosError } from '../errors/index.ts'
import { assertCanonical, MAX_DEPTH, NotCanonical } from './canonical.ts'
import { canonicalBytes, passesForALink } from './canonical-bytes.ts'

/** No document is larger; bulk data travels as parts, not as documents. */
export const MAX_DOCUMENT_BYTES = 1 << 20

export class MalformedDocument extends DynamosError {
  static override readonly name = 'MalformedDocument'
  constructor(message: string, options?: ErrorOptions) {
    super('malformed-document', message, options)
  }
}

/** Plain data of the DAG-CBOR model without floats and links: what a signed payload may hold. */
export type Plain = null | boolean | number | string | Uint8Array | Plain[] | { [key: string]: Plain }

/** Names the first place of a value that is no plain data. */
function assertPlain(value: unknown, depth: number, path: string): void {
  if (depth > MAX_DEPTH) throw new MalformedDocument(`${path}: nested deeper than ${MAX_DEPTH} levels`)
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value))
      throw new MalformedDocument(
        `${path}: expected an integer, found ${value}; signed documents hold no floats`
      )
    return
  }
  if (value instanceof Uint8Array) return
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) assertPlain(item, depth + 1, `${path}[${index}]`)
    return
  }
  if (typeof value === 'object') {
    if (passesForALink(value))
      throw new MalformedDocument(`${path}: expected "/" and "bytes" to differ, as links have no place here`)
    for (const [key, item] of Object.entries(value))
      if (item !== undefined) assertPlain(item, depth + 1, `${path}.${key}`)
    return
  }
  throw new MalformedDocument(`${path}: ${typeof value} has no place in a document`)
}

/** The place is looked for only when it is needed: building its name for every value costs more than encoding them. */
function encoded(value: unknown): Uint8Array {
  try {
    return canonicalBytes(value)
  } catch (error) {
    assertPlain(value, 0, 'document')
    throw error
  }
}

/**
 * The canonical bytes of a payload: deterministic DAG-CBOR (RFC 8949 §4.2 as narrowed by the DAG-CBOR specification).
 *
 * @throws {MalformedDocument} for floats, functions, deep nesting or more than {@link MAX_DOCUMENT_BYTES}
 */
export function encodePlain(value: unknown): Uint8Array {
  const bytes = encoded(value)
  if (bytes.byteLength > MAX_DOCUMENT_BYTES) {
    throw new MalformedDocument(`expected at most ${MAX_DOCUMENT_BYTES} bytes, found ${bytes.byteLength}`)
  }
  return bytes
}

/**
 * Bytes from anywhere, checked for size, canonical DAG-CBOR, depth and floats, then against a schema.
 *
 * @throws {MalformedDocument} naming the first place that differs from the schema
 */
export function decodePlain<T>(bytes: Uint8Array, schema: z.ZodType<T>, maxBytes = MAX_DOCUMENT_BYTES): T {
  if (bytes.byteLength > maxBytes) {
    throw new MalformedDocument(`expected at most ${maxBytes} bytes, found ${bytes.byteLength}`)
  }
  let value: unknown
  try {
    assertCanonical(bytes)
    value = dagCbor.decode(bytes)
  } catch (cause) {
    const found = cause instanceof NotCanonical ? `, ${cause.message}` : ''
    throw new MalformedDocument(`expected strict DAG-CBOR${found}`, { cause })
  }
  return parsePlain(value, schema)
}

/** Checks a decoded value against a schema. @throws {MalformedDocument} */
export function parsePlain<T>(value: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new MalformedDocument(
    `${issue === undefined ? 'document' : `${issue.path.join('.') || 'document'}: ${issue.message}`}`
  )
}

/** CIDv1 (raw, sha2-256) of a file, from the hash of its bytes in hex. */
export function fileIdOf(digest: string): string {
  return CID.createV1(raw.code, createDigest(sha256.code, Buffer.from(digest, 'hex'))).toString()
}

/** CIDv1 (dag-cbor, sha2-256) of canonical bytes, in base32. */
export async function idOf(bytes: Uint8Array): Promise<string> {
  return CID.createV1(dagCbor.code, await sha256.digest(bytes)).toString()
}

/** As {@link idOf}, from the hash of the bytes. */
export function idOfDigest(digest: Uint8Array): string {
  return CID.createV1(dagCbor.code, createDigest(sha256.code, digest)).toString()
}
