import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { decode, encodingLength } from 'uint8-varint'
import { entryDigest, headAfter, parseEntry } from '../../agent/audit/index.ts'
import { type ExportRecord, parseRecord } from '../../agent/audit/records.ts'
import { type LogPosition, openDocument, sectionDigest } from '../../protocol/documents/index.ts'

type RecordOf<K extends ExportRecord['kind']> = Extract<ExportRecord, { kind: K }>

function recordsOf(name: string): { records: ExportRecord[]; endsAt: number; bytes: Uint8Array } {
  const bytes = readFileSync(fileURLToPath(new URL(`../fixtures/audit/${name}.audit`, import.meta.url)))
  const records: ExportRecord[] = []
  let endsAt = 0
  for (let at = 0; at < bytes.length; ) {
    const length = decode(bytes, at)
    const from = at + encodingLength(length)
    const record = parseRecord(bytes.subarray(from, from + length))
    if (record.kind === 'end') endsAt = at
    records.push(record)
    at = from + length
  }
  return { records, endsAt, bytes }
}

function only<K extends ExportRecord['kind']>(records: readonly ExportRecord[], kind: K): RecordOf<K>[] {
  return records.filter((one): one is RecordOf<K> => one.kind === kind)
}

const PARTIES = ['uva', 'vu', 'rug', 'surf', 'vu-open']

describe('An export of an exchange', () => {
  for (const name of PARTIES)
    it(`is one chain of entries from its first to its last, ended under a signature: ${name}`, async () => {
      const { records, endsAt, bytes } = recordsOf(name)
      const [header] = only(records, 'header')
      const [end] = only(records, 'end')
      if (header === undefined || end === undefined) throw new Error('expected a header and an end')
      let position: LogPosition = header.after
      for (const record of records) {
        if (record.kind === 'links')
          for (let at = 0; at < record.digests.length; at += 32)
            position = headAfter(position, record.digests.subarray(at, at + 32))
        if (record.kind !== 'entry') continue
        position = headAfter(position, entryDigest(record.salt, record.entry))
        expect(position).to.deep.equal({ sequence: record.sequence, head: record.head })
        expect(parseEntry(record.entry).request).to.equal(header.request)
      }
      const checkpoint = await openDocument('checkpoint', end.checkpoint)
      expect(checkpoint.signers).to.deep.equal([header.peer])
      expect(checkpoint.payload.log.sequence).to.be.at.least(position.sequence)
      expect(checkpoint.payload.export).to.equal(
        createHash('sha256').update(bytes.subarray(0, endsAt)).digest('hex')
      )
    })

  it('holds the places that its agent signed for, in entries that tell of it', async () => {
    for (const name of PARTIES) {
      const { records } = recordsOf(name)
      const [header] = only(records, 'header')
      const entries = new Map(only(records, 'entry').map((one) => [one.sequence, one]))
      for (const { type, payload, signatures } of only(records, 'document')) {
        if (type !== 'acceptance' && type !== 'receipt' && type !== 'outcome') continue
        const { payload: said } = await openDocument(type, { payload, signatures })
        if (said.issuer !== header?.peer) continue
        const entry = entries.get(said.log.sequence)
        if (entry === undefined) throw new Error('expected an entry')
        expect(entry.head).to.equal(said.log.head)
        expect(parseEntry(entry.entry).kind).to.equal(type)
      }
    }
  })

  it('pairs each part that was sent with one that was received', () => {
    const flows = (kind: string) =>
      ['uva', 'vu', 'rug', 'surf']
        .flatMap((name) => only(recordsOf(name).records, 'entry').map((one) => parseEntry(one.entry)))
        .filter((entry) => entry.kind === kind)
        .flatMap(({ fields }) => ('parts' in fields ? [JSON.stringify([fields.flow, fields.parts])] : []))
        .sort()
    expect(flows('flow-sent')).to.have.length(3)
    expect(flows('flow-received')).to.deep.equal(flows('flow-sent'))
  })

  it('shows what decisions rested on only where it was opened, under their commitments', async () => {
    expect(only(recordsOf('vu').records, 'opening')).to.deep.equal([])
    const { records } = recordsOf('vu-open')
    const decisions = only(records, 'entry').flatMap(({ sequence, entry }) => {
      const { kind, fields } = parseEntry(entry)
      return kind === 'decision' ? [[sequence, fields]] : []
    })
    const opened = await Promise.all(
      only(records, 'opening').map(async ({ sequence, ...section }) => [
        sequence,
        await sectionDigest(section)
      ])
    )
    expect(opened).to.deep.equal(
      decisions.map(([sequence, fields]) => [
        sequence,
        typeof fields === 'object' && 'facts' in fields ? fields.facts : null
      ])
    )
  })

  it('tells nothing of what another party keeps to itself', () => {
    for (const name of ['surf', 'rug', 'uva']) {
      const text = Buffer.from(recordsOf(name).bytes).toString('latin1')
      expect(text.includes('wages-vu#'), name).to.equal(name === 'uva')
    }
    expect(Buffer.from(recordsOf('surf').bytes).toString('latin1')).to.not.include('SELECT')
  })
})
