import {
  type DocumentType,
  type LogPosition,
  QUESTIONS,
  type SaltedSection,
  type Signed
} from '../../../protocol/documents/index.ts'
import type { LogEntry } from '../entry.ts'
import type { ExportRecord } from '../records.ts'
import type { Finding, FindingCode } from './finding.ts'
import type { Budget } from './limits.ts'

export type Header = Extract<ExportRecord, { kind: 'header' }>

/** A document, and the number of the record in which it stands first. */
export interface Kept<T extends DocumentType = DocumentType> {
  record: number
  /** The export in which it stands. */
  from: KeptExport
  document: Signed<T>
}

export interface KeptEntry {
  record: number
  sequence: number
  entry: LogEntry
}

export interface KeptSection {
  record: number
  digest: string
  section: SaltedSection
}

export interface KeptOpening {
  record: number
  sequence: number
  salt: Uint8Array
  content: Uint8Array
}

/** Where in a file the records of a stretch of a log stand. */
interface Stretch {
  from: number
  record: number
}

const HEAD_BYTES = 32
/** Texts that are kept once each. */
const MAX_SHARED = 10_000

/** Kinds of entries that a stage reads; of others the head is enough. */
const READ: readonly LogEntry['kind'][] = [
  'decision',
  'acceptance',
  'start',
  'job-started',
  'flow-sent',
  'flow-received',
  'release',
  'receipt',
  'outcome'
]

/** One export of a file. Of what it does not tell, the heads are kept alone. */
export class KeptExport {
  readonly header: Header
  readonly record: number
  readonly entries: KeptEntry[] = []
  readonly openings: KeptOpening[] = []
  /** Record of its `end`. */
  end = 0
  /** What the exporter signed for. */
  checkpoint: Signed<'checkpoint'> | null = null
  readonly #budget: Budget
  /** Each text once: most entries of an export repeat those of others. */
  readonly #texts = new Map<string, string>()
  readonly #clauses = new Map<string, string[]>()
  readonly #stretches: Stretch[] = []
  #heads = new Uint8Array(HEAD_BYTES * 64)
  #count = 0

  constructor(header: Header, record: number, budget: Budget) {
    this.header = header
    this.record = record
    this.#budget = budget
  }

  moved({ head }: LogPosition, record: number): void {
    this.#budget.take('heads')
    const at = this.#count * HEAD_BYTES
    if (at === this.#heads.byteLength) {
      const wider = new Uint8Array(at * 2)
      wider.set(this.#heads)
      this.#heads = wider
    }
    this.#heads.set(Buffer.from(head, 'hex'), at)
    this.#count += 1
    if (this.#stretches.at(-1)?.record !== record)
      this.#stretches.push({ from: this.header.after.sequence + this.#count, record })
  }

  keep(kept: KeptEntry): void {
    if (!READ.includes(kept.entry.kind)) return
    this.#budget.take('entries')
    this.entries.push({ ...kept, entry: this.#slim(kept.entry) })
  }

  /** Without what every entry repeats: each text of a closed list would be kept as often as it was read. */
  #slim({ request, ...entry }: LogEntry): LogEntry {
    const contract = entry.contract === undefined ? {} : { contract: this.#once(entry.contract) }
    if (entry.kind !== 'decision') return { ...entry, ...contract }
    const { clauses, policy, facts } = entry.fields
    const key = JSON.stringify(clauses)
    const known = this.#clauses.get(key) ?? clauses
    if (this.#clauses.size < MAX_SHARED) this.#clauses.set(key, known)
    return {
      time: entry.time,
      kind: 'decision',
      ...contract,
      fields: {
        question: QUESTIONS.find((one) => one === entry.fields.question) ?? entry.fields.question,
        verdict: entry.fields.verdict === 'permit' ? 'permit' : 'deny',
        clauses: known,
        policy: this.#once(policy),
        ...(facts === undefined ? {} : { facts })
      }
    }
  }

  #once(text: string): string {
    const known = this.#texts.get(text)
    if (known !== undefined) return known
    if (this.#texts.size < MAX_SHARED) this.#texts.set(text, text)
    return text
  }

  get last(): number {
    return this.header.after.sequence + this.#count
  }

  entryAt(sequence: number): KeptEntry | undefined {
    const found = this.entries[lastUpTo(this.entries, (one) => one.sequence <= sequence)]
    return found?.sequence === sequence ? found : undefined
  }

  /** Head at a position of the shown part, and the record that shows it; null outside of it. */
  headAt(sequence: number): { head: string; record: number } | null {
    const { after } = this.header
    if (sequence === after.sequence) return { head: after.head, record: this.record }
    if (sequence < after.sequence || sequence > this.last) return null
    const at = (sequence - after.sequence - 1) * HEAD_BYTES
    const head = Buffer.from(this.#heads.subarray(at, at + HEAD_BYTES)).toString('hex')
    const stretch = this.#stretches[lastUpTo(this.#stretches, ({ from }) => from <= sequence)]
    return { head, record: stretch?.record ?? this.record }
  }
}

/** Index of the last of a sorted list that is not beyond something; -1 where all are. */
function lastUpTo<T>(list: readonly T[], within: (one: T) => boolean): number {
  let low = -1
  let high = list.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    const one = list[middle]
    if (one !== undefined && within(one)) low = middle
    else high = middle - 1
  }
  return low
}

function isOf<T extends DocumentType>(kept: Kept, type: T): kept is Kept<T> {
  return kept.document.type === type
}

/** What a file holds, kept while its records are read: documents once each, entries, sections and openings. */
export class CaseFile {
  readonly exports: KeptExport[] = []
  readonly documents: Kept[] = []
  readonly policies: Extract<ExportRecord, { kind: 'policy' }>[] = []
  readonly #byId = new Map<string, Kept>()
  readonly #byType = new Map<DocumentType, Kept[]>()
  readonly #sections = new Map<string, KeptSection>()

  addDocument(record: number, from: KeptExport, document: Signed<DocumentType>): void {
    const key = `${document.type} ${document.id}`
    if (this.#byId.has(key)) return
    const kept: Kept = { record, from, document }
    this.#byId.set(key, kept)
    this.documents.push(kept)
    const alike = this.#byType.get(document.type)
    if (alike === undefined) this.#byType.set(document.type, [kept])
    else alike.push(kept)
  }

  addSection(record: number, digest: string, section: SaltedSection): void {
    if (!this.#sections.has(digest)) this.#sections.set(digest, { record, digest, section })
  }

  all<T extends DocumentType>(type: T): Kept<T>[] {
    return (this.#byType.get(type) ?? []).filter((kept): kept is Kept<T> => isOf(kept, type))
  }

  find<T extends DocumentType>(type: T, id: string | null | undefined): Kept<T> | undefined {
    const kept = this.#byId.get(`${type} ${id}`)
    return kept !== undefined && isOf(kept, type) ? kept : undefined
  }

  section(digest: string): KeptSection | undefined {
    return this.#sections.get(digest)
  }

  exportOf(peer: string): KeptExport | undefined {
    return this.exports.find(({ header }) => header.peer === peer)
  }
}

/** Which finding comes first: by the place that a stage goes by (a record, an export), then the table of the stage. */
export class Findings {
  readonly #codes: readonly FindingCode[]
  #first: { finding: Finding; rank: readonly number[] } | null = null

  constructor(codes: readonly FindingCode[]) {
    this.#codes = codes
  }

  /** @param place where the stage comes to it; its record, if it goes by records */
  add(finding: Finding, place: number = finding.record): void {
    const rank = [place, this.#codes.indexOf(finding.code), finding.record]
    const first = this.#first
    const order =
      first === null ? -1 : rank.map((one, at) => one - (first.rank[at] ?? 0)).find((by) => by !== 0)
    if (order !== undefined && order < 0) this.#first = { finding, rank }
  }

  get first(): Finding | null {
    return this.#first?.finding ?? null
  }
}
