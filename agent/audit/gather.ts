import { z } from 'zod'
import {
  type DocumentType,
  decodePlain,
  fields,
  idOf,
  MalformedDocument,
  type SaltedSection,
  type SignedBytes,
  sectionDigest,
  sections,
  signedBytes
} from '../../protocol/documents/index.ts'
import { wireMessage } from '../../protocol/messages/index.ts'
import type { Store } from '../store/index.ts'

/** A document of an export. */
export interface Gathered {
  type: DocumentType
  bytes: SignedBytes
}

/** What an agent holds of one request, as far as it may show it. */
export interface Held {
  documents: Gathered[]
  sections: SaltedSection[]
  /** Under which the request was granted here. */
  agreements: Set<string>
  /** Who speaks in the documents. */
  organisations: Set<string>
  /** Numbers of status lists that they name. */
  statusNumbers: Set<number>
  /** The last place in its own log that this agent signed for. */
  lastSigned: number
}

/** What is kept as it came over the wire. */
const MESSAGE = 'message'

const said = z.looseObject({
  issuer: fields.peer,
  organisation: fields.organisation.optional(),
  statusNumber: z.int().optional(),
  log: fields.logPosition.optional(),
  details: z.string().optional(),
  parties: z
    .array(z.looseObject({ peer: fields.peer, organisation: fields.organisation, section: z.string() }))
    .optional()
})

/** Documents and sections out of the messages in which they came or went. Only sections for this agent, or by it, are shown. */
export async function heldOf(store: Store, request: string, self: string): Promise<Held> {
  const held: Held = {
    documents: [],
    sections: [],
    agreements: new Set(),
    organisations: new Set(),
    statusNumbers: new Set(),
    lastSigned: 0
  }
  const known = new Set<string>()
  const add = async (type: DocumentType, bytes: SignedBytes) => {
    const document = decodePlain(bytes.payload, said)
    const id = `${await idOf(bytes.payload)}/${Buffer.from(bytes.signatures[0] ?? []).toString('hex')}`
    if (known.has(id)) return document
    known.add(id)
    held.documents.push({ type, bytes })
    if (document.organisation !== undefined) held.organisations.add(document.organisation)
    for (const party of document.parties ?? []) held.organisations.add(party.organisation)
    if (document.statusNumber !== undefined) held.statusNumbers.add(document.statusNumber)
    if (document.issuer === self && document.log !== undefined)
      held.lastSigned = Math.max(held.lastSigned, document.log.sequence)
    return document
  }
  const show = async (section: SaltedSection) => {
    const digest = await sectionDigest(section)
    if (known.has(digest)) return
    known.add(digest)
    held.sections.push(section)
  }
  for (const { type, bytes } of await store.documents.ofRequest(request)) {
    if (type === 'release') {
      await add('release', storedDocument(bytes))
      continue
    }
    if (type !== MESSAGE) continue
    const wire = decodePlain(bytes, wireMessage)
    switch (wire.kind) {
      case 'ask': {
        const { issuer } = await add('request', wire.request)
        if (issuer === self && wire.query !== null) await show(wire.query)
        break
      }
      case 'offer': {
        const { issuer } = await add('offer', wire.offer)
        if (issuer === self) await show(wire.details)
        break
      }
      case 'propose': {
        const { parties = [] } = await add('contract', wire.contract)
        const own = parties.find(({ peer }) => peer === self)
        if (own === undefined || own.section !== (await sectionDigest(wire.sections))) break
        await show(wire.sections)
        for (const section of decodePlain(wire.sections.content, sections))
          if (section.as === 'data')
            for (const { agreement } of section.agreements) held.agreements.add(agreement)
        break
      }
      case 'acceptance':
        await add('acceptance', wire.acceptance)
        break
      case 'decline':
        await add('decline', wire.decline)
        break
      case 'start':
        await add('contract', wire.contract)
        for (const acceptance of wire.acceptances) await add('acceptance', acceptance)
        break
      case 'outcome':
        await add('outcome', wire.outcome)
        break
      case 'receipt':
        await add('receipt', wire.receipt)
        break
      default:
    }
  }
  return held
}

/** Agreements by id, as they stand here, and who ended them. */
export async function agreementsOf(
  store: Store,
  ids: Iterable<string>
): Promise<{ documents: Gathered[]; organisations: string[] }> {
  const documents: Gathered[] = []
  const organisations: string[] = []
  for (const id of ids) {
    const stored = await store.agreements.get(id)
    if (stored === undefined) continue
    const bytes = storedDocument(stored.bytes)
    documents.push({ type: 'agreement', bytes })
    organisations.push(...decodePlain(bytes.payload, z.looseObject({ parties: z.array(z.string()) })).parties)
    for (const revocation of await store.agreementLife.revocations(id)) {
      documents.push({ type: 'revocation', bytes: storedDocument(revocation.bytes) })
      organisations.push(revocation.organisation)
    }
  }
  return { documents, organisations }
}

const standing = z.looseObject({
  organisation: z.string().optional(),
  number: z.int().optional(),
  issuedAt: fields.instant
})

/** The memberships that these organisations ever had, as far as this agent saw them, and the status lists named, in the order of issue. */
export async function standingOf(
  store: Store,
  organisations: ReadonlySet<string>,
  numbers: ReadonlySet<number>,
  current: readonly Gathered[]
): Promise<Gathered[]> {
  const found = new Map<string, Gathered & { issuedAt: number }>()
  const consider = async ({ type, bytes }: Gathered, always: boolean) => {
    const { organisation, number, issuedAt } = decodePlain(bytes.payload, standing)
    const wanted =
      type === 'membership'
        ? organisations.has(organisation ?? '')
        : number !== undefined && numbers.has(number)
    if (wanted || always) found.set(await idOf(bytes.payload), { type, bytes, issuedAt })
  }
  for (const type of ['membership', 'status'] as const)
    for (const { bytes } of await store.memberships.past(type))
      await consider({ type, bytes: storedDocument(bytes) }, false)
  for (const one of current) await consider(one, true)
  return [...found.values()].sort((one, other) => one.issuedAt - other.issuedAt)
}

/** More than a document: the signatures beside it. */
const MAX_STORED_BYTES = (1 << 20) + 8192

/** @throws {MalformedDocument} for bytes that this agent did not store */
function storedDocument(bytes: Uint8Array): SignedBytes {
  if (bytes.byteLength > MAX_STORED_BYTES)
    throw new MalformedDocument(`expected at most ${MAX_STORED_BYTES} bytes, found ${bytes.byteLength}`)
  return decodePlain(bytes, signedBytes, MAX_STORED_BYTES)
}
