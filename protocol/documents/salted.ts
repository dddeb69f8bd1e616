import { hash } from 'node:crypto'
import { equals } from 'uint8arrays'
import { z } from 'zod'
import { cborHead, MAJOR } from './cbor-head.ts'
import { decodePlain, encodePlain, idOfDigest, MalformedDocument } from './codec.ts'
import { bytes } from './fields.ts'

/**
 * A section of a document that only some readers may see: the document holds the digest, the reader gets salt and content.
 * The salt keeps others from guessing the content from the digest.
 */
export const saltedSection = z.strictObject({
  salt: bytes,
  content: bytes
})
export type SaltedSection = z.infer<typeof saltedSection>

const SALT_BYTES = 16

/** @param salt 16 random bytes */
export function makeSection(content: unknown, salt: Uint8Array): SaltedSection {
  if (salt.byteLength !== SALT_BYTES)
    throw new MalformedDocument(`expected a salt of ${SALT_BYTES} bytes, found ${salt.byteLength}`)
  return { salt, content: encodePlain(content) }
}

/**
 * SHA-256 over the DAG-CBOR of [salt, content]. Whoever has it learns nothing of the content. Written by hand, since logs of
 * millions of entries are read.
 */
export function saltedHash(salt: Uint8Array, content: Uint8Array): Uint8Array {
  const list = cborHead(MAJOR.list, 2)
  const heads = [cborHead(MAJOR.bytes, salt.byteLength), cborHead(MAJOR.bytes, content.byteLength)] as const
  return hash('sha256', Buffer.concat([list, heads[0], salt, heads[1], content]), 'buffer')
}

export async function sectionDigest({ salt, content }: SaltedSection): Promise<string> {
  return idOfDigest(saltedHash(salt, content))
}

/** @throws {MalformedDocument} when the section is not the one that `digest` stands for, or breaks its schema */
export async function openSection<T>(
  section: SaltedSection,
  digest: string,
  schema: z.ZodType<T>
): Promise<T> {
  if (section.salt.byteLength !== SALT_BYTES || (await sectionDigest(section)) !== digest) {
    throw new MalformedDocument('a section does not match the digest that was signed')
  }
  return decodePlain(section.content, schema)
}

export function sameSection(one: SaltedSection, other: SaltedSection): boolean {
  return equals(one.salt, other.salt) && equals(one.content, other.content)
}
