import { createHash } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'
import { z } from 'zod'
import { recordsOf } from '../../agent/audit/check/records-of.ts'
import { entryDigest, headAfter, parseEntry } from '../../agent/audit/index.ts'
import { type ExportRecord, encodeRecord, LINK_BYTES } from '../../agent/audit/records.ts'
import {
  type DocumentType,
  decodePlain,
  encodePlain,
  idOf,
  openDocument,
  sectionDigest,
  signFields
} from '../../protocol/documents/index.ts'
import { keyOf, peerOf } from '../membership/builders.ts'

type Fields = Record<string, unknown>
const fields = z.record(z.string(), z.unknown())
type Keys = ReadonlyMap<string, PrivateKey>

/** The standing offer inside of an agreement, opened. */
class Carried {
  readonly payload: Fields
  readonly signers: readonly string[]

  constructor(payload: Fields, signers: readonly string[]) {
    this.payload = payload
    this.signers = signers
  }
}

/** A record as plain data that a test may change before it is signed anew. */
export type Draft =
  | { kind: 'document'; was: string; type: DocumentType; payload: Fields; signers: string[] }
  | { kind: 'section'; was: string; salt: Uint8Array; content: unknown }
  | { kind: 'entry'; was: string; sequence: number; salt: Uint8Array; entry: Fields }
  /** What a decision rested on. `apart`: the commitment in the log does not follow it. Content of bytes stays as it is. */
  | {
      kind: 'opening'
      was: string
      sequence: number
      salt: Uint8Array
      content: unknown
      apart?: true
    }
  | { kind: 'links'; were: readonly string[]; record: Extract<ExportRecord, { kind: 'links' }> }
  | { kind: 'end'; was: string; payload: Fields; signer: string }
  | { kind: 'other'; record: ExportRecord }

async function* piece(bytes: Uint8Array) {
  yield bytes
}

/** Opens what agents exported, so that it can be changed and signed with keys that tests have. */
export async function draftOf(file: Uint8Array): Promise<Draft[]> {
  const drafts: Draft[] = []
  let after = { sequence: 0, head: '' }
  for await (const read of recordsOf(piece(file))) {
    if (read.kind !== 'record') throw new Error(read.reason)
    const { record } = read
    if (record.kind === 'header') after = record.after
    if (record.kind === 'document' || record.kind === 'end') {
      const type = record.kind === 'end' ? 'checkpoint' : record.type
      const { id, signers, standing } = await openDocument(
        type,
        record.kind === 'end' ? record.checkpoint : record
      )
      const bytes = record.kind === 'end' ? record.checkpoint.payload : record.payload
      const payload = decodePlain(bytes, fields)
      if (standing !== undefined)
        payload.standing = new Carried(decodePlain(standing.bytes.payload, fields), standing.signers)
      drafts.push(
        record.kind === 'end'
          ? { kind: 'end', was: id, payload, signer: signers[0] ?? '' }
          : { kind: 'document', was: id, type: record.type, payload, signers: [...signers] }
      )
    } else if (record.kind === 'section') {
      const { salt } = record
      const content = decodePlain(record.content, z.unknown())
      drafts.push({ kind: 'section', was: await sectionDigest(record), salt, content })
    } else if (record.kind === 'entry') {
      const { sequence, salt, head } = record
      drafts.push({ kind: 'entry', was: head, sequence, salt, entry: { ...parseEntry(record.entry) } })
      after = { sequence, head }
    } else if (record.kind === 'opening') {
      const { sequence, salt } = record
      const content = decodePlain(record.content, z.unknown())
      drafts.push({ kind: 'opening', was: await sectionDigest(record), sequence, salt, content })
    } else if (record.kind === 'links') {
      const were: string[] = []
      for (let at = 0; at < record.digests.byteLength; at += LINK_BYTES) {
        after = headAfter(after, record.digests.subarray(at, at + LINK_BYTES))
        were.push(after.head)
      }
      drafts.push({ kind: 'links', were, record })
    } else drafts.push({ kind: 'other', record })
  }
  return drafts
}

/** Keys for every peer id that the drafts name. */
async function keysFor(
  drafts: readonly Draft[]
): Promise<{ keys: Map<string, PrivateKey>; names: Map<string, string> }> {
  const keys = new Map<string, PrivateKey>()
  const names = new Map<string, string>()
  const text = JSON.stringify(drafts)
  for (const [peer] of text.matchAll(/12D3KooW[1-9A-HJ-NP-Za-km-z]{44}/g))
    if (!names.has(peer)) {
      const key = await keyOf(`vector ${names.size}`)
      names.set(peer, peerOf(key))
      keys.set(peerOf(key), key)
    }
  return { keys, names }
}

function renamed(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return names.get(value) ?? value
  if (Array.isArray(value)) return value.map((one) => renamed(one, names))
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, renamed(one, names)]))
}

/**
 * Signs the drafts with keys that tests have. Ids and heads follow from what was changed until nothing changes any more: what
 * is left to find is the change itself.
 */
export async function exportOf(drafts: readonly Draft[]): Promise<Uint8Array> {
  const { keys, names } = await keysFor(drafts)
  for (let before = ''; ; ) {
    await settle(drafts, keys, names)
    const now = JSON.stringify([...names])
    if (now === before) break
    before = now
  }
  return await write(drafts, keys, names)
}

/** A payload in other names, with what it carries signed anew. */
async function payloadOf(payload: Fields, keys: Keys, names: ReadonlyMap<string, string>): Promise<unknown> {
  const { standing, ...rest } = payload
  if (!(standing instanceof Carried)) return renamed(payload, names)
  const inside = renamed(standing.payload, names)
  const carried = await signed('standing-offer', inside, standing.signers, keys, names)
  return { ...fields.parse(renamed(rest, names)), standing: carried }
}

async function signed(
  type: DocumentType,
  payload: unknown,
  signers: readonly string[],
  keys: Keys,
  names: ReadonlyMap<string, string>
) {
  const signatures: Uint8Array[] = []
  let bytes = new Uint8Array()
  for (const signer of signers) {
    const key = keys.get(names.get(signer) ?? '')
    if (key === undefined) throw new Error(`expected a key of ${signer}`)
    const document = await signFields(type, payload, key)
    bytes = Uint8Array.from(document.bytes.payload)
    signatures.push(...document.bytes.signatures)
  }
  return { payload: bytes, signatures }
}

function contentOf(content: unknown, names: ReadonlyMap<string, string>): Uint8Array {
  return content instanceof Uint8Array ? content : encodePlain(renamed(content, names))
}

async function settle(drafts: readonly Draft[], keys: Keys, names: Map<string, string>): Promise<void> {
  let position = { sequence: 0, head: '' }
  for (const draft of drafts)
    if (draft.kind === 'other') {
      if (draft.record.kind === 'header') position = draft.record.after
    } else if (draft.kind === 'document')
      names.set(draft.was, await idOf(encodePlain(await payloadOf(draft.payload, keys, names))))
    else if (draft.kind === 'section' || draft.kind === 'opening') {
      if (draft.kind === 'opening' && draft.apart === true) continue
      const { salt, content } = draft
      names.set(draft.was, await sectionDigest({ salt, content: contentOf(content, names) }))
    } else if (draft.kind === 'entry') {
      position = headAfter(position, entryDigest(draft.salt, encodePlain(renamed(draft.entry, names))))
      names.set(draft.was, position.head)
    } else if (draft.kind === 'links')
      for (const [index, was] of draft.were.entries()) {
        const at = index * LINK_BYTES
        position = headAfter(position, draft.record.digests.subarray(at, at + LINK_BYTES))
        names.set(was, position.head)
      }
}

async function write(
  drafts: readonly Draft[],
  keys: Keys,
  names: ReadonlyMap<string, string>
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let hash = createHash('sha256')
  const put = (record: ExportRecord) => {
    const bytes = encodeRecord(record)
    pieces.push(bytes)
    hash.update(bytes)
  }
  const sign = async (type: DocumentType, payload: unknown, signers: readonly string[]) =>
    await signed(type, payload, signers, keys, names)
  for (const draft of drafts)
    if (draft.kind === 'document')
      put({
        kind: 'document',
        type: draft.type,
        ...(await sign(draft.type, await payloadOf(draft.payload, keys, names), draft.signers))
      })
    else if (draft.kind === 'section')
      put({ kind: 'section', salt: draft.salt, content: contentOf(draft.content, names) })
    else if (draft.kind === 'opening') {
      const { sequence, salt, content } = draft
      put({ kind: 'opening', sequence, salt, content: contentOf(content, names) })
    } else if (draft.kind === 'entry') {
      const { sequence, salt, was } = draft
      const entry = encodePlain(renamed(draft.entry, names))
      put({ kind: 'entry', sequence, salt, entry, head: names.get(was) ?? was })
    } else if (draft.kind === 'links') put(draft.record)
    else if (draft.kind === 'end') {
      const payload = { ...fields.parse(renamed(draft.payload, names)), export: hash.digest('hex') }
      hash = createHash('sha256')
      put({ kind: 'end', checkpoint: await sign('checkpoint', payload, [draft.signer]) })
      hash = createHash('sha256')
    } else if (draft.record.kind === 'header') {
      const { after, ...rest } = draft.record
      const header = fields.parse(renamed(rest, names))
      put({ ...draft.record, ...header, after })
    } else put(draft.record)
  return Buffer.concat(pieces)
}
