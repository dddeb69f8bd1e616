import { QUERY } from './data.ts'

const WIDE = 'SELECT p.gender, p.age, j.wage, j.occupation FROM person p JOIN job j USING (id)'

/** An algorithm to be measured beside `average`, and how DuckDB says the same. */
export interface AlgorithmCase {
  query: string
  algorithm: { name: string; parameters: Record<string, unknown> }
  /** What DuckDB is asked: before and after FROM. */
  over: readonly [before: string, after: string]
  /** The columns of the answer that DuckDB gives too, in its order. */
  same: readonly number[]
}

export const ALGORITHMS: readonly AlgorithmCase[] = [
  {
    query: QUERY,
    algorithm: {
      name: 'histogram',
      parameters: { value: 'wage', edges: [4, 14, 24, 34, 44], by: ['gender'] }
    },
    over: [
      'SELECT gender, b.bin, count(wage) FILTER (WHERE CAST(floor((wage - 4) / 10) AS INTEGER) + 1 - CASE WHEN wage = 44 THEN 1 ELSE 0 END = b.bin)',
      'CROSS JOIN range(6) AS b(bin) GROUP BY gender, b.bin ORDER BY gender, b.bin'
    ],
    same: [0, 1, 4]
  },
  {
    query: WIDE,
    algorithm: { name: 'crosstab', parameters: { rows: 'gender', columns: 'occupation' } },
    over: ['SELECT gender, occupation, count(*)', 'GROUP BY gender, occupation ORDER BY gender, occupation'],
    same: [0, 1, 2]
  },
  {
    query: WIDE,
    algorithm: { name: 'regression', parameters: { outcome: 'wage', predictors: ['age'] } },
    over: [
      "SELECT unnest(['(intercept)', 'age']), unnest([regr_intercept(wage, age), regr_slope(wage, age)]), regr_r2(wage, age)",
      ''
    ],
    same: [0, 1, 7]
  },
  {
    query: `${QUERY} WHERE j.wage > 43.9`,
    algorithm: { name: 'table', parameters: {} },
    over: ['SELECT gender, wage', ''],
    same: [0, 1]
  }
]

/** Beside 1: what is all but 0 in DuckDB's answer is noise there. */
const TOLERANCE = 1e-9

const texts = (rows: readonly (readonly unknown[])[]) =>
  rows.map((row) => row.map(String)).sort((one, other) => (one.join() < other.join() ? -1 : 1))

/** @throws {Error} when an answer is not DuckDB's */
export function assertRows(
  { algorithm, same }: AlgorithmCase,
  found: readonly (readonly unknown[])[],
  expected: readonly (readonly unknown[])[]
): void {
  const rows = found.map((row) => same.map((column) => row[column]))
  const [ours, theirs] = algorithm.name === 'table' ? [texts(rows), texts(expected)] : [rows, expected]
  const near = (one: unknown, other: unknown) =>
    String(one) === String(other) ||
    Math.abs(Number(one) - Number(other)) <= TOLERANCE * Math.max(1, Math.abs(Number(other)))
  const different = theirs.findIndex((row, index) => row.some((cell, at) => !near(ours[index]?.[at], cell)))
  if (different < 0 && ours.length === theirs.length) return
  const shown = (list: readonly (readonly unknown[])[]) => String(list[Math.max(different, 0)])
  throw new Error(
    `${algorithm.name}: expected ${theirs.length} rows as DuckDB answers, ${shown(theirs)}, found ${ours.length}, ${shown(ours)}`
  )
}
