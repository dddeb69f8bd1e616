import { expect } from 'chai'
import * as fc from 'fast-check'
import { Engine } from '../../services/engine/index.ts'
import { canonicalColumns, canonicalDigest, headerOf, rowText } from '../../services/runner/canonical.ts'
import { compareRuns, FORGET } from '../../services/runner/compare.ts'
import { quoteText } from '../../services/sql/index.ts'

const SALT = '00'.repeat(16)

describe('the canonical form of a result', function () {
  this.timeout(30_000)
  let engine: Engine
  before(async () => {
    engine = await Engine.open()
  })

  const digest = async (sql: string): Promise<string> =>
    await canonicalDigest(engine, { sql: `(${sql})` }, SALT)
  async function textOf(value: string): Promise<string> {
    const [column] = await canonicalColumns(engine, { sql: `(SELECT ${value} AS v)` })
    if (column === undefined) throw new Error('expected a column')
    return `${column.family} ${await engine.run(`SELECT ${rowText([column])} FROM (SELECT ${value} AS v) AS q`)}`
  }
  async function same(first: string, again: string): Promise<{ same: boolean; digests: boolean }> {
    const compared = await compareRuns(engine, { sql: `(${first})` }, { sql: `(${again})` }, SALT)
    await engine.run(FORGET)
    return { same: compared.same, digests: compared.first === compared.again }
  }

  const FORMS: readonly [value: string, form: string][] = [
    ['5::TINYINT', 'number 5'],
    ['-5::HUGEINT', 'number -5'],
    ['5.00::DECIMAL(9,2)', 'number 5'],
    ['100::DECIMAL(9,0)', 'number 100'],
    ['0.10::DECIMAL(9,2)', 'number 0.1'],
    ['0.1::DOUBLE', 'float 1.000000000e-01'],
    ['0.1::FLOAT', 'float 1.000000015e-01'],
    ['-0.0::DOUBLE', 'float 0'],
    ["'nan'::DOUBLE", 'float NaN'],
    ["'-inf'::FLOAT", 'float -Infinity'],
    ['1.00000000049::DOUBLE', 'float 1.000000000e+00'],
    ['NULL::DOUBLE', 'float null'],
    ['NULL::VARCHAR', 'text null'],
    ["'null'", 'text "null"'],
    ["''", 'text ""'],
    [`'a"b\\c'`, 'text "a\\"b\\\\c"'],
    ['true', 'boolean true'],
    ["'\\xAA'::BLOB", 'bytes "aa"'],
    ["DATE '2020-02-03'", 'date "2020-02-03"'],
    ["TIMESTAMP '2020-02-03 04:05:06.100'", 'timestamp "2020-02-03 04:05:06.1"'],
    ["TIMESTAMP_NS '2020-02-03 04:05:06.1'", 'timestamp "2020-02-03 04:05:06.1"'],
    ["TIMESTAMPTZ '2020-02-03 04:05:06+02'", 'timestamptz "2020-02-03 02:05:06+00"'],
    ["'9122593e-61e7-4d66-af9b-5c7ae2b469b3'::UUID", 'text "9122593e-61e7-4d66-af9b-5c7ae2b469b3"'],
    ['[1, NULL]', '[number] [1,null]'],
    ['[]::INTEGER[]', '[number] []'],
    ['NULL::INTEGER[]', '[number] null'],
    ['[[0.1::DOUBLE], NULL]', '[[float]] [[1.000000000e-01],null]'],
    ['[1, 2]::INTEGER[2]', '[number] [1,2]'],
    ["{'b': 1, 'a': 'x'}", '{"a":text,"b":number} {"a":"x","b":1}'],
    ["CASE WHEN false THEN {'a': 1} END", '{"a":number} null'],
    ["MAP {'b': 1, 'a': 2}", '<text:number> <"a":2,"b":1>']
  ]
  for (const [value, form] of FORMS)
    it(`writes ${value} as ${form}`, async () => {
      expect(await textOf(value)).to.equal(form)
    })

  it('does not depend on the order of columns, nor on integer types or scales', async () => {
    const one = await digest("SELECT 5::INTEGER AS n, 'x' AS t, 1.5::DECIMAL(4,1) AS d")
    expect(await digest("SELECT 'x' AS t, 1.500::DECIMAL(9,3) AS d, 5::BIGINT AS n")).to.equal(one)
  })

  it('names each column, so that two columns changed for each other differ', async () => {
    expect(await digest('SELECT 1 AS a, 2 AS b')).not.to.equal(await digest('SELECT 2 AS a, 1 AS b'))
    expect(headerOf(await canonicalColumns(engine, { sql: `(SELECT 1 AS "b,", 2 AS a)` }))).to.equal(
      '"a" number,"b," number'
    )
  })

  it('tells duplicates, an empty result and a missing row apart', async () => {
    const digests: string[] = []
    for (const values of ['(1)', '(1), (1)', '(1), (1), (1)'])
      digests.push(await digest(`SELECT * FROM (VALUES ${values}) AS t(a)`))
    digests.push(await digest('SELECT 1 AS a WHERE false'))
    expect(new Set(digests).size).to.equal(4)
  })

  it('is another under another salt', async () => {
    const rows = { sql: '(SELECT 1 AS a)' }
    expect(await canonicalDigest(engine, rows, '01'.repeat(16))).not.to.equal(
      await canonicalDigest(engine, rows, SALT)
    )
  })

  const cell = fc.record({
    t: fc.option(fc.string({ maxLength: 4 }).filter((text) => !text.includes('\0'))),
    n: fc.option(fc.integer({ min: -3, max: 3 })),
    f: fc.option(fc.double())
  })
  type Cell = typeof cell extends fc.Arbitrary<infer T> ? T : never
  const double = (value: number): string => `CAST('${String(value).replace('Infinity', 'inf')}' AS DOUBLE)`
  const rowsOf = (rows: readonly Cell[]): string => {
    const values = rows.map(
      ({ t, n, f }) =>
        `(${t === null ? 'NULL::VARCHAR' : quoteText(t)}, ${n ?? 'NULL'}::INTEGER, ${f === null ? 'NULL::DOUBLE' : double(f)})`
    )
    return rows.length === 0
      ? "SELECT ''::VARCHAR AS t, 1::INTEGER AS n, 1::DOUBLE AS f WHERE false"
      : `SELECT * FROM (VALUES ${values.join(', ')}) AS v(t, n, f)`
  }

  it('is the same for the same rows in any order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .array(cell, { maxLength: 8 })
          .chain((rows) =>
            fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length }))
          ),
        async ([rows, shuffled]) => {
          expect(await digest(rowsOf(shuffled))).to.equal(await digest(rowsOf(rows)))
        }
      ),
      { numRuns: 40 }
    )
  })

  it('finds any one cell that was changed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(cell, { minLength: 1, maxLength: 6 }),
        fc.nat(),
        fc.constantFrom('t', 'n', 'f'),
        async (rows, at, column) => {
          const changed = rows.map((row, index): Cell => {
            if (index !== at % rows.length) return row
            if (column === 't') return { ...row, t: `${row.t ?? ''}!` }
            if (column === 'n') return { ...row, n: (row.n ?? 0) + 1 }
            return {
              ...row,
              f:
                row.f === null || !Number.isFinite(row.f)
                  ? 7
                  : row.f === 0
                    ? 1
                    : row.f * 1.000001 === row.f
                      ? 7
                      : row.f * 1.000001
            }
          })
          const found = await same(rowsOf(rows), rowsOf(changed))
          expect(found).to.deep.equal({ same: false, digests: false })
        }
      ),
      { numRuns: 40 }
    )
  })

  it('takes floats for the same that differ in their last digits, in any order of rows', async () => {
    const noisy = fc.record({
      t: fc.option(fc.constantFrom('a', 'b')),
      n: fc.constant(null),
      f: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 }))
    })
    await fc.assert(
      fc.asyncProperty(
        fc
          .array(fc.tuple(noisy, fc.double({ min: -1, max: 1, noNaN: true })), { maxLength: 8 })
          .chain((rows) =>
            fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length }))
          ),
        async ([rows, shuffled]) => {
          const other = shuffled.map(([row, by]) => ({
            ...row,
            f: row.f === null ? null : row.f * (1 + by * 1e-14)
          }))
          expect((await same(rowsOf(rows.map(([row]) => row)), rowsOf(other))).same).to.equal(true)
        }
      ),
      { numRuns: 40 }
    )
  })

  it('compares as numbers what rounding puts on two sides of a boundary', async () => {
    const found = await same('SELECT 1.00000000049999::DOUBLE AS f', 'SELECT 1.00000000050001::DOUBLE AS f')
    expect(found).to.deep.equal({ same: true, digests: false })
  })

  it('does not pair a float with that of another group', async () => {
    const groups = (a: string, b: string): string =>
      `SELECT * FROM (VALUES ('a', ${a}::DOUBLE), ('b', ${b}::DOUBLE)) AS t(g, f)`
    expect((await same(groups('1', '2'), groups('2', '1'))).same).to.equal(false)
  })

  it('finds other columns and other types', async () => {
    expect((await same('SELECT 1 AS a', 'SELECT 1 AS b')).same).to.equal(false)
    expect((await same('SELECT 1 AS a', "SELECT '1' AS a")).same).to.equal(false)
    expect((await same('SELECT 1::INTEGER AS a', 'SELECT 1::DOUBLE AS a')).same).to.equal(false)
  })
})
