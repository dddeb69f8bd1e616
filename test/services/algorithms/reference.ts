/** The same numbers computed in another way: with whole numbers of any length, and by integrals. */
import { expect } from 'chai'

/** A double as a whole number of 2^-1074, which every double is a multiple of. */
export function units(value: number): bigint {
  const bits = new BigUint64Array(new Float64Array([value]).buffer)[0] ?? 0n
  const power = (bits >> 52n) & 2047n
  const fraction = bits & 0xfffffffffffffn
  const magnitude = power === 0n ? fraction : (fraction | 0x10000000000000n) << (power - 1n)
  return bits >> 63n === 1n ? -magnitude : magnitude
}

/** `sqrt(top / below)` or, with `root: false`, `top / below`, times 2^power. */
export function quotient(top: bigint, below: bigint, power = 0, root = false): number {
  if (top === 0n) return 0
  const negative = top < 0n !== below < 0n
  const [over, under] = [top < 0n ? -top : top, below < 0n ? -below : below]
  let shift = 70 - (over.toString(2).length - under.toString(2).length)
  if (root && shift % 2 !== 0) shift += 1
  const whole = Number(shift >= 0 ? (over << BigInt(shift)) / under : over / (under << BigInt(-shift)))
  const size = root ? Math.sqrt(whole) : whole
  const exponent = power + (root ? -shift / 2 : -shift)
  // in steps: a single factor might be no normal double
  const steps = [Math.trunc(exponent / 3), Math.trunc(exponent / 3), exponent - 2 * Math.trunc(exponent / 3)]
  const found = steps.reduce((product, step) => product * 2 ** step, size)
  return negative ? -found : found
}

const total = (values: readonly bigint[]): bigint => values.reduce((sum, value) => sum + value, 0n)
const dot = (one: readonly bigint[], other: readonly bigint[]): bigint =>
  total(one.map((value, index) => value * (other[index] ?? 0n)))

/** n times the sum of products of deviations from the means. */
function scatter(x: readonly bigint[], y: readonly bigint[]): bigint {
  return BigInt(x.length) * dot(x, y) - total(x) * total(y)
}

export function correlation(x: readonly bigint[], y: readonly bigint[]): number | null {
  const [xx, yy, xy] = [scatter(x, x), scatter(y, y), scatter(x, y)]
  if (xx === 0n || yy === 0n) return null
  const size = quotient(xy * xy, xx * yy, 0, true)
  return xy < 0n ? -size : size
}

/** @param power what one unit is: 2^power */
export function standardDeviation(x: readonly bigint[], power: number): number | null {
  const n = BigInt(x.length)
  return n < 2n ? null : quotient(scatter(x, x), n * (n - 1n), power, true)
}

/** By Bareiss's elimination, which stays within whole numbers. */
function determinant(matrix: readonly (readonly bigint[])[]): bigint {
  const m = matrix.map((row) => [...row])
  const at = (i: number, j: number): bigint => m[i]?.[j] ?? 0n
  let sign = 1n
  let before = 1n
  for (let k = 0; k < m.length - 1; k += 1) {
    const pivot = m.findIndex((_, i) => i >= k && at(i, k) !== 0n)
    if (pivot < 0) return 0n
    if (pivot !== k) {
      const [one, other] = [m[k] ?? [], m[pivot] ?? []]
      m[k] = other
      m[pivot] = one
      sign = -sign
    }
    for (let i = k + 1; i < m.length; i += 1) {
      const row = m[i] ?? []
      m[i] = row.map((value, j) => (j <= k ? value : (value * at(k, k) - at(i, k) * at(k, j)) / before))
    }
    before = at(k, k)
  }
  return m.length === 0 ? 1n : sign * at(m.length - 1, m.length - 1)
}

export interface Fit {
  estimates: number[]
  errors: number[]
  r2: number
  /** The least share of a predictor's variance that the others leave unexplained. */
  tolerance: number
}

/**
 * Least squares over whole numbers, intercept first; undefined when the predictors are collinear.
 *
 * @param one what stands for 1 in the unit of the numbers
 */
export function leastSquares(
  outcome: readonly bigint[],
  predictors: readonly (readonly bigint[])[],
  one: bigint
): Fit | undefined {
  const n = outcome.length
  const x = [outcome.map(() => one), ...predictors]
  const gram = x.map((row) => x.map((other) => dot(row, other)))
  const products = x.map((row) => dot(row, outcome))
  const det = determinant(gram)
  if (det === 0n) return undefined
  const replaced = (k: number): bigint =>
    determinant(gram.map((row, i) => row.map((value, j) => (j === k ? (products[i] ?? 0n) : value))))
  const tops = x.map((_, k) => replaced(k))
  const minors = x.map((_, k) =>
    determinant(gram.filter((_row, i) => i !== k).map((row) => row.filter((_value, j) => j !== k)))
  )
  // times det
  const rest = det * dot(outcome, outcome) - total(tops.map((top, k) => top * (products[k] ?? 0n)))
  const all = scatter(outcome, outcome)
  const df = BigInt(n - x.length)
  return {
    estimates: tops.map((top) => quotient(top, det)),
    errors: minors.map((minor) => (df <= 0n ? Number.NaN : quotient(rest * minor, det * det * df, 0, true))),
    r2: all === 0n ? Number.NaN : 1 - quotient(rest * BigInt(n), det * all),
    tolerance: Math.min(
      ...predictors.map((row, k) => quotient(det * BigInt(n), (minors[k + 1] ?? 1n) * scatter(row, row)))
    )
  }
}

/** Abramowitz & Stegun 26.4.4-5: a finite sum for whole degrees of freedom; every term is positive. */
export function chiSquaredTail(x: number, df: number): number {
  const even = df % 2 === 0
  let term = even ? 1 : Math.sqrt((2 * x) / Math.PI)
  let sum = even ? 1 : 0
  if (!even && df > 1) sum += term
  for (let k = even ? 2 : 3; k < df; k += 2) {
    term *= x / k
    sum += term
  }
  return even ? sum * Math.exp(-x / 2) : erfc(Math.sqrt(x / 2)) + sum * Math.exp(-x / 2)
}

/** By Simpson's rule over a smooth integrand that has fallen to nothing at the end. */
export function erfc(z: number): number {
  const integral = simpson((u) => Math.exp(-u * (2 * z + u)), 0, 12, 20_000)
  return integral * (2 / Math.sqrt(Math.PI)) * Math.exp(-z * z)
}

/** Two-sided tail by Simpson's rule on the angle: `t = sqrt(df) * tan(a)` makes the density `cos(a)^(df - 1)`. */
export function studentTail(t: number, df: number): number {
  const integral = (low: number): number => {
    // what lies further away than 30 standard deviations is nothing
    const high = Math.min(Math.PI / 2, low + 30 / Math.sqrt(df))
    return simpson((a) => Math.max(0, Math.cos(a)) ** (df - 1), low, high, 20_000)
  }
  return integral(Math.atan(Math.abs(t) / Math.sqrt(df))) / integral(0)
}

function simpson(density: (at: number) => number, low: number, high: number, steps: number): number {
  const width = (high - low) / steps
  let sum = 0
  for (let i = 0; i <= steps; i += 1) {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 0 ? 2 : 4
    sum += weight * density(low + i * width)
  }
  return (sum * width) / 3
}

/**
 * Equal to 1e-9 of the value, or of `scale` where a value near 0 is the difference of larger ones.
 */
export function expectNear(found: unknown, wanted: number | null, at: string, scale = 0): void {
  if (wanted === null || !Number.isFinite(wanted)) {
    expect(found, at).to.deep.equal(wanted)
    return
  }
  expect(found, at).to.be.a('number')
  // doubles below 1e-307 have fewer digits
  const allowed = Math.max(Math.abs(wanted) * 1e-9, scale * 1e-9, 1e-316)
  expect(Math.abs(Number(found) - wanted), `${at}: ${found}, expected ${wanted}`).to.be.at.most(allowed)
}
