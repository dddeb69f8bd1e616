import { type DocumentType, MalformedDocument, type Payload } from '../../../protocol/documents/index.ts'
import type { Header, KeptExport } from './case-file.ts'
import type { Finding } from './finding.ts'
import { parseOpening } from './opening-content.ts'

/** A finding before it is known who vouched for it. */
export type Told = Pick<Finding, 'code' | 'reason'> & { record: number; sequence?: number }

interface Section {
  from: KeptExport
  record: number
  digest: string
}

interface Opening extends Section {
  sequence: number
  /** Why the content is not of the documented form; null where it is. */
  malformed: string | null
}

/** What can be judged only when all records were read: documents and entries may stand after what they explain. */
export class Late {
  readonly #digests = new Set<string>()
  readonly #sections: Section[] = []
  readonly #openings: Opening[] = []
  readonly #altered: { from: KeptExport; record: number }[] = []

  document(payload: Payload<DocumentType>): void {
    if (payload.type === 'request') this.#digests.add(payload.query)
    else if (payload.type === 'offer') this.#digests.add(payload.details)
    else if (payload.type === 'contract')
      for (const { section } of payload.parties) this.#digests.add(section)
  }

  section(from: KeptExport, record: number, digest: string): void {
    this.#sections.push({ from, record, digest })
  }

  opening(from: KeptExport, record: number, sequence: number, digest: string, content: Uint8Array): void {
    this.#openings.push({ from, record, sequence, digest, malformed: problemIn(content) })
  }

  /** An export whose end is not about its bytes. */
  altered(from: KeptExport, record: number): void {
    this.#altered.push({ from, record })
  }

  first(): { told: Told; header: Header; signer: string | null } | null {
    const section = this.#sections.find(({ digest }) => !this.#digests.has(digest))
    const opening = this.#openings.map(judged).find((told) => told !== null) ?? null
    const [altered] = this.#altered
    if (section !== undefined && (opening === null || section.record < opening.told.record)) {
      const { record, from } = section
      return this.#of(from, { code: 'section-unknown', record, reason: 'no document names this section' })
    }
    if (opening !== null) return this.#of(opening.from, opening.told)
    if (altered === undefined) return null
    const reason = 'the checkpoint is not of these bytes by this exporter'
    const told = { code: 'export-altered' as const, record: altered.record, reason }
    return { told, header: altered.from.header, signer: altered.from.header.peer }
  }

  /** Under the signature of the exporter, where its export has ended as it should. */
  #of(from: KeptExport, told: Told) {
    const vouched = from.checkpoint !== null && !this.#altered.some((one) => one.from === from)
    return { told, header: from.header, signer: vouched ? from.header.peer : null }
  }
}

function judged({
  from,
  record,
  sequence,
  digest,
  malformed
}: Opening): { told: Told; from: KeptExport } | null {
  const entry = from.entryAt(sequence)?.entry
  const about = { record, sequence }
  if (entry?.kind !== 'decision' || entry.fields.facts !== digest) {
    const reason = `the opening is not what the decision in entry ${sequence} rested on`
    return { from, told: { ...about, code: 'opening-mismatch', reason } }
  }
  if (malformed === null) return null
  const reason = `what the decision in entry ${sequence} was committed to is not of the documented form: ${malformed}`
  return { from, told: { ...about, code: 'opening-malformed', reason } }
}

function problemIn(content: Uint8Array): string | null {
  try {
    parseOpening(content)
    return null
  } catch (error) {
    if (error instanceof MalformedDocument) return error.message
    throw error
  }
}
