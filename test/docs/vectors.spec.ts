import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect } from 'chai'
import { z } from 'zod'
import {
  DOCUMENTS,
  type DocumentType,
  encodePlain,
  makeSection,
  openDocument,
  openSealed,
  sectionDigest,
  signDocument
} from '../../protocol/documents/index.ts'
import { text } from '../architecture/sources.ts'

const hex = z
  .string()
  .regex(/^([0-9a-f]{2})*$/)
  .transform((digits) => new Uint8Array(Buffer.from(digits, 'hex')))
const vectors = z
  .object({
    key: z.object({ seed: hex, peer: z.string() }),
    documents: z.array(
      z.object({
        type: z.string().refine((type): type is DocumentType => type in DOCUMENTS),
        payload: z.unknown(),
        bytes: hex,
        id: z.string(),
        signature: hex
      })
    ),
    section: z.object({ salt: hex, content: z.unknown(), contentBytes: hex, digest: z.string() }),
    sealed: z.object({ to: z.string(), message: hex, box: hex })
  })
  .parse(JSON.parse(text('test/fixtures/documents.json')))

const dagJsonBytes = z.strictObject({ '/': z.strictObject({ bytes: z.string() }) })

/** DAG-JSON writes bytes as `{"/": {"bytes": base64}}`. */
function plainOf(value: unknown): unknown {
  const bytes = dagJsonBytes.safeParse(value)
  if (bytes.success) return new Uint8Array(Buffer.from(bytes.data['/'].bytes, 'base64'))
  if (Array.isArray(value)) return value.map(plainOf)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainOf(item)]))
}

describe('The test vectors', () => {
  for (const { type, payload, bytes, id, signature } of vectors.documents) {
    it(`hold the canonical bytes of a ${type}`, () => {
      expect(Buffer.from(encodePlain(plainOf(payload))).toString('hex')).to.equal(
        Buffer.from(bytes).toString('hex')
      )
    })

    it(`hold a ${type} that opens, with its id and signer`, async () => {
      const opened = await openDocument(type, { payload: bytes, signatures: [signature] })
      expect(opened.id).to.equal(id)
      expect(opened.signers).to.deep.equal([vectors.key.peer])
    })

    it(`hold the one signature that the key gives a ${type}`, async () => {
      const key = await generateKeyPairFromSeed('Ed25519', vectors.key.seed)
      const { payload: opened } = await openDocument(type, { payload: bytes, signatures: [signature] })
      const signed = await signDocument(type, opened, key)
      expect(Buffer.from(signed.bytes.signatures[0] ?? []).toString('hex')).to.equal(
        Buffer.from(signature).toString('hex')
      )
    })
  }

  it('hold the digest of a salted section', async () => {
    const section = makeSection(plainOf(vectors.section.content), vectors.section.salt)
    expect(section.content).to.deep.equal(vectors.section.contentBytes)
    expect(await sectionDigest(section)).to.equal(vectors.section.digest)
  })

  it('hold a box that the key opens', async () => {
    const key = await generateKeyPairFromSeed('Ed25519', vectors.key.seed)
    expect(peerIdFromPrivateKey(key).toString()).to.equal(vectors.sealed.to)
    expect(openSealed(key, vectors.sealed.box)).to.deep.equal(vectors.sealed.message)
  })
})
