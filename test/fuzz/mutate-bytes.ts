import type { Mutator, Random } from './random.ts'

const EXTREMES = [0, 1, 0x7f, 0x80, 0xff, 0x1f, 0x3f, 0xc2, 0xef, 10, 13, 34, 92] as const

function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces))
}

function range(bytes: Uint8Array, random: Random): [number, number] {
  const start = random.below(bytes.byteLength + 1)
  return [start, Math.min(bytes.byteLength, start + 1 + random.below(random.chance(4) ? 256 : 8))]
}

/** Knows nothing of a format: bits, bytes, pieces cut, doubled, swapped with another input. */
export const mutateBytes: Mutator = (input, random, other) => {
  let bytes = input
  for (let times = 1 + random.below(4); times > 0; times -= 1) {
    const [start, end] = range(bytes, random)
    const before = bytes.subarray(0, start)
    const piece = bytes.subarray(start, end)
    const after = bytes.subarray(end)
    switch (random.below(7)) {
      case 0: {
        const copy = bytes.slice()
        copy[start] = (copy[start] ?? 0) ^ (1 << random.below(8))
        bytes = copy
        break
      }
      case 1: {
        const copy = bytes.slice()
        copy[start] = random.pick(EXTREMES)
        bytes = copy
        break
      }
      case 2:
        bytes = joined(before, after)
        break
      case 3:
        bytes = joined(before, Uint8Array.of(random.below(256), random.pick(EXTREMES)), piece, after)
        break
      case 4:
        bytes = joined(before, ...Array.from({ length: 2 + random.below(16) }, () => piece), after)
        break
      case 5: {
        const [from, to] = range(other, random)
        bytes = joined(before, other.subarray(from, to), after)
        break
      }
      default:
        bytes = random.chance(4) ? before : joined(after, before)
    }
  }
  return bytes
}
