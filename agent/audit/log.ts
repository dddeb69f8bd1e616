import { randomBytes } from 'node:crypto'
import {
  encodePlain,
  type LogPosition,
  MalformedDocument,
  makeSection,
  parsePlain,
  type SaltedSection,
  sectionDigest
} from '../../protocol/documents/index.ts'
import type { Log, NewLine, StoredLine, Transaction } from '../store/index.ts'
import type { Basis } from './basis.ts'
import {
  type BrokenChain,
  type ChainVerdict,
  chainCheck,
  EMPTY_LOG,
  entryDigest,
  headAfter,
  parseEntry
} from './chain.ts'
import { type LogEntry, logEntry } from './entry.ts'

/** An entry with its place. */
export interface PlacedEntry extends LogPosition {
  entry: LogEntry
}

const PAGE = 200

/** Where this agent's log stands: what acceptances, receipts and outcomes carry. */
export async function logPosition(tables: { log: Log }): Promise<LogPosition> {
  const last = await tables.log.last()
  return last === undefined ? EMPTY_LOG : { sequence: last.sequence, head: last.head }
}

/** An entry to be written, with what lies beside the log. */
export interface Noted {
  entry: LogEntry
  basis?: Basis
}

const SALT_BYTES = 16
const SALTS_AT_ONCE = 256
let salts = new Uint8Array(0)

/** Of a supply: each call for random bytes costs more than the bytes do. None is given out twice. */
function freshSalt(): Uint8Array {
  if (salts.byteLength === 0) salts = new Uint8Array(randomBytes(SALTS_AT_ONCE * SALT_BYTES))
  const salt = salts.slice(0, SALT_BYTES)
  salts = salts.subarray(SALT_BYTES)
  return salt
}

/**
 * Adds an entry in the transaction of the action it tells of, so that neither is there without the other.
 *
 * @returns its place, which a document signed in the same transaction carries
 * @throws {MalformedDocument} for an entry that breaks its schema
 */
export async function append(tx: Transaction, entry: LogEntry): Promise<LogPosition> {
  return await appendAll(tx, [{ entry }])
}

/** Several entries, in order. @returns the place of the last */
export async function appendAll(tx: Transaction, noted: readonly Noted[]): Promise<LogPosition> {
  let position = await logPosition(tx)
  const lines: NewLine[] = []
  for (const { entry, basis } of noted) {
    const salt = freshSalt()
    const opening = basis === undefined ? null : openingOf(basis, freshSalt())
    const committed = opening === null ? entry : await withCommitment(entry, opening)
    const checked = parsePlain(committed, logEntry)
    const bytes = encodePlain(checked)
    position = headAfter(position, entryDigest(salt, bytes))
    lines.push({
      ...position,
      kind: checked.kind,
      request: checked.request ?? null,
      contract: checked.contract ?? null,
      salt,
      entry: bytes,
      ...(opening === null ? {} : { beside: { ...opening, at: checked.time } })
    })
  }
  await tx.log.insert(lines)
  return position
}

/** Null for more than an export could hold. */
function openingOf(basis: Basis, salt: Uint8Array): SaltedSection | null {
  try {
    return makeSection(basis, salt)
  } catch (error) {
    if (error instanceof MalformedDocument) return null
    throw error
  }
}

async function withCommitment(entry: LogEntry, opening: SaltedSection): Promise<LogEntry> {
  if (entry.kind !== 'decision') return entry
  return { ...entry, fields: { ...entry.fields, facts: await sectionDigest(opening) } }
}

function placed(line: StoredLine): PlacedEntry {
  return { sequence: line.sequence, head: line.head, entry: parseEntry(line.entry) }
}

/** Entries in order. @param options.limit @default 200 */
export async function readLog(
  tables: { log: Log },
  options: { from?: number; limit?: number } = {}
): Promise<PlacedEntry[]> {
  return (await tables.log.range(options.from ?? 1, options.limit ?? PAGE)).map(placed)
}

export async function entriesOfRequest(tables: { log: Log }, request: string): Promise<PlacedEntry[]> {
  return (await tables.log.ofRequest(request)).map(placed)
}

/** The columns that entries are looked up by are outside the hash: one that lies would hide an entry. */
function indexLies(line: StoredLine, { kind, request, contract }: LogEntry): boolean {
  return kind !== line.kind || (request ?? null) !== line.request || (contract ?? null) !== line.contract
}

/** How long others wait at most for a stretch of a check, in entries: about a millisecond. */
const STRETCH = 32

export interface VerifyOptions {
  after?: LogPosition
  /** See `verifyChain`. */
  expected?: LogPosition
  signal?: AbortSignal
  /** Waited for between stretches of a check. @default others get a turn */
  breathe?: () => Promise<void>
}

const aTurn = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve))

/** Checks this agent's log: all of it, or what comes after a place. One page is read while the one before it is checked. */
export async function verifyLog(
  tables: { log: Pick<Log, 'range'> },
  options: VerifyOptions = {}
): Promise<ChainVerdict> {
  const { signal, breathe = aTurn, ...rest } = options
  const check = chainCheck(rest)
  // From below the first: a line filed under number 0 would be shown but never checked.
  const from = rest.after === undefined ? Number.MIN_SAFE_INTEGER : rest.after.sequence + 1
  for (let page = await tables.log.range(from, PAGE); ; ) {
    const last = page.at(-1)
    if (last === undefined) return check.end()
    const next = tables.log.range(last.sequence + 1, PAGE)
    try {
      for (const [index, line] of page.entries()) {
        if (index % STRETCH === 0) await breathe()
        signal?.throwIfAborted()
        const broken = brokenAt(check.next(line), line)
        if (broken !== null) return broken
      }
    } finally {
      // Whatever comes of this page, nothing is left under way.
      await next.catch(() => undefined)
    }
    page = await next
  }
}

function brokenAt(
  verdict: ReturnType<ReturnType<typeof chainCheck>['next']>,
  line: StoredLine
): BrokenChain | null {
  if (!verdict.intact) return verdict
  if (!indexLies(line, verdict.entry)) return null
  return {
    intact: false,
    sequence: line.sequence,
    reason: 'it is filed under another kind, request or contract'
  }
}
