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
import { recordsOf } from './records-of.ts'

type Told = Pick<Finding, 'code' | 'reason'> & { record: number; sequence?: number }

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
  /** Commitments of decisions, by number in the log. */
  commitments: Map<number, string | undefined>
}

/** Kinds of documents whose signers are judged by who they are, not by the issuer alone. */
const BY_OTHERS: readonly string[] = ['charter', 'membership', 'status', 'agreement']

/** Beyond it nothing is remembered of what has to be compared at the end. */
const MAX_COMPARED = 1_000_000

/** Stage 3.1: every record, in the order of the file. Memory grows with documents and sections, not with entries. */
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
  readonly #digests = new Set<string>()
  readonly #sections: { digest: string; record: number; header: Header }[] = []
  #late: { told: Told; header: Header } | null = null

  async read(file: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const read of recordsOf(file)) {
      const record = this.count
      this.count += 1
      if (read.kind !== 'record') {
        this.#settle(null)
        this.#judgeLate()
        const code = read.kind === 'truncated' ? 'export-truncated' : 'export-malformed'
        throw this.#found({ code, record, reason: read.reason }, null)
      }
      await this.#take(read.record, record, read.digestBefore)
    }
    this.#settle(null)
    this.#judgeLate()
    if (this.#open !== null || this.exports.length === 0)
      throw this.#found(
        { code: 'export-truncated', record: this.count, reason: 'the file ends before the end of an export' },
        null
      )
  }

  async #take(record: ExportRecord, number: number, digest: string): Promise<void> {
    if (record.kind === 'header') {
      this.#settle(null)
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
    if (this.#open !== null)
      throw this.#found({ code: 'export-malformed', record, reason: 'a header inside of an export' }, null)
    const [first] = this.exports
    this.exports.push(header)
    const kept = new KeptExport(header, record)
    this.kept.exports.push(kept)
    this.#open = { header, kept, position: header.after, commitments: new Map() }
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
        open.kept.openings.push({ record: number, sequence, salt, content })
        if (open.commitments.get(sequence) === (await sectionDigest(record))) return null
        const reason = `the opening is not what the decision in entry ${sequence} rested on`
        this.#late ??= {
          told: { code: 'opening-mismatch', record: number, sequence, reason },
          header: open.header
        }
        return null
      }
      case 'policy': {
        const files = record.files.map(({ file, text }) => [file, text])
        const id = createHash('sha256')
          .update(encodePlain([record.engine, files]))
          .digest('hex')
        if (id === record.id) {
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
    this.#remember(said)
    this.kept.addDocument(number, kept, opened.value)
    return null
  }

  /** Digests that a section may be the opening of. */
  #remember(value: unknown): void {
    if (typeof value === 'string') {
      if (this.#digests.size < MAX_COMPARED && /^bafy/.test(value)) this.#digests.add(value)
    } else if (Array.isArray(value)) for (const one of value) this.#remember(one)
    else if (value !== null && typeof value === 'object' && !(value instanceof Uint8Array))
      for (const one of Object.values(value)) this.#remember(one)
  }

  async #section(
    { header }: Open,
    record: Extract<ExportRecord, { kind: 'section' }>,
    number: number
  ): Promise<Told | null> {
    if (this.#sections.length >= MAX_COMPARED)
      return { code: 'export-malformed', record: number, reason: `more than ${MAX_COMPARED} sections` }
    const digest = await sectionDigest(record)
    this.#sections.push({ digest, record: number, header })
    this.kept.addSection(number, digest, { salt: record.salt, content: record.content })
    return null
  }

  async #end(
    { header, kept }: Open,
    { checkpoint }: Extract<ExportRecord, { kind: 'end' }>,
    record: number,
    digest: string
  ): Promise<void> {
    const opened = await problemOf(async () => {
      const document = await openDocument('checkpoint', checkpoint)
      assertSignedBy(document, header.peer)
      return document
    })
    const said = 'problem' in opened ? null : opened.value.payload
    const vouched =
      said !== null &&
      said.issuer === header.peer &&
      said.organisation === header.organisation &&
      said.marketplace === header.marketplace &&
      said.export === digest
    this.#settle(vouched ? header.peer : null)
    if (!vouched) {
      this.#judgeLate()
      throw this.#found(
        { code: 'export-altered', record, reason: 'the checkpoint is not of these bytes by this exporter' },
        header.peer
      )
    }
    if ('value' in opened) {
      kept.end = record
      kept.checkpoint = opened.value
      this.kept.addDocument(record, kept, opened.value)
    }
    this.#open = null
  }

  /** What was found earlier in this export, now that it is known who vouched for it. */
  #settle(signer: string | null): void {
    if (this.#pending !== null) throw this.#found(this.#pending, signer)
  }

  #judgeLate(): void {
    const unknown = this.#sections.find(({ digest }) => !this.#digests.has(digest))
    const late = this.#late
    if (unknown !== undefined && (late === null || unknown.record < late.told.record)) {
      const told: Told = {
        code: 'section-unknown',
        record: unknown.record,
        reason: 'no document names this section'
      }
      throw this.#found(told, this.#signerOf(unknown.header), unknown.header)
    }
    if (late !== null) throw this.#found(late.told, this.#signerOf(late.header), late.header)
  }

  /** The exporter, when its export has ended as it should. */
  #signerOf(header: Header): string | null {
    return this.#open?.header === header ? null : header.peer
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
  if (content.kind === 'decision' && content.fields.facts !== undefined)
    open.commitments.set(sequence, content.fields.facts)
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
