import { MAX_DEPTH } from './canonical.ts'
import { cborHead, MAJOR } from './cbor-head.ts'

/** What is no plain data: a float, a function, a link, a value that holds itself. Where it stands is for the caller to find. */
export class NotPlain extends Error {
  static override readonly name = 'NotPlain'
}

const FIRST_BYTES = 1024
const FALSE = 0xf4
const TRUE = 0xf5
const NULL = 0xf6
/** Up to here a loop is faster than a call out of JavaScript. */
const SHORT_TEXT = 64

/** The few names of fields that there are, as bytes. Bounded: names may come from others too. */
const names = new Map<string, Buffer>()
const MAX_NAMES = 1024

function nameOf(key: string): Buffer {
  const known = names.get(key)
  if (known !== undefined) return known
  const made = Buffer.from(key)
  if (names.size < MAX_NAMES && made.byteLength <= SHORT_TEXT) names.set(key, made)
  return made
}

/** What the DAG-CBOR library takes for a link when it writes (`multiformats`' way to know one), and then fails on. */
export function passesForALink(value: object): boolean {
  return '/' in value && 'bytes' in value && value['/'] === value.bytes
}

class Writer {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES)
  #at = 0

  taken(): Uint8Array {
    return new Uint8Array(this.#buffer.subarray(0, this.#at))
  }

  value(value: unknown, depth: number): void {
    if (depth > MAX_DEPTH) throw new NotPlain()
    if (typeof value === 'string') this.#text(value)
    else if (typeof value === 'number') this.#integer(value)
    else if (value === null) this.#byte(NULL)
    else if (typeof value === 'boolean') this.#byte(value ? TRUE : FALSE)
    else if (typeof value !== 'object') throw new NotPlain()
    else if (value instanceof Uint8Array) {
      this.#head(MAJOR.bytes, value.byteLength)
      this.#bytes(value)
    } else if (Array.isArray(value)) {
      this.#head(MAJOR.list, value.length)
      // A hole is undefined, which is no plain data.
      for (let index = 0; index < value.length; index += 1) this.value(value[index], depth + 1)
    } else this.#map(value, depth)
  }

  /** Of anything but a plain object only the fields count; those that are undefined are not there. */
  #map(value: object, depth: number): void {
    if (passesForALink(value)) throw new NotPlain()
    const fields: { name: Buffer; item: unknown }[] = []
    for (const [key, item] of Object.entries(value))
      if (item !== undefined) fields.push({ name: nameOf(key), item })
    fields.sort(
      (one, other) => one.name.byteLength - other.name.byteLength || Buffer.compare(one.name, other.name)
    )
    this.#head(MAJOR.map, fields.length)
    for (const { name, item } of fields) {
      this.#head(MAJOR.text, name.byteLength)
      this.#bytes(name)
      this.value(item, depth + 1)
    }
  }

  #integer(value: number): void {
    if (!Number.isSafeInteger(value)) throw new NotPlain()
    if (value >= 0) this.#head(MAJOR.number, value)
    else this.#head(MAJOR.negative, -1 - value)
  }

  #text(text: string): void {
    const { length } = text
    if (length <= SHORT_TEXT) {
      const before = this.#at
      this.#head(MAJOR.text, length)
      this.#room(length)
      let index = 0
      for (; index < length; index += 1) {
        const letter = text.charCodeAt(index)
        if (letter > 0x7f) break
        this.#buffer[this.#at + index] = letter
      }
      if (index === length) {
        this.#at += length
        return
      }
      this.#at = before
    }
    const bytes = Buffer.byteLength(text)
    this.#head(MAJOR.text, bytes)
    this.#room(bytes)
    this.#at += this.#buffer.write(text, this.#at)
  }

  #head(major: (typeof MAJOR)[keyof typeof MAJOR], number: number): void {
    if (number < 24) this.#byte((major << 5) | number)
    else this.#bytes(cborHead(major, number))
  }

  #byte(byte: number): void {
    this.#room(1)
    this.#buffer[this.#at] = byte
    this.#at += 1
  }

  #bytes(bytes: Uint8Array): void {
    this.#room(bytes.byteLength)
    this.#buffer.set(bytes, this.#at)
    this.#at += bytes.byteLength
  }

  #room(bytes: number): void {
    const needed = this.#at + bytes
    if (needed <= this.#buffer.byteLength) return
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.byteLength))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer = larger
  }
}

/**
 * The DAG-CBOR of plain data, in one walk that also refuses what is none: byte for byte what the library writes, which walks
 * over the tokens of a value that has to be checked first.
 *
 * @throws {NotPlain}
 */
export function canonicalBytes(value: unknown): Uint8Array {
  const writer = new Writer()
  writer.value(value, 0)
  return writer.taken()
}
