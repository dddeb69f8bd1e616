import { createHash } from 'node:crypto'
import { z } from 'zod'
import { decodePlain, type LogPosition, type Signed } from '../../protocol/documents/index.ts'
import { DynamosError } from '../../protocol/errors/index.ts'
import type { Store, StoredLine } from '../store/index.ts'
import { filesOf } from './basis.ts'
import { EMPTY_LOG, entryDigest, parseEntry } from './chain.ts'
import { agreementsOf, type Gathered, heldOf, standingOf } from './gather.ts'
import { logPosition } from './log.ts'
import { EXPORT_FORMAT, type ExportRecord, encodeRecord, LINK_BYTES, MAX_LINKS } from './records.ts'

/** An export that cannot be made; the code says why. */
export class ExportFailed extends DynamosError {
  static override readonly name = 'ExportFailed'
}

export interface ExportComponents {
  store: Store
  self: { peer: string; organisation: string }
  /** The marketplace's charter, this agent's membership, and the status list in force. */
  standing: {
    readonly charter: Signed<'charter'>
    readonly lastOwn: Signed<'membership'>
    readonly status: Signed<'status'>
  }
  sign(body: { log: LogPosition; export: string | null }): Promise<Signed<'checkpoint'>>
  clock: { now(): number }
}

/** Of which decisions it is shown what they rested on: by number in the log, or all. */
export type Open = 'all' | readonly number[]

const PAGE = 1000
const calls = z.looseObject({
  rules: z.string(),
  calls: z.array(z.looseObject({ agreements: z.array(z.string()).optional() }))
})

/**
 * Everything that this agent may show of one request, as docs/audit-format.md says, piece by piece: the log in between may be
 * long.
 *
 * @throws {ExportFailed} `not-found`, `audit-too-old`
 */
export async function* exportRequest(
  components: ExportComponents,
  request: string,
  open: Open = []
): AsyncGenerator<Uint8Array, void, undefined> {
  const { store, self, standing, sign, clock } = components
  const hash = createHash('sha256')
  const record = (one: ExportRecord): Uint8Array => {
    const bytes = encodeRecord(one)
    hash.update(bytes)
    return bytes
  }
  const lines = await store.log.ofRequest(request)
  const [first] = lines
  if (first === undefined)
    throw new ExportFailed('not-found', `there is no request ${request} in the log of this agent`)
  const held = await heldOf(store, request, self.peer)
  const openings = await openingsOf(store, lines, open)
  for (const { agreements } of openings) for (const id of agreements) held.agreements.add(id)
  const agreed = await agreementsOf(store, held.agreements)
  const organisations = new Set([...held.organisations, ...agreed.organisations])
  const current: Gathered[] = [
    { type: 'membership', bytes: standing.lastOwn.bytes },
    { type: 'status', bytes: standing.status.bytes }
  ]
  const memberships = await standingOf(store, organisations, held.statusNumbers, current)

  const before = first.sequence === 1 ? undefined : await store.log.at(first.sequence - 1)
  yield record({
    kind: 'header',
    format: EXPORT_FORMAT,
    version: 1,
    marketplace: standing.charter.id,
    request,
    peer: self.peer,
    organisation: self.organisation,
    exportedAt: clock.now(),
    after: before === undefined ? EMPTY_LOG : { sequence: before.sequence, head: before.head }
  })
  const charter: Gathered = { type: 'charter', bytes: standing.charter.bytes }
  for (const { type, bytes } of [charter, ...memberships, ...agreed.documents, ...held.documents])
    yield record({ kind: 'document', type, ...bytes })
  for (const { salt, content } of held.sections) yield record({ kind: 'section', salt, content })
  const last = Math.max(held.lastSigned, lines.at(-1)?.sequence ?? 0)
  for await (const one of chainRecords(store, request, first.sequence, last)) yield record(one)
  for (const id of new Set(openings.map(({ rules }) => rules))) {
    const ruleset = await store.rulesets.get(id)
    if (ruleset !== undefined)
      yield record({ kind: 'policy', id, files: filesOf(ruleset), engine: ruleset.engine })
  }
  for (const { sequence, salt, content } of openings)
    yield record({ kind: 'opening', sequence, salt, content })
  const checkpoint = await sign({ log: await logPosition(store), export: hash.digest('hex') })
  yield encodeRecord({ kind: 'end', checkpoint: checkpoint.bytes })
}

/** The entries of the request, and digests of those between them. */
async function* chainRecords(
  store: Store,
  request: string,
  from: number,
  to: number
): AsyncGenerator<ExportRecord, void, undefined> {
  let between: Uint8Array[] = []
  let next = from
  const links = (): ExportRecord => {
    const digests = new Uint8Array(between.length * LINK_BYTES)
    for (const [index, digest] of between.entries()) digests.set(digest, index * LINK_BYTES)
    const record = { kind: 'links' as const, from: next - between.length, digests }
    between = []
    return record
  }
  while (next <= to) {
    const page = await store.log.range(next, Math.min(PAGE, to - next + 1))
    if (page.length === 0) break
    for (const { sequence, head, salt, entry, request: of } of page) {
      if (salt === null || sequence !== next)
        throw new ExportFailed(
          'audit-too-old',
          `entry ${next} of the log was written before entries could be shown one by one; exchanges that began since then can be exported`
        )
      if (of === request) {
        if (between.length > 0) yield links()
        yield { kind: 'entry', sequence, salt, entry, head }
        next += 1
        continue
      }
      between.push(entryDigest(salt, entry))
      next += 1
      if (between.length === MAX_LINKS) yield links()
    }
  }
  if (between.length > 0) yield links()
}

interface Opened {
  sequence: number
  salt: Uint8Array
  content: Uint8Array
  rules: string
  agreements: string[]
}

/** @throws {ExportFailed} `not-found` for one that was named and is not kept */
async function openingsOf(store: Store, lines: readonly StoredLine[], open: Open): Promise<Opened[]> {
  const decisions = lines.flatMap((line) => {
    const entry = parseEntry(line.entry)
    return entry.kind === 'decision' && entry.fields.facts !== undefined ? [line.sequence] : []
  })
  const wanted = open === 'all' ? decisions : [...new Set(open)].sort((one, other) => one - other)
  const found: Opened[] = []
  for (const sequence of wanted) {
    const opening = decisions.includes(sequence) ? await store.openings.get(sequence) : undefined
    if (opening !== undefined) {
      const { rules, calls: called } = decodePlain(opening.content, calls)
      const agreements = called.flatMap((one) => one.agreements ?? [])
      found.push({ sequence, salt: opening.salt, content: opening.content, rules, agreements })
    } else if (open !== 'all') {
      throw new ExportFailed(
        'not-found',
        `entry ${sequence} is no decision about this request of which it is kept what it rested on`
      )
    }
  }
  return found
}
