import { createHash } from 'node:crypto'
import {
  assertSignedBy,
  BadSignature,
  encodePlain,
  type LogPosition,
  MalformedDocument,
  openDocument,
  sectionDigest
} from '../../../protocol/documents/index.ts'
import { entryDigest, headAfter, parseEntry } from '../chain.ts'
import type { LogEntry } from '../entry.ts'
import { type ExportRecord, LINK_BYTES } from '../records.ts'
import { CaseFile, type Header, KeptExport } from './case-file.ts'
import { type Finding, type FindingCode, Found } from './finding.ts'
import { Late, type Told } from './late.ts'
import { Budget } from './limits.ts'
import { recordsOf } from './records-of.ts'

export interface CheckedFile {
  /** Headers of the exports that were read, in the order of the file. */
  exports: readonly Header[]
  records: number
  /** Null: every record is what its exporter signed for, and every log shown is one chain. */
  finding: Finding | null
  /** What it takes for the stages after this one. */
  kept: CaseFile
}

/** What is known of the export that is being read. */
interface Open {
  header: Header
  kept: KeptExport
  position: LogPosition
}

/** Kinds of documents whose signers are judged by who they are, not by the issuer alone. */
const BY_OTHERS: readonly string[] = ['charter', 'membership', 'status', 'agreement']

/**
 * Stage 3.1: every record, in the order of the file. Memory grows with documents, sections and openings, and a little with entries.
 *
 * @throws {AuditTooLarge}
 */
export async function checkRecords(file: AsyncIterable<Uint8Array>): Promise<CheckedFile> {
  const check = new RecordCheck()
  let finding: Finding | null = null
  try {
    await check.read(file)
  } catch (error) {
    if (!(error instanceof Found)) throw error
    finding = error.finding
  }
  return { exports: check.exports, records: check.count, finding, kept: check.kept }
}

class RecordCheck {
  readonly exports: Header[] = []
  readonly kept = new CaseFile()
  count = 0
  #open: Open | null = null
  /** Found inside of an export that has not ended: who stands under it is known at its end. */
  #pending: Told | null = null
  readonly #budget = new Budget()
  readonly #late = new Late()

  async read(file: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const read of recordsOf(file)) {
      const record = this.count
      this.count += 1
      switch (read.kind) {
        case 'record':
          await this.#take(read.record, record, read.digestBefore)
          break
        case 'malformed':
          this.#malformed(record, read.reason)
          break
        default:
          this.#settle(null)
          if (read.kind === 'unframed')
            throw this.#found({ code: 'export-malformed', record, reason: read.reason }, null)
          this.#truncated(record, read.reason)
          return
      }
    }
    this.#settle(null)
    if (this.#open !== null || this.exports.length === 0)
      this.#truncated(this.count, 'the file ends before the end of an export')
    else this.#judgeLate()
  }

  /** What is judged when all was read comes before that the file was cut. */
  #truncated(record: number, reason: string): void {
    this.#judgeLate()
    throw this.#found({ code: 'export-truncated', record, reason }, null)
  }

  #malformed(record: number, reason: string): void {
    const told: Told = { code: 'export-malformed', record, reason }
    if (this.#open === null) throw this.#found(told, null)
    this.#pending ??= told
  }

  async #take(record: ExportRecord, number: number, digest: string): Promise<void> {
    if (record.kind === 'header') {
      this.#begin(record, number)
      return
    }
    const open = this.#open
    if (open === null)
      throw this.#found({ code: 'export-malformed', record: number, reason: 'expected a header' }, null)
    if (record.kind === 'end') {
      await this.#end(open, record, number, digest)
      return
    }
    if (this.#pending !== null) return
    const told = await this.#judge(open, record, number)
    if (told !== null) this.#pending = told
  }

  #begin(header: Header, record: number): void {
    this.#settle(null)
    if (this.#open !== null) {
      this.#malformed(record, 'a header inside of an export')
      return
    }
    this.#budget.take('exports')
    const [first] = this.exports
    this.exports.push(header)
    const kept = new KeptExport(header, record, this.#budget)
    this.kept.exports.push(kept)
    this.#open = { header, kept, position: header.after }
    if (first === undefined) return
    if (first.marketplace !== header.marketplace)
      this.#pending = { code: 'marketplace-differs', record, reason: 'an export of another marketplace' }
    else if (first.request !== header.request)
      this.#pending = { code: 'request-differs', record, reason: 'an export of another request' }
  }

  async #judge(open: Open, record: ExportRecord, number: number): Promise<Told | null> {
    switch (record.kind) {
      case 'document':
        return await this.#document(open, record, number)
      case 'section':
        return await this.#section(open, record, number)
      case 'entry':
        return entryOf(open, record, number)
      case 'links':
        return linksOf(open, record, number)
      case 'opening': {
        const { sequence, salt, content } = record
        this.#budget.take('kept')
        this.#budget.take('bytes', content.byteLength)
        open.kept.openings.push({ record: number, sequence, salt, content })
        this.#late.opening(open.kept, number, sequence, await sectionDigest(record), content)
        return null
      }
      case 'policy': {
        const files = record.files.map(({ file, text }) => [file, text])
        const id = createHash('sha256')
          .update(encodePlain([record.engine, files]))
          .digest('hex')
        if (id === record.id) {
          this.#budget.take('kept')
          this.#budget.take(
            'bytes',
            files.flat().reduce((sum, text) => sum + text.length, 0)
          )
          this.kept.policies.push(record)
          return null
        }
        return { code: 'policy-mismatch', record: number, reason: 'the rules do not give their id' }
      }
      default:
        return null
    }
  }

  async #document(
    { header, kept }: Open,
    record: Extract<ExportRecord, { kind: 'document' }>,
    number: number
  ): Promise<Told | null> {
    const { type, payload, signatures } = record
    const opened = await problemOf(async () => {
      const document = await openDocument(type, { payload, signatures })
      if (!BY_OTHERS.includes(type)) assertSignedBy(document, document.payload.issuer)
      return document
    })
    if ('problem' in opened) return { ...opened.problem, record: number }
    const { id, payload: said } = opened.value
    if ((type === 'charter' ? id : said.marketplace) !== header.marketplace)
      return { code: 'marketplace-differs', record: number, reason: `a ${type} of another marketplace` }
    this.#budget.take('kept')
    this.#budget.take('bytes', payload.byteLength)
    this.#late.document(said)
    this.kept.addDocument(number, kept, opened.value)
    return null
  }

  async #section(
    { kept }: Open,
    record: Extract<ExportRecord, { kind: 'section' }>,
    number: number
  ): Promise<Told | null> {
    this.#budget.take('kept')
    this.#budget.take('bytes', record.content.byteLength)
    const digest = await sectionDigest(record)
    this.#late.section(kept, number, digest, record.content)
    this.kept.addSection(number, digest, { salt: record.salt, content: record.content })
    return null
  }

  async #end(
    { header, kept }: Open,
    { checkpoint }: Extract<ExportRecord, { kind: 'end' }>,
    record: number,
    digest: string
  ): Promise<void> {
    const opened = await problemOf(async () => await openDocument('checkpoint', checkpoint))
    const said = 'problem' in opened ? null : opened.value.payload
    const vouched =
      said !== null &&
      'value' in opened &&
      opened.value.signers.includes(header.peer) &&
      said.issuer === header.peer &&
      said.organisation === header.organisation &&
      said.marketplace === header.marketplace &&
      said.export === digest
    this.#settle(vouched ? header.peer : null)
    kept.end = record
    this.#open = null
    if (!vouched) this.#late.altered(kept, record)
    else if ('value' in opened) {
      kept.checkpoint = opened.value
      this.kept.addDocument(record, kept, opened.value)
    }
  }

  /** What was found earlier in this export, now that it is known who vouched for it. */
  #settle(signer: string | null): void {
    if (this.#pending !== null) throw this.#found(this.#pending, signer)
  }

  #judgeLate(): void {
    const late = this.#late.first()
    if (late !== null) throw this.#found(late.told, late.signer, late.header)
  }

  #found({ code, record, reason, sequence }: Told, signer: string | null, header?: Header): Found {
    const organisation = (header ?? this.#open?.header)?.organisation ?? null
    return new Found({ code, organisation, record, sequence: sequence ?? null, signer, reason })
  }
}

function entryOf(open: Open, record: Extract<ExportRecord, { kind: 'entry' }>, number: number): Told | null {
  const { sequence, salt, entry, head } = record
  const about = { record: number, sequence }
  const next = headAfter(open.position, entryDigest(salt, entry))
  if (next.sequence !== sequence || next.head !== head)
    return { ...about, code: 'chain-broken', reason: `entry ${sequence} does not follow what precedes it` }
  open.position = next
  open.kept.moved(next, number)
  let content: LogEntry
  try {
    content = parseEntry(entry)
  } catch (error) {
    if (error instanceof MalformedDocument)
      return { ...about, code: 'entry-malformed', reason: error.message }
    throw error
  }
  if (content.request !== open.header.request)
    return { ...about, code: 'entry-malformed', reason: 'the entry is of another request' }
  open.kept.keep({ record: number, sequence, entry: content })
  return null
}

function linksOf(
  open: Open,
  { from, digests }: Extract<ExportRecord, { kind: 'links' }>,
  number: number
): Told | null {
  if (from !== open.position.sequence + 1)
    return { code: 'chain-broken', record: number, reason: `links from ${from} do not follow` }
  for (let at = 0; at < digests.byteLength; at += LINK_BYTES) {
    open.position = headAfter(open.position, digests.subarray(at, at + LINK_BYTES))
    open.kept.moved(open.position, number)
  }
  return null
}

async function problemOf<T>(
  open: () => Promise<T>
): Promise<{ value: T } | { problem: { code: FindingCode; reason: string } }> {
  try {
    return { value: await open() }
  } catch (error) {
    if (error instanceof MalformedDocument)
      return { problem: { code: 'document-malformed', reason: error.message } }
    if (error instanceof BadSignature) return { problem: { code: 'bad-signature', reason: error.message } }
    throw error
  }
}
