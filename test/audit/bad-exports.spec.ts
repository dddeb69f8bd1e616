import { expect } from 'chai'
import { AuditTooLarge, Budget, MAX_ENTRIES, MAX_KEPT_BYTES } from '../../agent/audit/check/limits.ts'
import { checkExport } from '../../agent/audit/index.ts'
import { encodeRecord, LINK_BYTES, MAX_LINKS } from '../../agent/audit/records.ts'
import { draftOf, exportOf } from './export-builder.ts'
import { longExport } from './long-export.ts'
import { bytesOf } from './tamperings.ts'

async function* pieces(...all: Uint8Array[]) {
  yield* all
}
const found = async (...all: Uint8Array[]) => (await checkExport(pieces(...all))).finding

/** An export that goes on and on: digests of entries that tell of something else. */
async function* endless(entries: number) {
  const bytes = bytesOf('vu')
  const header = (bytes[0] ?? 0) & 0x80 ? 2 : 1
  const length = header === 2 ? ((bytes[0] ?? 0) & 0x7f) | ((bytes[1] ?? 0) << 7) : (bytes[0] ?? 0)
  yield bytes.subarray(0, header + length)
  const digests = new Uint8Array(MAX_LINKS * LINK_BYTES)
  for (let from = 6; from < entries; from += MAX_LINKS) yield encodeRecord({ kind: 'links', from, digests })
}

describe('Bad audit exports', () => {
  it('of two marketplaces in one file are told apart', async () => {
    const other = await exportOf(await draftOf(bytesOf('vu')))
    expect(await found(bytesOf('uva'), other)).to.include({ code: 'marketplace-differs' })
  })

  it('with entries in another order are no chain', async () => {
    const drafts = await draftOf(bytesOf('vu'))
    const at = drafts.findIndex(({ kind }) => kind === 'entry')
    const [one, other] = [drafts[at], drafts[at + 1]]
    if (one === undefined || other === undefined) throw new Error('expected two entries')
    drafts.splice(at, 2, other, one)
    expect(await found(await exportOf(drafts))).to.include({ code: 'chain-broken' })
  })

  it('that lack the part of one party are confirmed, and it is said', async () => {
    const { verdict, missing } = await checkExport(pieces(bytesOf('uva'), bytesOf('vu'), bytesOf('rug')))
    expect(verdict).to.equal('confirmed')
    expect(missing).to.include('the export of SURF')
    expect(missing).not.to.include('the export of RUG')
  })

  it('of one request with ever more entries take a bounded piece of memory for each', async () => {
    const before = process.memoryUsage().rss
    const { finding, decisions } = await checkExport(longExport(20_000))
    expect(finding).to.include({ code: 'not-a-member' })
    expect(decisions).to.have.length(20_000)
    expect(process.memoryUsage().rss - before).to.be.below(120 << 20)
  }).timeout(60_000)

  it('that are larger than a check can hold are neither confirmed nor broken', () => {
    const budget = new Budget()
    budget.take('entries', MAX_ENTRIES)
    expect(() => budget.take('entries')).to.throw(AuditTooLarge, '1,000,000 log entries')
    budget.take('bytes', MAX_KEPT_BYTES)
    expect(() => budget.take('bytes')).to.throw(AuditTooLarge)
  })

  it('of a million entries are read in bounded memory', async () => {
    const before = process.memoryUsage().rss
    const { finding } = await checkExport(endless(1_000_000))
    expect(finding).to.include({ code: 'export-truncated', signer: null })
    expect(process.memoryUsage().rss - before).to.be.below(400 << 20)
  }).timeout(120_000)
})
