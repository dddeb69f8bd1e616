import { hash } from 'node:crypto'
import {
  cborHead,
  decodePlain,
  encodePlain,
  fields,
  type LogPosition,
  MAJOR,
  MalformedDocument,
  saltedHash
} from '../../protocol/documents/index.ts'
import { type LogEntry, logEntry } from './entry.ts'

/** Where a log stands before its first entry, which has sequence 1. */
export const EMPTY_LOG: LogPosition = Object.freeze({ sequence: 0, head: '0'.repeat(64) })

/** A line of a log as the store keeps it or a file brings it: nothing in it is believed before {@link verifyChain} passed it. */
export interface ChainLine {
  sequence: number
  head: string
  /** Null in lines of before there were salts: they are hashed by another rule, and come before all others. */
  salt: Uint8Array | null
  /** Canonical bytes of the entry. */
  entry: Uint8Array
}

/** Why a log is not what its owner wrote. `sequence` is of the first line that does not fit what precedes it. */
export interface BrokenChain {
  intact: false
  sequence: number
  reason: string
}
export type ChainVerdict = { intact: true; position: LogPosition } | BrokenChain
type LineVerdict = { intact: true; position: LogPosition; entry: LogEntry } | BrokenChain

/** What stands for an entry in the chain. Whoever has it can follow the chain and learns nothing of the entry. */
export function entryDigest(salt: Uint8Array, entry: Uint8Array): Uint8Array {
  return saltedHash(salt, entry)
}

/** SHA-256 over the DAG-CBOR of [previous head, sequence, digest of the entry], in hex. */
export function headAfter(previous: LogPosition, digest: Uint8Array): LogPosition {
  const sequence = previous.sequence + 1
  const item = Buffer.concat([
    cborHead(MAJOR.list, 3),
    cborHead(MAJOR.text, previous.head.length),
    Buffer.from(previous.head),
    cborHead(MAJOR.number, sequence),
    cborHead(MAJOR.bytes, digest.byteLength),
    digest
  ])
  return { sequence, head: hash('sha256', item, 'hex') }
}

/** As entries of before there were salts are hashed: over [previous head, sequence, entry]. */
function unsaltedAfter(previous: LogPosition, entry: LogEntry): LogPosition {
  const sequence = previous.sequence + 1
  return { sequence, head: hash('sha256', encodePlain([previous.head, sequence, entry]), 'hex') }
}

/** @throws {MalformedDocument} */
export function parseEntry(bytes: Uint8Array): LogEntry {
  return decodePlain(bytes, logEntry)
}

/** Whether `line` is what comes after `previous`. */
function verifyLine(previous: LogPosition, line: ChainLine): LineVerdict {
  const sequence = previous.sequence + 1
  const broken = (reason: string): BrokenChain => ({ intact: false, sequence, reason })
  if (line.sequence !== sequence) return broken(`expected entry ${sequence}, found ${line.sequence}`)
  let entry: LogEntry
  try {
    entry = parseEntry(line.entry)
  } catch (error) {
    if (error instanceof MalformedDocument) return broken(`the entry is malformed: ${error.message}`)
    throw error
  }
  // Of a salted line the bytes themselves are hashed. Of others what they say is: bytes that decode alike but differ would let
  // two logs with one head look different.
  if (line.salt === null && Buffer.compare(encodePlain(entry), line.entry) !== 0)
    return broken('the entry is not in canonical form')
  const position =
    line.salt === null
      ? unsaltedAfter(previous, entry)
      : headAfter(previous, entryDigest(line.salt, line.entry))
  if (position.head !== line.head)
    return broken('the entry, or one before it, is not the one that was hashed')
  return { intact: true, position, entry }
}

export interface ChainOptions {
  /** Where the lines begin. @default the start of the log */
  after?: LogPosition
  /** Where the log stood according to a signed document: only this shows that the end was cut off, or all was written anew. */
  expected?: LogPosition
}

/** Checks a log line by line, for logs that do not fit into memory. */
export function chainCheck({ after = EMPTY_LOG, expected }: ChainOptions = {}) {
  let position = fields.logPosition.parse(after)
  let salted = false
  return {
    /** The first answer that is not intact is the verdict. */
    next(line: ChainLine): LineVerdict {
      const verdict = verifyLine(position, line)
      if (!verdict.intact) return verdict
      if (salted && line.salt === null)
        return { intact: false, sequence: line.sequence, reason: 'it has no salt, and those before it have' }
      salted = line.salt !== null
      position = verdict.position
      if (expected?.sequence === position.sequence && expected.head !== position.head)
        return {
          intact: false,
          sequence: position.sequence,
          reason: 'another head was signed for this entry'
        }
      return verdict
    },
    /** After the last line. */
    end(): ChainVerdict {
      if (expected === undefined || expected.sequence <= position.sequence) return { intact: true, position }
      return {
        intact: false,
        sequence: position.sequence + 1,
        reason: `the log ends before it, but a head was signed for entry ${expected.sequence}`
      }
    }
  }
}

/** Checks a log offline and names its first broken entry. */
export function verifyChain(lines: Iterable<ChainLine>, options: ChainOptions = {}): ChainVerdict {
  const check = chainCheck(options)
  for (const line of lines) {
    const verdict = check.next(line)
    if (!verdict.intact) return verdict
  }
  return check.end()
}
