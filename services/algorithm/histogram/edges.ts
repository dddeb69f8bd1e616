import { algorithmRefused } from '../algorithm.ts'
import { wholeNumber } from '../columns.ts'
import { type Decimal, decimalParameter } from '../decimal.ts'

/** Where a bin begins: an exact fraction, and the double nearest to it. */
export interface Edge {
  top: bigint
  below: bigint
  double: number
}

export const MAX_BINS = 10_000

const LARGEST = 2n ** 127n - 1n

/**
 * The edges of the bins, either listed or those of `bins` bins of equal width. They come from the parameters alone, never from
 * data, so that all parties have the same.
 *
 * @throws {Failure} algorithm-parameters
 */
export function edgesOf(parameters: Record<string, unknown>): Edge[] {
  const { edges, from, to, bins } = parameters
  const spaced = from !== undefined || to !== undefined || bins !== undefined
  if (edges === undefined && !spaced)
    throw algorithmRefused('edges: expected a list of numbers, or "from", "to" and "bins" instead')
  if (edges !== undefined && spaced)
    throw algorithmRefused('edges: expected either "edges" or "from", "to" and "bins", found both')
  const found = spaced ? equalBins(from, to, bins) : listed(edges)
  const wrong = found.findIndex((edge, index) => index > 0 && edge.double <= (found[index - 1]?.double ?? 0))
  if (wrong < 0) return found
  const at = `${found[wrong]?.double} after ${found[wrong - 1]?.double}`
  throw algorithmRefused(
    spaced
      ? `bins: ${found.length - 1} bins from ${found[0]?.double} to ${found.at(-1)?.double} have no width; "from" must be less than "to"`
      : `edges: expected each to be larger than the one before, found ${at}`
  )
}

function listed(edges: unknown): Edge[] {
  if (!Array.isArray(edges) || edges.length < 2 || edges.length > MAX_BINS + 1)
    throw algorithmRefused(`edges: expected a list of 2 to ${MAX_BINS + 1} numbers`)
  return edges.map((one: unknown, index) => {
    const { top, places } = decimalParameter(one, `edges[${index}]`)
    return edge(top, 10n ** BigInt(places))
  })
}

function equalBins(from: unknown, to: unknown, bins: unknown): Edge[] {
  const low = decimalParameter(from, 'from')
  const high = decimalParameter(to, 'to')
  const count = wholeNumber(bins, 'bins', { min: 1, max: MAX_BINS })
  const places = Math.max(low.places, high.places)
  const scaled = ({ top, places: own }: Decimal): bigint => top * 10n ** BigInt(places - own)
  const [first, last] = [scaled(low), scaled(high)]
  const below = 10n ** BigInt(places) * BigInt(count)
  return Array.from({ length: count + 1 }, (_, index) =>
    edge(first * BigInt(count) + (last - first) * BigInt(index), below)
  )
}

/** More digits than a double has, so that 3/10 is 0.3 and no sum of rounded tenths. */
const DIGITS = 25

function edge(top: bigint, below: bigint): Edge {
  const size = (value: bigint): number => String(value < 0n ? -value : value).length
  const shift = DIGITS - (size(top) - size(below))
  const digits = shift >= 0 ? (top * 10n ** BigInt(shift)) / below : top / (below * 10n ** BigInt(-shift))
  return { top, below, double: Number(`${digits}e${-shift}`) }
}

/**
 * The least value that lies in or above the bin beginning at each edge, as texts: of whole numbers of 10^-places, exactly, or of
 * doubles when `places` is undefined. What equals the last edge is still in the last bin.
 */
export function thresholds(edges: readonly Edge[], places: number | undefined): string[] {
  const last = edges.length - 1
  return edges.map(({ top, below, double }, index) => {
    if (places === undefined) return String(index === last ? nextUp(double) : double)
    const scaled = top * 10n ** BigInt(places)
    const floor = scaled / below - (scaled % below < 0n ? 1n : 0n)
    const least = index === last || floor * below < scaled ? floor + 1n : floor
    return String(least > LARGEST ? LARGEST : least < -LARGEST ? -LARGEST : least)
  })
}

function nextUp(value: number): number {
  if (value === 0) return Number.MIN_VALUE
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  view.setBigUint64(0, view.getBigUint64(0) + (value > 0 ? 1n : -1n))
  return view.getFloat64(0)
}
