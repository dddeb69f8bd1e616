import { randomBytes } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect } from 'chai'
import {
  addSignature,
  BadSignature,
  CannotOpen,
  decodeSigned,
  encodePlain,
  encodeSigned,
  MalformedDocument,
  makeSection,
  openDocument,
  openSealed,
  openSection,
  queryPart,
  request as requestSchema,
  sealTo,
  sectionDigest,
  signDocument,
  statusList
} from '../../protocol/documents/index.ts'

async function aStatus(overrides: Record<string, unknown> = {}) {
  const key = await generateKeyPair('Ed25519')
  const issuer = peerIdFromPrivateKey(key).toString()
  const payload = statusList.parse({
    type: 'status',
    version: 1,
    marketplace: '',
    issuer,
    issuedAt: 1,
    expires: 2,
    number: 1,
    expelled: [],
    ...overrides
  })
  return { key, issuer, payload }
}

describe('documents', () => {
  it('opens what was signed, with the signer', async () => {
    const { key, issuer, payload } = await aStatus()
    const signed = await signDocument('status', payload, key)
    const opened = await decodeSigned('status', encodeSigned(signed))
    expect(opened.id).to.equal(signed.id)
    expect(opened.signers).to.deep.equal([issuer])
    expect(opened.payload).to.deep.equal(payload)
  })

  it('gives the same id whoever signs, and counts each signer once', async () => {
    const { key, payload } = await aStatus()
    const other = await generateKeyPair('Ed25519')
    const one = await signDocument('status', payload, key)
    const both = await addSignature(await addSignature(one, other), other)
    expect(both.id).to.equal(one.id)
    expect(both.signers).to.have.length(2)
  })

  it('refuses a payload changed after signing', async () => {
    const { key, payload } = await aStatus()
    const signed = await signDocument('status', payload, key)
    const changed = encodePlain({ ...payload, number: 2 })
    await rejects(openDocument('status', { ...signed.bytes, payload: changed }), BadSignature)
  })

  it('refuses a signature made for another type of document', async () => {
    const { key, payload } = await aStatus()
    const signed = await signDocument('status', payload, key)
    await rejects(openDocument('membership', signed.bytes), MalformedDocument)
  })

  it('refuses floats, extra fields and deep nesting', async () => {
    expect(() => encodePlain({ a: 0.5 })).to.throw(MalformedDocument, 'floats')
    const { key, payload } = await aStatus()
    await rejects(signDocument('status', Object.assign({}, payload, { more: 1 }), key), MalformedDocument)
    let deep: unknown = 1
    for (let i = 0; i < 40; i++) deep = [deep]
    expect(() => encodePlain(deep)).to.throw(MalformedDocument, 'nested')
  })

  it('opens a section only under its own digest', async () => {
    const section = makeSection({ sql: 'SELECT 1', parameters: {} }, randomBytes(16))
    const digest = await sectionDigest(section)
    expect((await openSection(section, digest, queryPart)).sql).to.equal('SELECT 1')
    await rejects(openSection({ ...section, salt: randomBytes(16) }, digest, queryPart), MalformedDocument)
  })

  it('opens sealed bytes only with the key they were sealed to', async () => {
    const { key, issuer } = await aStatus()
    const sealed = sealTo(issuer, new Uint8Array([1, 2, 3]))
    expect([...openSealed(key, sealed)]).to.deep.equal([1, 2, 3])
    const other = await generateKeyPair('Ed25519')
    expect(() => openSealed(other, sealed)).to.throw(CannotOpen)
    sealed[40] = (sealed[40] ?? 0) ^ 1
    expect(() => openSealed(key, sealed)).to.throw(CannotOpen)
  })
})

describe('a request', () => {
  const peers = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `12D3KooW${String(n).repeat(44)}`)
  const [first = ''] = peers
  const row = (archetype: string, infrastructure: string | null = null) => ({ archetype, infrastructure })
  const takes = (overrides: Record<string, unknown>): boolean =>
    requestSchema.safeParse({
      type: 'request',
      version: 1,
      marketplace: '',
      issuer: first,
      issuedAt: 1,
      expires: 2,
      nonce: new Uint8Array(16),
      organisation: 'UVA',
      user: { organisation: 'UVA', name: 'analyst' },
      purpose: 'research',
      datasets: ['wageGap'],
      providers: [first],
      rows: [row('a')],
      algorithm: 'table',
      options: { aggregate: false, anonymize: false, graph: false },
      recipients: ['UVA'],
      agreements: {},
      deadline: 1,
      query: 'bafyreigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi',
      ...overrides
    }).success

  it('has a nonce of 16 to 32 bytes', () => {
    const lengths = [0, 15, 16, 32, 33, 4096]
    expect(lengths.filter((length) => takes({ nonce: new Uint8Array(length) }))).to.deep.equal([16, 32])
  })

  it('names no candidate twice', () => {
    expect(takes({ rows: [row('a'), row('b'), row('a', first)] })).to.equal(true)
    expect(takes({ rows: [row('a'), row('b'), row('a')] })).to.equal(false)
    expect(takes({ rows: [row('a', first), row('a', first)] })).to.equal(false)
  })

  it('names at most 8 archetypes and 8 compute providers', () => {
    const eight = Array.from({ length: 8 }, (_, n) => `a${n}`)
    expect(takes({ rows: eight.flatMap((a) => peers.slice(0, 8).map((p) => row(a, p))) })).to.equal(true)
    expect(takes({ rows: [...eight, 'a8'].map((a) => row(a)) })).to.equal(false)
    expect(takes({ rows: peers.map((p) => row('a', p)) })).to.equal(false)
  })
})

async function rejects(
  promise: Promise<unknown>,
  kind: abstract new (...args: never[]) => Error
): Promise<void> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error
  )
  expect(thrown).to.be.instanceOf(kind)
}
