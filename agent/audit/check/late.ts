import { z } from 'zod'
import {
  type DocumentType,
  decodePlain,
  MalformedDocument,
  type Payload
} from '../../../protocol/documents/index.ts'
import type { Header, KeptExport } from './case-file.ts'
import type { Finding } from './finding.ts'
import { parseOpening } from './opening-content.ts'
import { parseParts } from './party-parts.ts'

/** A finding before it is known who vouched for it. */
export type Told = Pick<Finding, 'code' | 'reason'> & { record: number; sequence?: number }

interface Section {
  from: KeptExport
  record: number
  digest: string
  content: Uint8Array
}

interface Opening {
  from: KeptExport
  record: number
  digest: string
  sequence: number
  /** Why the content is not of the documented form; null where it is. */
  malformed: string | null
}

/** What can be judged only when all records were read: documents and entries may stand after what they explain. */
export class Late {
  /** By digest, the first document that has it where a section's stands. */
  readonly #named = new Map<string, { type: DocumentType; issuer: string }>()
  readonly #sections: Section[] = []
  readonly #openings: Opening[] = []
  readonly #altered: { from: KeptExport; record: number }[] = []

  document(payload: Payload<DocumentType>): void {
    for (const digest of sectionsOf(payload)) if (!this.#named.has(digest)) this.#named.set(digest, payload)
  }

  section(from: KeptExport, record: number, digest: string, content: Uint8Array): void {
    this.#sections.push({ from, record, digest, content })
  }

  opening(from: KeptExport, record: number, sequence: number, digest: string, content: Uint8Array): void {
    this.#openings.push({ from, record, sequence, digest, malformed: problemIn(content) })
  }

  /** An export whose end is not about its bytes. */
  altered(from: KeptExport, record: number): void {
    this.#altered.push({ from, record })
  }

  first(): { told: Told; header: Header; signer: string | null } | null {
    const section = this.#firstSection()
    const opening = this.#openings.map(judged).find((told) => told !== null) ?? null
    const [altered] = this.#altered
    if (section !== null && (opening === null || section.told.record < opening.told.record)) return section
    if (opening !== null) return this.#of(opening.from, opening.told)
    if (altered === undefined) return null
    const reason = 'the checkpoint is not of these bytes by this exporter'
    const told = { code: 'export-altered' as const, record: altered.record, reason }
    return { told, header: altered.from.header, signer: altered.from.header.peer }
  }

  #firstSection() {
    for (const { from, record, digest, content } of this.#sections) {
      const by = this.#named.get(digest)
      if (by === undefined)
        return this.#of(from, { code: 'section-unknown', record, reason: 'no document names this section' })
      const problem = problemInSection(by.type, content)
      if (problem === null) continue
      const reason = `what the ${by.type} was committed to is not of the documented form: ${problem}`
      return {
        told: { code: 'section-malformed' as const, record, reason },
        header: from.header,
        signer: by.issuer
      }
    }
    return null
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

function sectionsOf(payload: Payload<DocumentType>): string[] {
  if (payload.type === 'request') return [payload.query]
  if (payload.type === 'offer') return [payload.details]
  return payload.type === 'contract' ? payload.parties.map(({ section }) => section) : []
}

const anything = z.unknown()

function problemInSection(type: DocumentType, content: Uint8Array): string | null {
  return problemOf(() => (type === 'contract' ? parseParts(content) : decodePlain(content, anything)))
}

function problemIn(content: Uint8Array): string | null {
  return problemOf(() => parseOpening(content))
}

function problemOf(read: () => unknown): string | null {
  try {
    read()
    return null
  } catch (error) {
    if (error instanceof MalformedDocument) return error.message
    throw error
  }
}
