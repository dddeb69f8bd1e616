import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'

const CR = 13
const LF = 10

/** What a file's bytes are: counted over the whole file, in constant memory. */
export interface Census {
  bytes: number
  utf8: boolean
  /** Which byte-order mark it starts with. */
  mark: 'utf-8' | 'utf-16' | 'utf-16be' | undefined
  lf: number
  crlf: number
  cr: number
  /** `\r\r\n`: what a Windows text mode makes of `\r\n` written twice. */
  crcrlf: number
}

export async function takeCensus(path: string): Promise<Census> {
  const census: Census = { bytes: 0, utf8: true, mark: undefined, lf: 0, crlf: 0, cr: 0, crcrlf: 0 }
  let returns = 0
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks(path)) {
    if (census.bytes === 0) census.mark = markOf(chunk)
    census.bytes += chunk.length
    if (census.utf8) {
      const text = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      const cut = lastCharacterStart(text)
      census.utf8 = isUtf8(text.subarray(0, cut))
      rest = text.subarray(cut)
    }
    returns = countLineEnds(chunk, returns, census)
  }
  census.cr += returns
  if (rest.length > 0 && !isUtf8(rest)) census.utf8 = false
  return census
}

/** A file as buffers of 1 MiB. */
export async function* chunks(path: string): AsyncGenerator<Buffer> {
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    if (chunk instanceof Buffer) yield chunk
  }
}

function countLineEnds(chunk: Buffer, pending: number, census: Census): number {
  let returns = pending
  // most files have no CR at all, and looking for one is native
  if (returns === 0 && !chunk.includes(CR)) {
    if (chunk.includes(LF)) census.lf++
    return 0
  }
  for (let index = 0; index < chunk.length; index++) {
    const byte = chunk[index]
    if (byte === CR) returns++
    else if (byte === LF) {
      if (returns === 0) census.lf++
      else if (returns === 1) census.crlf++
      else census.crcrlf++
      returns = 0
    } else if (returns > 0) {
      census.cr += returns
      returns = 0
    }
  }
  return returns
}

function markOf(head: Buffer): Census['mark'] {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return 'utf-8'
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16'
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be'
  return undefined
}

/** Where the last, perhaps incomplete, UTF-8 character of a buffer starts. */
function lastCharacterStart(buffer: Buffer): number {
  for (let back = 1; back <= Math.min(4, buffer.length); back++) {
    const byte = buffer[buffer.length - back] ?? 0
    if ((byte & 0xc0) !== 0x80) return byte < 0x80 ? buffer.length : buffer.length - back
  }
  return buffer.length
}
