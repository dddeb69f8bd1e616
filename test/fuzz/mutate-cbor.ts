import { mutateBytes } from './mutate-bytes.ts'
import type { Mutator, Random } from './random.ts'

/** A value of CBOR as it stands in bytes; what is written need not be what a reader would write. */
interface Item {
  major: number
  argument: number
  /** Of texts and byte strings. */
  bytes: Uint8Array
  /** Of lists; of maps key, value, key, value. */
  items: Item[]
  /** Written in the place of all the above. */
  raw?: Uint8Array
  /** Added to the true length. */
  lie?: number
  /** Bytes of the argument, when more than it needs. */
  width?: number
}

const NONE = new Uint8Array(0)
const UNFIT = new Error('no CBOR that can be changed by its structure')

class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  item(depth = 0): Item {
    const first = this.#bytes[this.#at]
    if (first === undefined || depth > 64) throw UNFIT
    const start = this.#at
    this.#at += 1
    const major = first >> 5
    if (major >= 6)
      return { major, argument: 0, bytes: NONE, items: [], raw: this.#bytes.slice(start, this.#at) }
    const argument = this.#argument(first & 0x1f)
    const item: Item = { major, argument, bytes: NONE, items: [] }
    if (major === 2 || major === 3) {
      if (this.#at + argument > this.#bytes.byteLength) throw UNFIT
      item.bytes = this.#bytes.slice(this.#at, this.#at + argument)
      this.#at += argument
    } else if (major >= 4) {
      const count = major === 5 ? argument * 2 : argument
      for (let index = 0; index < count; index += 1) item.items.push(this.item(depth + 1))
    }
    return item
  }

  #argument(low: number): number {
    if (low < 24) return low
    if (low > 27) throw UNFIT
    const width = 1 << (low - 24)
    const value = this.#bytes.subarray(this.#at, this.#at + width).reduce((sum, byte) => sum * 256 + byte, 0)
    this.#at += width
    return value
  }
}

function head(major: number, argument: number, least = 0): Uint8Array {
  const need =
    argument < 24 ? 0 : argument < 0x100 ? 1 : argument < 0x1_0000 ? 2 : argument < 0x1_0000_0000 ? 4 : 8
  const width = Math.max(need, least)
  const bytes = new Uint8Array(1 + width)
  bytes[0] = (major << 5) | (width === 0 ? argument : 24 + Math.log2(width))
  for (let at = width, rest = argument; at > 0; at -= 1, rest = Math.floor(rest / 256)) bytes[at] = rest % 256
  return bytes
}

function write(item: Item, into: Uint8Array[]): void {
  if (item.raw !== undefined) {
    into.push(item.raw)
    return
  }
  const { major, bytes, items, lie = 0 } = item
  const counted =
    major === 2 || major === 3 ? bytes.byteLength : major === 4 ? items.length : items.length / 2
  const argument = Math.max(0, major < 2 ? item.argument : Math.floor(counted) + lie)
  into.push(head(major, argument, item.width))
  if (bytes.byteLength > 0) into.push(bytes)
  for (const inner of items) write(inner, into)
}

const raw = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes)
const float = (value: number): Uint8Array => {
  const bytes = new Uint8Array(9)
  bytes[0] = 0xfb
  new DataView(bytes.buffer).setFloat64(1, value)
  return bytes
}
const text = (value: string): Uint8Array => {
  const bytes = new Uint8Array(Buffer.from(value))
  return new Uint8Array(Buffer.concat([head(3, bytes.byteLength), bytes]))
}

/** Values that a reader of one kind may take for another, or stumble over. */
const ODD: readonly [Uint8Array, ...Uint8Array[]] = [
  raw(0xf6),
  raw(0xf7),
  raw(0xf5),
  raw(0xf4),
  raw(0xf0),
  raw(0xff),
  raw(0xf9, 0x3c, 0),
  raw(0xf9, 0x7e, 0),
  raw(0xfa, 0x7f, 0x80, 0, 0),
  float(1),
  float(-0),
  float(Number.NaN),
  float(1e300),
  raw(0x80),
  raw(0xa0),
  raw(0x40),
  raw(0x60),
  raw(0x9f, 0xff),
  raw(0xbf, 0xff),
  raw(0x5f, 0x41, 0, 0xff),
  raw(0x61, 0xff),
  raw(0x63, 0xed, 0xa0, 0x80),
  raw(0x63, 0xef, 0xbb, 0xbf),
  raw(0x3b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
  raw(0x1b, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
  raw(0x1b, 0, 0x20, 0, 0, 0, 0, 0, 0),
  raw(0x9b, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff),
  raw(0x5a, 0x7f, 0xff, 0xff, 0xff),
  raw(0xc2, 0x49, 1, 0, 0, 0, 0, 0, 0, 0, 0),
  raw(0xd8, 42, 0x41, 0),
  raw(0x20),
  raw(0),
  text('__proto__'),
  text('constructor'),
  text('/'),
  text('\0'),
  text('\u{1F600}'.repeat(200)),
  text('x'.repeat(5000)),
  text('*')
]

function all(item: Item, into: Item[] = []): Item[] {
  into.push(item)
  for (const inner of item.items) all(inner, into)
  return into
}

function change(item: Item, random: Random, others: readonly Item[]): void {
  const other = random.pick(others)
  switch (random.below(10)) {
    case 0:
      item.raw = random.pick(ODD)
      return
    case 1:
      item.lie = random.pick([-1, 1, 2, 255, 0x7fff_ffff])
      return
    case 2:
      item.width = random.pick([1, 2, 4, 8])
      return
    case 3:
      if (item.items.length > 1) item.items.splice(random.below(item.items.length), item.major === 5 ? 2 : 1)
      return
    case 4:
      item.items.push(...item.items.slice(-2))
      return
    case 5:
      if (item.major === 5 && item.items.length >= 4) item.items.push(...item.items.splice(0, 2))
      else item.items.reverse()
      return
    case 6:
      if (other !== undefined) Object.assign(item, structuredClone(other))
      return
    case 7: {
      // Deep: the same value inside many lists or maps
      const depth = random.pick([1, 30, 40, 2000])
      const opening = random.chance(2) ? raw(0x81) : raw(0xa1, 0x61, 0x61)
      const inner: Uint8Array[] = Array.from({ length: depth }, () => opening)
      write(structuredClone(item), inner)
      item.raw = new Uint8Array(Buffer.concat(inner))
      return
    }
    case 8:
      if (item.major === 2 || item.major === 3) item.bytes = mutateBytes(item.bytes, random, item.bytes)
      else item.argument = random.pick([0, 23, 24, 255, 256, 65_536, 2 ** 32, 2 ** 53 - 1, 2 ** 53])
      return
    default:
      item.major = random.below(6)
  }
}

/**
 * Changes DAG-CBOR by its structure: kinds, lengths that lie, keys twice or out of order, longer forms of numbers, floats,
 * tags, indefinite lengths, depth. Bytes that are no CBOR are changed as bytes.
 */
export const mutateCbor: Mutator = (input, random, other) => {
  if (random.chance(6)) return mutateBytes(input, random, other)
  let root: Item
  let others: Item[] = []
  try {
    root = new Reader(input).item()
    others = random.chance(2) ? all(root).map((item) => structuredClone(item)) : all(new Reader(other).item())
  } catch {
    return mutateBytes(input, random, other)
  }
  for (let times = 1 + random.below(3); times > 0; times -= 1) {
    const item = random.pick(all(root))
    if (item !== undefined) change(item, random, others)
  }
  const out: Uint8Array[] = []
  write(root, out)
  return new Uint8Array(Buffer.concat(out))
}
