import { createHash, type Hash } from 'node:crypto'
import { decode as decodeVarint, encodingLength } from 'uint8-varint'
import { MalformedDocument } from '../../../protocol/documents/index.ts'
import { type ExportRecord, MAX_RECORD_BYTES, parseRecord } from '../records.ts'

const MAX_PREFIX = 3

/** A record of a file, or why there is none at its place. */
export type ReadRecord =
  | { kind: 'record'; record: ExportRecord; digestBefore: string }
  /** The records after it are still read. */
  | { kind: 'malformed'; reason: string }
  /** Where the next one begins is not known: nothing after it is read. */
  | { kind: 'unframed' | 'truncated'; reason: string }

/** Reads records one by one: a file may be larger than memory. Each comes with the sha2-256 of its export before it. */
export async function* recordsOf(file: AsyncIterable<Uint8Array>): AsyncGenerator<ReadRecord, void> {
  let waiting = Buffer.alloc(0)
  let hash: Hash = createHash('sha256')
  for await (const chunk of file) {
    waiting = Buffer.concat([waiting, chunk])
    let at = 0
    for (;;) {
      const length = lengthAt(waiting, at)
      if (length === 'short') break
      if (length === 'wrong') {
        yield { kind: 'unframed', reason: `expected the length of a record, at most ${MAX_RECORD_BYTES}` }
        return
      }
      const from = at + encodingLength(length)
      if (waiting.byteLength < from + length) break
      const whole = waiting.subarray(at, from + length)
      const read = readOne(waiting.subarray(from, from + length), hash)
      yield read
      if (read.kind === 'record' && read.record.kind === 'end') hash = createHash('sha256')
      else hash.update(whole)
      at = from + length
    }
    waiting = waiting.subarray(at)
  }
  if (waiting.byteLength > 0) yield { kind: 'truncated', reason: 'the file ends inside of a record' }
}

/** Only the shortest form of a length counts: two files with one meaning would have two digests. */
function lengthAt(bytes: Uint8Array, at: number): number | 'short' | 'wrong' {
  const prefix = bytes.subarray(at, at + MAX_PREFIX)
  const last = prefix.findIndex((byte) => byte < 0x80)
  if (last === -1) return prefix.byteLength === MAX_PREFIX ? 'wrong' : 'short'
  const length = decodeVarint(prefix)
  return length > MAX_RECORD_BYTES || encodingLength(length) !== last + 1 ? 'wrong' : length
}

function readOne(body: Uint8Array, hash: Hash): ReadRecord {
  try {
    // A copy: what is kept of a record shall not keep the whole chunk.
    const record = parseRecord(Uint8Array.from(body))
    return { kind: 'record', record, digestBefore: hash.copy().digest('hex') }
  } catch (error) {
    if (error instanceof MalformedDocument) return { kind: 'malformed', reason: error.message }
    throw error
  }
}
