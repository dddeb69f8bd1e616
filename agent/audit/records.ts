import { decode as decodeVarint, encodingLength, encode as varint } from 'uint8-varint'
import { concat } from 'uint8arrays'
import { z } from 'zod'
import {
  DOCUMENTS,
  type DocumentType,
  decodePlain,
  encodePlain,
  fields,
  signedBytes
} from '../../protocol/documents/index.ts'
import { DynamosError } from '../../protocol/errors/index.ts'

const { bytes, count, digest, documentId, instant, logPosition, organisation, peer } = fields

export const EXPORT_FORMAT = 'dynamos-audit'
export const MAX_RECORD_BYTES = 1 << 20
/** Bytes of one entry's digest in a record of links. */
export const LINK_BYTES = 32
export const MAX_LINKS = 16_384

const salt = bytes.refine(({ byteLength }) => byteLength === 16, 'expected a salt of 16 bytes')

const documentType = z.custom<DocumentType>(
  (value) => typeof value === 'string' && Object.hasOwn(DOCUMENTS, value),
  'expected a type of document'
)

/** The records of an audit export, see docs/audit-format.md. */
export const exportRecord = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('header'),
    format: z.literal(EXPORT_FORMAT),
    version: z.literal(1),
    marketplace: documentId,
    request: documentId,
    peer,
    organisation,
    exportedAt: instant,
    /** Where the log stood before the first entry or link that follows. */
    after: logPosition
  }),
  z.strictObject({
    kind: z.literal('document'),
    type: documentType,
    ...signedBytes.shape
  }),
  z.strictObject({ kind: z.literal('section'), salt, content: bytes }),
  z.strictObject({ kind: z.literal('entry'), sequence: count, salt, entry: bytes, head: digest }),
  z.strictObject({
    kind: z.literal('links'),
    from: count,
    digests: bytes.refine(
      ({ byteLength }) =>
        byteLength > 0 && byteLength % LINK_BYTES === 0 && byteLength <= MAX_LINKS * LINK_BYTES,
      `expected 1 to ${MAX_LINKS} digests of ${LINK_BYTES} bytes`
    )
  }),
  z.strictObject({
    kind: z.literal('policy'),
    id: z.string().max(128),
    files: z.array(z.strictObject({ file: z.string().max(256), text: z.string().max(262_144) })).max(64),
    engine: z.string().max(256)
  }),
  z.strictObject({ kind: z.literal('opening'), sequence: count, salt, content: bytes }),
  z.strictObject({ kind: z.literal('end'), checkpoint: signedBytes })
])
export type ExportRecord = z.infer<typeof exportRecord>

/** A file that is no audit export, or breaks the format at one of its records. */
export class ExportMalformed extends DynamosError {
  static override readonly name = 'ExportMalformed'
  constructor(message: string, options?: ErrorOptions) {
    super('export-malformed', message, options)
  }
}

/** The bytes of one record, with its length before it. @throws {MalformedDocument} for one that breaks its schema */
export function encodeRecord(record: ExportRecord): Uint8Array {
  const body = encodePlain(record)
  return concat([varint(body.byteLength), body])
}

/** @throws {MalformedDocument} */
export function parseRecord(body: Uint8Array): ExportRecord {
  return decodePlain(body, exportRecord, MAX_RECORD_BYTES)
}

/** The header that an export begins with. @param bytes its first bytes @throws {ExportMalformed} */
export function firstHeader(bytes: Uint8Array): Extract<ExportRecord, { kind: 'header' }> {
  try {
    const length = decodeVarint(bytes)
    const from = encodingLength(length)
    const record = parseRecord(bytes.subarray(from, from + length))
    if (record.kind === 'header') return record
  } catch (cause) {
    throw new ExportMalformed('expected an audit export, which begins with its header', { cause })
  }
  throw new ExportMalformed('expected an audit export, which begins with its header')
}
