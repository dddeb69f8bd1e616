import { expect } from 'chai'
import { withChiSquaredTail, withStudentTail } from '../../../services/algorithm/tails/index.ts'
import { Engine } from '../../../services/engine/index.ts'
import { chiSquaredTail, erfc, expectNear, studentTail } from './reference.ts'

describe('tail probabilities', () => {
  let engine: Engine
  before(async () => {
    engine = await Engine.open()
  })
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
