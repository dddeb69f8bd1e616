import { createHash } from 'node:crypto'
import {
  decodePlain,
  encodePlain,
  fields,
  type LogPosition,
  MalformedDocument
} from '../../protocol/documents/index.ts'
import { type LogEntry, logEntry } from './entry.ts'

/** Where a log stands before its first entry, which has sequence 1. */
export const EMPTY_LOG: LogPosition = Object.freeze({ sequence: 0, head: '0'.repeat(64) })

/** A line of a log as the store keeps it or a file brings it: nothing in it is believed before {@link verifyChain} passed it. */
export interface ChainLine {
  sequence: number
  head: string
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

/** SHA-256 over the DAG-CBOR of [previous head, sequence, entry], in hex. */
export function headAfter(previous: LogPosition, entry: LogEntry): LogPosition {
  const sequence = previous.sequence + 1
  const hash = createHash('sha256').update(encodePlain([previous.head, sequence, entry]))
  return { sequence, head: hash.digest('hex') }
}

/** @throws {MalformedDocument} */
export function parseEntry(bytes: Uint8Array): LogEntry {
  return decodePlain(bytes, logEntry)
}

/** Whether `line` is what comes after `previous`. */
function verifyLine(previous: LogPosition, line: ChainLine): ChainVerdict {
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
  // Bytes that decode alike but differ would let two logs with one head look different.
  if (Buffer.compare(encodePlain(entry), line.entry) !== 0)
    return broken('the entry is not in canonical form')
  const position = headAfter(previous, entry)
  if (position.head !== line.head)
    return broken('the entry, or one before it, is not the one that was hashed')
  return { intact: true, position }
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
  return {
    /** The first answer that is not intact is the verdict. */
    next(line: ChainLine): ChainVerdict {
      const verdict = verifyLine(position, line)
      if (!verdict.intact) return verdict
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
