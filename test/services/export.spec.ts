import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import * as fc from 'fast-check'
import type { Launcher } from '../../agent/jobs/index.ts'
import { Engine } from '../../services/engine/index.ts'
import type { Assignment } from '../../services/index.ts'
import { copyParts, outputList } from '../../services/runner/parts.ts'
import { quoteText } from '../../services/sql/index.ts'
import { aLauncher, cleanUp, failureOf, LIMITS } from '../jobs/launchers.ts'

type Export = Extract<Assignment, { kind: 'export' }>

const HUGE = '99999999999999999999999999999999999999'

/** What a value of each type is in JSON and in CSV, after it has been in Parquet. */
const TYPES: readonly [sql: string, json: unknown, csv: string][] = [
  ['true', true, 'true'],
  ['(-7)::TINYINT', -7, '-7'],
  ['9007199254740991', 9007199254740991, '9007199254740991'],
  ['9007199254740992', '9007199254740992', '9007199254740992'],
  ['18446744073709551615::UBIGINT', '18446744073709551615', '18446744073709551615'],
  [`${HUGE}::HUGEINT`, HUGE, HUGE],
  ['5::HUGEINT', 5, '5'],
  ['1.10::DECIMAL(9,2)', '1.10', '1.10'],
  ['0.1::FLOAT', 0.1, '0.1'],
  ['16777217::FLOAT', 16777216, '16777216'],
  ['[0.1::FLOAT, NULL]', [0.1, null], '"[0.1,null]"'],
  ["{'f': 0.1::FLOAT}", { f: 0.1 }, '"{""f"":0.1}"'],
  ['0.1::DOUBLE', 0.1, '0.1'],
  ['1e300::DOUBLE', 1e300, '1e+300'],
  ["'nan'::DOUBLE", 'NaN', 'NaN'],
  ["'-inf'::DOUBLE", '-Infinity', '-Infinity'],
  ["'inf'::FLOAT", 'Infinity', 'Infinity'],
  ["'a,b'", 'a,b', '"a,b"'],
  ["''", '', '""'],
  ["'NULL'", 'NULL', 'NULL'],
  ["'two\nlines'", 'two\nlines', '"two\nlines"'],
  ["' \u{1f642} <b>\"'", ' \u{1f642} <b>"', '" \u{1f642} <b>"""'],
  ['NULL', null, ''],
  ["DATE '2020-02-03'", '2020-02-03', '2020-02-03'],
  ["DATE '0044-03-15 (BC)'", '-000043-03-15', '-000043-03-15'],
  ["DATE '12020-02-03'", '+012020-02-03', '+012020-02-03'],
  ["'infinity'::DATE", 'infinity', 'infinity'],
  ["TIME '12:34:56.789'", '12:34:56.789', '12:34:56.789'],
  ["TIMETZ '12:34:56+05:30'", '07:04:56+00', '07:04:56+00'],
  ["TIMESTAMP '2020-02-03 04:05:06.789'", '2020-02-03T04:05:06.789', '2020-02-03T04:05:06.789'],
  ["TIMESTAMP_S '2020-02-03 04:05:06'", '2020-02-03T04:05:06', '2020-02-03T04:05:06'],
  [
    "TIMESTAMP_NS '2020-02-03 04:05:06.789012345'",
    '2020-02-03T04:05:06.789012345',
    '2020-02-03T04:05:06.789012345'
  ],
  ["TIMESTAMPTZ '2020-02-03 04:05:06+02'", '2020-02-03T02:05:06Z', '2020-02-03T02:05:06Z'],
  ["'-infinity'::TIMESTAMPTZ", '-infinity', '-infinity'],
  ["INTERVAL '-3 days 4.000001 seconds'", '-3 days 00:00:04.000001', '-3 days 00:00:04.000001'],
  ["{'INTERVAL': INTERVAL '1 month'}", { INTERVAL: '1 month' }, '"{""INTERVAL"":""1 month""}"'],
  [
    "'9122593e-61e7-4d66-af9b-5c7ae2b469b3'::UUID",
    '9122593e-61e7-4d66-af9b-5c7ae2b469b3',
    '9122593e-61e7-4d66-af9b-5c7ae2b469b3'
  ],
  ["'b'::ENUM('a', 'b')", 'b', 'b'],
  ["'\\xAA\\x00b'::BLOB", 'qgBi', 'qgBi'],
  ["'101'::BIT", '101', '101'],
  ["[DATE '2020-01-01', NULL]", ['2020-01-01', null], '"[""2020-01-01"",null]"'],
  ['[1, 2]::INTEGER[2]', [1, 2], '"[1,2]"'],
  [`[${HUGE}::HUGEINT]`, [HUGE], `"[""${HUGE}""]"`],
  ["{'a': 1.5}", { a: '1.5' }, '"{""a"":""1.5""}"'],
  ["MAP {'k': 1}", [['k', 1]], '"[[""k"",1]]"'],
  ['union_value(n := 1)', '1', '1']
]

describe('a stored result, in the format that is asked for', () => {
  let launcher: Launcher
  let engine: Engine
  cleanUp()
  before(async () => {
    launcher = await aLauncher()
    engine = await Engine.open()
  })

  /** Converts what a party sent, stores that, and exports it. */
  const exported = async (sql: string, more: Partial<Export> = {}, limits = LIMITS) => {
    const first = await launcher.folder()
    await mkdir(join(first.path, 'in', 'VU'))
    const columns = await engine.describe(sql)
    const { sql: copy } = copyParts(
      `SELECT ${outputList(columns)} FROM (${sql}) AS q`,
      join(first.path, 'in', 'VU'),
      8e9
    )
    await engine.run(copy)
    const { report: converted } = await launcher.run(
      {
        kind: 'convert',
        inputs: [{ kind: 'parts', from: 'VU', paths: ['in/VU/part-0.parquet'] }],
        union: true,
        steps: [],
        maxInlineRows: 1000,
        csv: false
      },
      first,
      LIMITS
    )
    const second = await launcher.folder()
    const [result] = converted.results
    if (result === undefined) throw new Error('no result')
    await rename(join(first.path, result.parquet.path), join(second.path, 'in', 'result.parquet'))
    try {
      const { report } = await launcher.run(
        { kind: 'export', path: 'in/result.parquet', format: 'json', offset: 0, ...more },
        second,
        limits
      )
      const file = join(second.path, report.file.path)
      return {
        report,
        inline: result.rows,
        text: more.format === 'parquet' ? '' : await readFile(file, 'utf8'),
        size: (await stat(file)).size
      }
    } finally {
      await first.wipe()
      await second.wipe()
    }
  }

  it('has the right form for every type, in JSON, in CSV and in what is shown at once', async () => {
    const select = `SELECT ${TYPES.map(([sql], index) => `${sql} AS c${index}`).join(', ')}`
    const json = await exported(select)
    const [row = []] = JSON.parse(json.text) as unknown[][]
    for (const [index, [sql, expected]] of TYPES.entries()) {
      expect(row[index], sql).to.deep.equal(expected)
      expect(json.inline[0]?.[index], `${sql} inline`).to.deep.equal(expected)
    }
    const { text } = await exported(select, { format: 'csv' })
    const [, ...lines] = text.split('\n')
    expect(lines.join('\n')).to.equal(`${TYPES.map(([, , csv]) => csv).join(',')}\n`)
  })

  it('gives a page of rows in their order, and none beyond the end', async () => {
    const sql = 'SELECT i::BIGINT AS i FROM range(5000) t(i)'
    const rows = async (offset: number, limit?: number) =>
      JSON.parse(
        (await exported(sql, { offset, ...(limit === undefined ? {} : { limit }) })).text
      ) as number[][]
    expect(await rows(4095, 3)).to.deep.equal([[4095], [4096], [4097]])
    expect(await rows(4999, 100)).to.deep.equal([[4999]])
    expect(await rows(4998)).to.deep.equal([[4998], [4999]])
    expect(await rows(5000, 10)).to.deep.equal([])
  })

  it('says how many rows a page has, also as CSV and Parquet', async () => {
    for (const format of ['json', 'csv', 'parquet'] as const) {
      const { report, size } = await exported('SELECT i, NULL AS n FROM range(10) t(i)', {
        format,
        offset: 4,
        limit: 3
      })
      expect(report.rows, format).to.equal(3)
      expect(report.file.bytes).to.equal(size)
    }
  })

  it('has a header and no lines when there is no row', async () => {
    expect((await exported('SELECT 1 AS "a,b", 2 AS c WHERE FALSE', { format: 'csv' })).text).to.equal(
      '"a,b",c\n'
    )
    expect(JSON.parse((await exported('SELECT 1 AS a WHERE FALSE')).text)).to.deep.equal([])
  })

  it('fails as a job whose disk is too small for it', async () => {
    const large = 'SELECT repeat(hash(i)::VARCHAR, 4) AS h FROM range(200000) t(i)'
    const failure = await failureOf(exported(large, {}, { ...LIMITS, disk: 4 * 1024 * 1024 }))
    expect(failure.code).to.equal('disk-limit')
  })

  it('is read back by others as it was: CSV and JSON of any values', async () => {
    const text = fc
      .string({ unit: 'grapheme', maxLength: 12 })
      .filter((value) => !value.includes('\0') && value.isWellFormed())
    const row = fc.record({
      t: fc.option(text),
      i: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      // JSON has no -0
      d: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)),
      s: fc.option(fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }))
    })
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
        const values = rows.map(({ t, i, d, s }) =>
          [
            t === null ? 'NULL' : quoteText(t),
            i === null ? 'NULL' : `${i}`,
            d === null ? 'NULL' : `'${d}'`,
            s === null ? 'NULL' : quoteText(s.toISOString())
          ].join(', ')
        )
        const sql = `SELECT t::VARCHAR AS t, i::BIGINT AS i, d::DOUBLE AS d, s::TIMESTAMPTZ AS s FROM (VALUES ${values.map((one) => `(${one})`).join(', ')}) v(t, i, d, s)`
        const folder = await launcher.folder()
        const csv = join(folder.path, 'read.csv')
        const { text: written } = await exported(sql, { format: 'csv' })
        await writeFile(csv, written)
        const [[different] = []] = await engine.rows(
          `SELECT count(*) FROM ((${sql} EXCEPT ALL SELECT * FROM read_csv(${quoteText(csv)}, header = true, quote = '"', escape = '"', delim = ',', new_line = '\\n', allow_quoted_nulls = false, columns = {t: 'VARCHAR', i: 'BIGINT', d: 'DOUBLE', s: 'TIMESTAMPTZ'})))`
        )
        await folder.wipe()
        expect(Number(different)).to.equal(0)
        const json = JSON.parse((await exported(sql)).text) as [
          string | null,
          string | number | null,
          number | null,
          string | null
        ][]
        expect(
          json.map(([t, i, d, s]) => [t, i === null ? null : BigInt(i), d, s === null ? null : Date.parse(s)])
        ).to.deep.equal(rows.map(({ t, i, d, s }) => [t, i, d, s === null ? null : s.getTime()]))
      }),
      { numRuns: 8 }
    )
  })
})
