import { expect } from 'chai'
import { withChiSquaredTail, withStudentTail } from '../../../services/algorithm/tails/index.ts'
import { Engine } from '../../../services/engine/index.ts'

/** Abramowitz & Stegun 26.4.4-5: a finite sum for whole degrees of freedom; every term is positive. */
function chiSquaredTail(x: number, df: number): number {
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
function erfc(z: number): number {
  const steps = 20_000
  const width = 12 / steps
  let sum = 0
  for (let i = 0; i <= steps; i += 1) {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 0 ? 2 : 4
    const u = i * width
    sum += weight * Math.exp(-u * (2 * z + u))
  }
  return ((sum * width) / 3) * (2 / Math.sqrt(Math.PI)) * Math.exp(-z * z)
}

/** Two-sided tail by Simpson's rule on the angle: `t = sqrt(df) * tan(a)` makes the density `cos(a)^(df - 1)`. */
function studentTail(t: number, df: number): number {
  const from = Math.atan(Math.abs(t) / Math.sqrt(df))
  const integral = (low: number) => {
    const steps = 20_000
    // what lies further away than 30 standard deviations is nothing
    const high = Math.min(Math.PI / 2, low + 30 / Math.sqrt(df))
    const width = (high - low) / steps
    let sum = 0
    for (let i = 0; i <= steps; i += 1) {
      const weight = i === 0 || i === steps ? 1 : i % 2 === 0 ? 2 : 4
      sum += weight * Math.max(0, Math.cos(low + i * width)) ** (df - 1)
    }
    return (sum * width) / 3
  }
  return integral(from) / integral(0)
}

describe('tail probabilities', () => {
  let engine: Engine
  before(async () => {
    engine = await Engine.open()
  })
  const expectNear = (found: unknown, wanted: number, at: string) =>
    expect(Math.abs(Number(found) - wanted), `${at}: ${found}, expected ${wanted}`).to.be.at.most(
      Math.abs(wanted) * 1e-9
    )
  const pairs = (list: [number, number][]) =>
    `SELECT unnest([${list.map(([x]) => x)}]::DOUBLE[]) AS s, unnest([${list.map(([, df]) => df)}]::BIGINT[]) AS df`

  it('of chi-squared agree with finite sums', async () => {
    const list = [1, 2, 3, 4, 7, 10, 39, 40, 41, 42, 100, 401].flatMap((df): [number, number][] =>
      [0, 0.001, 0.5, 1, df / 2, df, df + 1.5, df + 2.5, 2 * df, df + 100].map((x) => [x, df])
    )
    const rows = await engine.rows(withChiSquaredTail(pairs(list), 's', 'df', 'p'))
    for (const [index, [x, df]] of list.entries())
      expectNear(rows[index]?.[2], chiSquaredTail(x, df), `chi2 ${x}, df ${df}`)
  })

  it('of Student’s t agree with an integral', async () => {
    const list = [1, 2, 3, 5, 10, 39, 40, 41, 200, 100_001].flatMap((df): [number, number][] =>
      [0, 0.01, 0.7, 1.2, 1.7, 1.8, 2, 3, 6].map((t) => [t, df])
    )
    const rows = await engine.rows(withStudentTail(pairs(list), 's', 'df', 'p'))
    for (const [index, [t, df]] of list.entries())
      expectNear(rows[index]?.[2], studentTail(t, df), `t ${t}, df ${df}`)
  })

  it('agree with expansions about the normal where the sums would take long', async () => {
    // a variable of many degrees of freedom is all but normal: Wilson & Hilferty's cube root is good to 1e-6 there
    const [[p] = []] = await engine.rows(
      `SELECT p FROM (${withChiSquaredTail(pairs([[1_001_000, 1_000_000]]), 's', 'df', 'p')})`
    )
    expect(Number(p)).to.be.closeTo(0.2397, 1e-3)
    const [[q] = []] = await engine.rows(
      `SELECT p FROM (${withStudentTail(pairs([[2, 1e6]]), 's', 'df', 'p')})`
    )
    expectNear(q, erfc(Math.SQRT2) + (2 * 2.5 * Math.exp(-2)) / Math.sqrt(2 * Math.PI) / 1e6, 't 2, df 1e6')
  })

  it('are NULL without degrees of freedom, and 0 at the end of the world', async () => {
    expect(await engine.rows(withChiSquaredTail(pairs([[3, 0]]), 's', 'df', 'p'))).to.deep.equal([
      [3, 0n, null]
    ])
    expect(await engine.rows(withStudentTail(pairs([[3, 0]]), 's', 'df', 'p'))).to.deep.equal([[3, 0n, null]])
    expect(
      await engine.rows(withStudentTail("SELECT CAST('inf' AS DOUBLE) AS s, 3 AS df", 's', 'df', 'p'))
    ).to.deep.equal([[Number.POSITIVE_INFINITY, 3, 0]])
  })
})
