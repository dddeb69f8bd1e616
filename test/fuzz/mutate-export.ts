import type { Draft } from '../audit/export-builder.ts'
import { mutateBytes } from './mutate-bytes.ts'
import { mutateCbor } from './mutate-cbor.ts'
import type { Mutator, Random } from './random.ts'

/** The bodies of the records of an export: a length stands before each. */
export function recordsIn(bytes: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = []
  for (let at = 0; at < bytes.byteLength; ) {
    let length = 0
    let factor = 1
    let byte = 0x80
    for (; byte >= 0x80; factor *= 128) {
      byte = bytes[at++] ?? 0
      length += (byte & 0x7f) * factor
    }
    records.push(bytes.slice(at, at + length))
    at += length
  }
  return records
}

function lengthOf(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return [...bytes, rest]
}

/** Lengths that no record has. */
const LIES = [0, 1, 127, 128, 2 ** 14, 2 ** 20, 2 ** 31, 2 ** 32, 2 ** 53] as const
const REPEATED = [2, 3, 50, 2000] as const

function written(records: readonly Uint8Array[], lie: { at: number; length: number } | null): Uint8Array {
  const pieces: Uint8Array[] = []
  for (const [index, record] of records.entries()) {
    const length = lie?.at === index ? lie.length : record.byteLength
    pieces.push(Uint8Array.from(lengthOf(length)), record)
  }
  return new Uint8Array(Buffer.concat(pieces))
}

/** Changes an export by its records: left out, doubled, in another order, of another's export, changed inside, with lengths that lie. */
export const mutateExport: Mutator = (input, random, other) => {
  if (random.chance(8)) return mutateBytes(input, random, other)
  const records = recordsIn(input)
  const others = recordsIn(other)
  let lie: { at: number; length: number } | null = null
  for (let times = 1 + random.below(3); times > 0; times -= 1) {
    const at = random.below(records.length + 1)
    const record = records[at]
    switch (random.below(8)) {
      case 0:
        records.splice(at, 1 + random.below(3))
        break
      case 1:
        if (record !== undefined)
          records.splice(at, 0, ...Array.from({ length: random.pick(REPEATED) }, () => record))
        break
      case 2:
        records.splice(random.below(records.length + 1), 0, ...records.splice(at, 1 + random.below(8)))
        break
      case 3: {
        const from = random.below(others.length + 1)
        records.splice(at, random.below(4), ...others.slice(from, from + 1 + random.below(8)))
        break
      }
      case 4:
        records.push(...others)
        break
      case 5:
        lie = { at, length: random.pick(LIES) }
        break
      default:
        if (record !== undefined) records[at] = mutateCbor(record, random, random.pick(others) ?? record)
    }
  }
  return written(records, lie)
}

const ODD: readonly unknown[] = [
  null,
  '',
  0,
  -1,
  2 ** 53 - 1,
  true,
  [],
  {},
  new Uint8Array(32),
  'x'.repeat(20_000),
  '<script>',
  '__proto__',
  ['a', 'a'],
  { '/': 'a' }
]

/** Every place in a value that holds another. */
function placesIn(value: unknown, found: { set(to: unknown): void; value: unknown }[] = [], depth = 0) {
  if (depth > 40 || value === null || typeof value !== 'object' || value instanceof Uint8Array) return found
  for (const [key, inner] of Object.entries(value)) {
    const set = (to: unknown) => void Reflect.set(value, key, to)
    found.push({ set, value: inner })
    placesIn(inner, found, depth + 1)
  }
  return found
}

function deep(value: unknown, depth: number): unknown {
  let inner = value
  for (let level = 0; level < depth; level += 1) inner = [inner]
  return inner
}

/** Changes what a party that signs anew could change: records, and single fields of what they hold. */
export function tamperWith(drafts: Draft[], random: Random): void {
  for (let times = 1 + random.below(3); times > 0; times -= 1) {
    const at = random.below(drafts.length)
    const draft = drafts[at]
    if (draft === undefined) return
    switch (random.below(7)) {
      case 0:
        drafts.splice(at, 1)
        break
      case 1:
        drafts.splice(random.below(drafts.length), 0, structuredClone(draft))
        break
      case 2:
        drafts.splice(random.below(drafts.length), 0, ...drafts.splice(at, 1))
        break
      default: {
        const places = placesIn(draft)
        const place = random.pick(places)
        const donor = random.pick(places)?.value
        if (random.chance(3)) place?.set(structuredClone(donor))
        else if (random.chance(8)) place?.set(deep(place.value, random.pick([1, 20, 40])))
        else place?.set(random.pick(ODD))
      }
    }
  }
}
