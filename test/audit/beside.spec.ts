import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { appendAll, type Basis, entriesOfRequest, type LogEntry, verifyLog } from '../../agent/audit/index.ts'
import { forgetOld } from '../../agent/decisions/index.ts'
import { openStore, type PeerPosition, type Store } from '../../agent/store/index.ts'
import { sectionDigest } from '../../protocol/documents/index.ts'

const REQUEST = `bafy${'a'.repeat(55)}`
const decision: LogEntry = {
  time: 1000,
  kind: 'decision',
  request: REQUEST,
  fields: { question: 'accept', verdict: 'permit', clauses: [], policy: 'p' }
}
const basis: Basis = { engine: 'cedar 1', policy: 'p', rules: 'r', calls: [], besides: null }
const aPosition = (head: string): PeerPosition => ({
  peer: 'peer',
  sequence: 7,
  head,
  type: 'acceptance',
  bytes: new Uint8Array([1]),
  at: 1
})

describe('What lies beside the log', () => {
  let folder = ''
  let store: Store
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'beside-'))
    store = await openStore(join(folder, 'state.sqlite'), { synchronous: 'NORMAL' })
  })
  afterEach(async () => {
    await store.close()
    await rm(folder, { recursive: true })
  })
  const forgetAt = async (now: number) =>
    await forgetOld({ store, agreements: { inForce: () => [] }, clock: { now: () => now }, keep: 500 })

  it('opens the commitment of its decision', async () => {
    await store.transaction(async (tx) => await appendAll(tx, [{ entry: decision, basis }]))
    const [placed] = await entriesOfRequest(store, REQUEST)
    const opening = await store.openings.get(placed?.sequence ?? 0)
    if (opening === undefined || placed?.entry.kind !== 'decision') throw new Error('expected an opening')
    expect(await sectionDigest({ salt: opening.salt, content: opening.content })).to.equal(
      placed.entry.fields.facts
    )
  })

  it('is deleted after its time, and the chain stays as it was', async () => {
    await store.transaction(
      async (tx) => await appendAll(tx, [{ entry: decision, basis }, { entry: decision }])
    )
    await forgetAt(1499)
    expect(await store.openings.get(1)).to.not.equal(undefined)
    await forgetAt(1501)
    expect(await store.openings.get(1)).to.equal(undefined)
    expect(await verifyLog(store)).to.deep.include({ intact: true })
  })

  it('is not there without its entry when the disk is full', async () => {
    await store.close()
    store = await openStore(join(folder, 'small.sqlite'), { synchronous: 'NORMAL', maxPages: 80 })
    const large: LogEntry = { time: 1, kind: 'config', fields: { list: Array(1500).fill('x'.repeat(500)) } }
    const full = await store
      .transaction(async (tx) => await appendAll(tx, [{ entry: large }, { entry: decision, basis }]))
      .catch((error: unknown) => error)
    expect(full).to.have.property('code', 'storage-full')
    expect([await store.log.last(), await store.openings.get(2)]).to.deep.equal([undefined, undefined])
    await store.transaction(async (tx) => await appendAll(tx, [{ entry: decision, basis }]))
    expect(await store.openings.get(1)).to.not.equal(undefined)
  })

  it('is what others signed of their logs: two heads for one place are kept as proof', async () => {
    const remember = async (head: string) =>
      await store.transaction(async (tx) => await tx.peerPositions.remember(aPosition(head)))
    expect(await remember('a')).to.equal(false)
    expect(await remember('a')).to.equal(false)
    expect(await store.peerPositions.contradictions()).to.deep.equal([])
    expect(await remember('b')).to.equal(true)
    await forgetAt(10_000)
    expect((await store.peerPositions.contradictions()).map(({ head }) => head)).to.deep.equal(['a', 'b'])
  })
})
