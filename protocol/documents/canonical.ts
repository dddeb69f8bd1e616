/** Deeper nesting is no document. */
export const MAX_DEPTH = 32
/** How many values one document holds at most: a byte of CBOR can become a hundred of memory. */
const MAX_ITEMS = 1 << 18

const UNSIGNED = 0
const NEGATIVE = 1
const BYTES = 2
const TEXT = 3
const LIST = 4
const MAP = 5

/** The key that schema libraries drop without a word: what is signed would not be what is read. */
const DROPPED_KEY = '__proto__'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** What keeps bytes from being the one encoding of a value; thrown inside this file and caught by the caller of its door. */
export class NotCanonical extends Error {
  static override readonly name = 'NotCanonical'
}

class Reader {
  readonly #bytes: Uint8Array
  #at = 0
  #items = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  whole(): void {
    this.#value(0)
    if (this.#at !== this.#bytes.byteLength) throw new NotCanonical('found bytes after the end')
  }

  #value(depth: number): void {
    if (depth > MAX_DEPTH) throw new NotCanonical(`nested deeper than ${MAX_DEPTH} levels`)
    this.#items += 1
    if (this.#items > MAX_ITEMS) throw new NotCanonical(`expected at most ${MAX_ITEMS} values`)
    const first = this.#byte()
    const major = first >> 5
    if (major > MAP) {
      // false, true, null: nothing else of the majors 6 (tags) and 7 (floats, undefined, other simple values)
      if (first < 0xf4 || first > 0xf6) throw new NotCanonical('found a float, a tag or an unknown value')
      return
    }
    const argument = this.#argument(first & 0x1f)
    if (major === UNSIGNED || major === NEGATIVE) {
      const value = major === UNSIGNED ? argument : -1 - argument
      if (!Number.isSafeInteger(value)) throw new NotCanonical('found an integer beyond 2^53')
    } else if (major === BYTES) this.#take(argument)
    else if (major === TEXT) this.#text(argument)
    else if (major === LIST) for (let index = 0; index < argument; index += 1) this.#value(depth + 1)
    else this.#map(argument, depth)
  }

  #map(pairs: number, depth: number): void {
    let before: Uint8Array | undefined
    let slash: Uint8Array | undefined
    for (let index = 0; index < pairs; index += 1) {
      const first = this.#byte()
      if (first >> 5 !== TEXT) throw new NotCanonical('found a key that is no text')
      const length = this.#argument(first & 0x1f)
      const key = this.#text(length)
      if (key === DROPPED_KEY) throw new NotCanonical(`found the key "${key}"`)
      const bytes = this.#bytes.subarray(this.#at - length, this.#at)
      if (before !== undefined && !isBefore(before, bytes))
        throw new NotCanonical('found keys twice or out of order')
      before = bytes
      const from = this.#at
      const major = (this.#bytes[from] ?? 0) >> 5
      this.#value(depth + 1)
      // What libraries take for a link: both fields hold the same value, which lists, maps and bytes never are.
      if (major === BYTES || major === LIST || major === MAP) continue
      if (key === '/') slash = this.#bytes.subarray(from, this.#at)
      else if (
        key === 'bytes' &&
        slash !== undefined &&
        Buffer.compare(slash, this.#bytes.subarray(from, this.#at)) === 0
      )
        throw new NotCanonical('found "/" and "bytes" alike, as links have no place here')
    }
  }

  #text(length: number): string {
    const bytes = this.#take(length)
    let text: string
    try {
      text = utf8.decode(bytes)
    } catch {
      throw new NotCanonical('found text that is not UTF-8')
    }
    // The library that makes values of the bytes drops it there.
    if (text.startsWith('\uFEFF')) throw new NotCanonical('found text that begins with a byte order mark')
    return text
  }

  /** The number in or behind a first byte, in its shortest form. */
  #argument(low: number): number {
    if (low < 24) return low
    if (low > 27) throw new NotCanonical('found an indefinite length')
    const width = 1 << (low - 24)
    let value = 0
    for (const byte of this.#take(width)) value = value * 256 + byte
    const least = width === 1 ? 24 : 2 ** (width * 4)
    if (value < least) throw new NotCanonical('found a number in a longer form than it needs')
    return value
  }

  #byte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw new NotCanonical('found the end inside a value')
    this.#at += 1
    return byte
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length
    if (end > this.#bytes.byteLength) throw new NotCanonical('found the end inside a value')
    const bytes = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return bytes
  }
}

/** The order of DAG-CBOR: the shorter first, then by bytes. */
function isBefore(one: Uint8Array, other: Uint8Array): boolean {
  return (one.byteLength - other.byteLength || Buffer.compare(one, other)) < 0
}

/**
 * Walks over bytes once, before anything is made of them. Only one sequence of bytes stands for a value: without that, what
 * was signed and what is read could differ, and one document could have several ids. The DAG-CBOR library is laxer: it takes
 * floats of whole numbers for integers, any order of keys, `undefined`, and text that is not UTF-8.
 *
 * @throws {NotCanonical}
 */
export function assertCanonical(bytes: Uint8Array): void {
  new Reader(bytes).whole()
}
