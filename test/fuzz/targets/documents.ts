import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { equals } from 'uint8arrays'
import { z } from 'zod'
import {
  BadSignature,
  CannotOpen,
  DOCUMENTS,
  type DocumentType,
  decodePlain,
  decodeSigned,
  encodePlain,
  MalformedDocument,
  openSealed,
  openSection,
  queryPart,
  sectionDigest
} from '../../../protocol/documents/index.ts'
import { text } from '../../architecture/sources.ts'
import { mutateBytes } from '../mutate-bytes.ts'
import { mutateCbor } from '../mutate-cbor.ts'
import { holds, type Target } from '../target.ts'
import { sampleOf } from './samples.ts'

const hex = z.string().transform((digits) => new Uint8Array(Buffer.from(digits, 'hex')))
export const vectors = z
  .object({
    key: z.object({ seed: hex }),
    documents: z.array(z.object({ type: z.string(), bytes: hex, signature: hex })),
    section: z.object({ salt: hex, contentBytes: hex, digest: z.string() }),
    sealed: z.object({ box: hex })
  })
  .parse(JSON.parse(text('test/fixtures/documents.json')))

const TYPES = Object.keys(DOCUMENTS).filter((type): type is DocumentType => type in DOCUMENTS)

/** Signed documents as they travel, from the published vectors: other decoders carry them. */
export const signedSamples = vectors.documents.map(({ type, bytes, signature }) => ({
  type,
  signed: { payload: bytes, signatures: [signature] }
}))

/** What is read is written as the same bytes: a document has one encoding and so one id. */
export function readPlain(bytes: Uint8Array, schema: z.ZodType): void {
  const value: unknown = decodePlain(bytes, schema)
  holds('what is read is written as the same bytes', equals(encodePlain(value), bytes))
}

const payloads: Target[] = TYPES.map((type) => ({
  name: `document/${type}`,
  mutate: mutateCbor,
  seeds: async () => [
    ...vectors.documents.filter((one) => one.type === type).map(({ bytes }) => bytes),
    encodePlain(sampleOf(DOCUMENTS[type]))
  ],
  read: (bytes) => readPlain(bytes, DOCUMENTS[type])
}))

const signed: Target = {
  name: 'document/signed',
  mutate: mutateCbor,
  seeds: async () => signedSamples.map(({ signed }) => encodePlain(signed)),
  async read(bytes) {
    let refused: unknown
    for (const type of TYPES) {
      try {
        const document = await decodeSigned(type, bytes)
        holds('who signed is known', document.signers.length > 0)
        return
      } catch (thrown) {
        if (!(thrown instanceof MalformedDocument) && !(thrown instanceof BadSignature)) throw thrown
        refused = thrown
      }
    }
    throw refused
  }
}

const { salt, contentBytes, digest } = vectors.section
const salted: Target = {
  name: 'document/salted',
  mutate: mutateCbor,
  seeds: async () => [contentBytes, encodePlain(sampleOf(queryPart))],
  async read(content) {
    const own = await sectionDigest({ salt, content })
    const changed = own !== digest
    if (changed) {
      const taken = await openSection({ salt, content }, digest, z.unknown()).then(
        () => true,
        (thrown: unknown) => {
          if (!(thrown instanceof MalformedDocument)) throw thrown
          return false
        }
      )
      holds('a section other than the one that was signed is refused', !taken)
    }
    await openSection({ salt, content }, own, queryPart)
  }
}

const sealed: Target = {
  name: 'document/sealed',
  mutate: mutateBytes,
  seeds: async () => [vectors.sealed.box],
  oneIn: 4,
  async read(bytes) {
    const key = await generateKeyPairFromSeed('Ed25519', vectors.key.seed)
    try {
      openSealed(key, bytes)
    } catch (thrown) {
      if (thrown instanceof CannotOpen) throw thrown
      throw thrown
    }
    holds('only what was sealed opens', equals(bytes, vectors.sealed.box))
  }
}

export const documentTargets: readonly Target[] = [...payloads, signed, salted, sealed]
