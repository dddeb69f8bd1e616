import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RecordEnvelope } from '@libp2p/peer-record'
import { expect } from 'chai'
import { fromString } from 'uint8arrays'
import { z } from 'zod'
import type { Agreement } from '../../agent/agreements/index.ts'
import { checkRecords } from '../../agent/audit/check/index.ts'
import { EMPTY_LOG } from '../../agent/audit/index.ts'
import { encodeRecord } from '../../agent/audit/records.ts'
import { expel } from '../../agent/membership/index.ts'
import { idOf } from '../../protocol/documents/codec.ts'
import {
  addSignature,
  encodePlain,
  openDocument,
  type Signed,
  signDocument,
  signFields
} from '../../protocol/documents/index.ts'
import { offices } from '../agreements/offices.ts'
import { peerOf } from '../membership/builders.ts'
import { needsPython, saidByPython } from './python-checker.ts'

const TEXT = `
agreement: open
provider: VU
dataset: wageGap
standing: {takers: [UVA]}
purposes: [research]
archetypes: [computeToData]
tables: {person: {columns: [sex]}}
algorithms: [average]
`
const answer = z.object({ finding: z.object({ code: z.string(), record: z.int() }).nullable() })
type Found = z.infer<typeof answer>['finding']

describe('An agreement taken of a standing offer, in an audit export', () => {
  const market = offices(['VU', 'UVA'])
  const { get } = market
  let folder: string
  let offer: Signed<'standing-offer'>
  let taken: Agreement

  before(function () {
    needsPython(this)
    folder = mkdtempSync(join(tmpdir(), 'dynamos-taken-'))
  })
  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })
  beforeEach(async () => {
    const [vu, uva] = [await market.withoutSteward('VU'), get('UVA')]
    const { standing } = vu.agreements
    offer = await addSignature(await standing.draft(TEXT), vu.steward)
    await standing.publish(offer)
    const signed = await addSignature(await uva.agreements.standing.toTake('open', 'VU'), uva.steward)
    taken = (await uva.agreements.propose(signed)).agreement
    expect(uva.agreements.get(taken.id)?.id).to.equal(taken.id)
  })

  /** An export of UVA with this agreement and nothing else that matters; the agreement is the last of its documents. */
  async function exported(agreement: Pick<Agreement, 'bytes'>, status = market.marketplace().status) {
    const { key, members, peer } = get('UVA')
    const { charter } = market.marketplace()
    const now = market.clock.now()
    const log = EMPTY_LOG
    const documents = [
      { type: 'charter' as const, bytes: charter.bytes },
      { type: 'membership' as const, bytes: members.lastOwn.bytes },
      { type: 'membership' as const, bytes: get('VU').members.lastOwn.bytes },
      { type: 'status' as const, bytes: status.bytes },
      { type: 'agreement' as const, bytes: agreement.bytes }
    ]
    const header = { format: 'dynamos-audit' as const, version: 1 as const, peer, organisation: 'UVA' }
    const records = [
      encodeRecord({
        kind: 'header',
        ...header,
        marketplace: charter.id,
        request: charter.id,
        exportedAt: now,
        after: log
      }),
      ...documents.map(({ type, bytes }) => encodeRecord({ kind: 'document', type, ...bytes }))
    ]
    const checkpoint = await signDocument(
      'checkpoint',
      {
        type: 'checkpoint',
        version: 1,
        marketplace: charter.id,
        issuer: peer,
        issuedAt: now,
        expires: now + 86_400_000,
        organisation: 'UVA',
        log,
        export: createHash('sha256').update(Buffer.concat(records)).digest('hex')
      },
      key
    )
    return Buffer.concat([...records, encodeRecord({ kind: 'end', checkpoint: checkpoint.bytes })])
  }
  const LAST = 5

  function python(bytes: Uint8Array): Found | undefined {
    const file = join(folder, 'one.audit')
    writeFileSync(file, bytes)
    return saidByPython(answer, [file])[0]?.finding
  }
  /** What the checker of records here says of a file. */
  async function ofRecords(bytes: Uint8Array): Promise<Found> {
    async function* whole() {
      yield bytes
    }
    const { finding } = await checkRecords(whole())
    return finding === null ? null : { code: finding.code, record: finding.record }
  }
  const partly = async (...signers: string[]) =>
    await openDocument('agreement', {
      payload: taken.bytes.payload,
      signatures: taken.bytes.signatures.filter((_, index) => signers.includes(taken.signers[index] ?? ''))
    })
  const carrying = async (standing: object) =>
    await addSignature(
      await signFields('agreement', { ...taken.payload, standing }, get('UVA').steward),
      get('VU').key
    )

  it('counts without the signature of the provider’s steward', async () => {
    expect(taken.signers).not.to.include(peerOf(get('VU').steward))
    const bytes = await exported(taken)
    expect([python(bytes), await ofRecords(bytes)]).to.deep.equal([null, null])
  })

  it('is unsigned without the agent that counts, and without the taker’s steward', async () => {
    const unsigned = { code: 'agreement-unsigned', record: LAST }
    const uncounted = await partly(get('UVA').peer, peerOf(get('UVA').steward))
    expect(python(await exported(uncounted))).to.deep.equal(unsigned)
    expect(python(await exported(await partly(get('VU').peer)))).to.deep.equal(unsigned)
  })

  it('is not signed by its provider where no steward signed the offer', async () => {
    const bare = await carrying({
      payload: offer.bytes.payload,
      signatures: offer.bytes.signatures.slice(0, 1)
    })
    expect(get('UVA').agreements.signedBy(bare)).to.deep.equal(['UVA'])
    expect(python(await exported(bare))).to.deep.equal({ code: 'agreement-unsigned', record: LAST })
  })

  it('is not signed by its provider where the steward’s key had been stolen when the offer was signed', async () => {
    const { status } = await expel(market.marketplace(), [peerOf(get('VU').steward)], {
      ...market.by(),
      stolenFrom: offer.payload.issuedAt
    })
    expect(python(await exported(taken, status))).to.deep.equal({ code: 'agreement-unsigned', record: LAST })
  })

  it('with an offer that is no good document, or has a bad signature, is a bad record to both checkers', async () => {
    const [byAgent, bySteward] = offer.bytes.signatures
    const broken = Uint8Array.from(bySteward ?? [])
    broken[broken.length - 1] = (broken[broken.length - 1] ?? 0) ^ 1
    const { payload } = offer.bytes
    for (const [standing, code] of [
      [{ payload, signatures: [byAgent, broken] }, 'bad-signature'],
      [{ payload, signatures: [byAgent, byAgent] }, 'bad-signature'],
      [{ payload: taken.bytes.payload, signatures: [byAgent] }, 'document-malformed']
    ] as const) {
      const bytes = await exported({ bytes: await unopened({ ...taken.payload, standing }) })
      const finding = { code, record: LAST }
      expect([python(bytes), await ofRecords(bytes)]).to.deep.equal([finding, finding])
    }
  })

  /** Signed by the taker's steward; no agent here signs, nor opens, what carries such an offer. */
  async function unopened(fields: object) {
    const payload = encodePlain(fields)
    const domain = 'dynamos/agreement/1'
    const id = fromString(await idOf(payload))
    const codec = fromString('/dynamos/document-id/1')
    const record = { domain, codec, marshal: () => id, equals: () => false }
    const envelope = await RecordEnvelope.seal(record, get('UVA').steward)
    return { payload, signatures: [envelope.marshal()] }
  }
})
