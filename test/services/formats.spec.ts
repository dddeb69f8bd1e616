import { copyFile, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { Engine } from '../../services/engine/index.ts'
import { Failure } from '../../services/failure/index.ts'
import type { SourceTable } from '../../services/index.ts'
import { jobPlace } from '../../services/runner/place.ts'
import { runProfile } from '../../services/runner/profile.ts'
import { openSource } from '../../services/source/index.ts'
import { quoteName, quoteText } from '../../services/sql/index.ts'
import { inSqlite } from './in-sqlite.ts'
import { scratchFolder } from './scratch.ts'

/** A row of one value of each type that all formats have. */
interface Row {
  whole: bigint | null
  real: number | null
  text: string | null
  day: string | null
  moment: string | null
  yes: boolean | null
}

const NAMES = {
  whole: 'a "whole" number',
  real: 'réal',
  text: "it's text",
  day: 'day',
  moment: 'select',
  yes: 'y n'
}
const TYPES = {
  whole: 'BIGINT',
  real: 'DOUBLE',
  text: 'VARCHAR',
  day: 'DATE',
  moment: 'TIMESTAMP',
  yes: 'BOOLEAN'
}
const KEYS = ['whole', 'real', 'text', 'day', 'moment', 'yes'] as const
const COLUMNS = KEYS.map((key) => ({ name: NAMES[key], type: TYPES[key] }))

const day = (n: number) => new Date(n * 86_400_000).toISOString().slice(0, 10)
const nullable = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: null, freq: 6 })
const aRow = fc.record<Row>({
  whole: nullable(
    fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constantFrom(0n, 2n ** 53n + 1n))
  ),
  // SQLite and JSON have no negative zero: SQLite stores zero, DuckDB reads JSON's as zero
  real: nullable(fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (n === 0 ? 0 : n))),
  text: nullable(
    fc.oneof(fc.string({ unit: 'grapheme', minLength: 1 }), fc.constantFrom('😀', '007', ' ', 'é"\n,;'))
  ),
  day: nullable(fc.integer({ min: -700_000, max: 2_932_896 }).map(day)),
  moment: nullable(
    fc
      .record({
        date: fc.integer({ min: -700_000, max: 2_932_896 }).map(day),
        micros: fc.nat({ max: 86_399_999_999 })
      })
      .map(({ date, micros }) => {
        const [, time = ''] = new Date(Math.floor(micros / 1000)).toISOString().split(/[TZ.]/)
        return `${date} ${time}.${String(micros % 1_000_000).padStart(6, '0')}`
      })
  ),
  yes: nullable(fc.boolean())
})

describe('the same table', () => {
  let engine: Engine
  let folder: string
  before(async () => {
    engine = await Engine.open()
    folder = await scratchFolder()
    await mkdir(jobPlace(folder).scratch)
  })

  const read = async (format: SourceTable['format'], more: Partial<SourceTable> = {}) => {
    const source = await openSource(
      { name: 't', path: join(folder, `t.${format}`), format, columns: COLUMNS, ...more },
      jobPlace(folder).scratch,
      engine
    )
    const list = source.columns.map(({ name }) => `CAST(${quoteName(name)} AS VARCHAR)`)
    return {
      columns: source.columns,
      rows: await engine.rows(`SELECT ${list.join(', ')} FROM (${source.sql})`)
    }
  }

  const asText = (row: Row) =>
    KEYS.map((key) => {
      const value = row[key]
      return value === null ? null : typeof value === 'number' && Object.is(value, 0) ? '0' : String(value)
    })

  const write: Record<string, (rows: readonly Row[]) => Promise<void>> = {
    async csv(rows) {
      const field = (text: string | null) => (text === null ? '' : `"${text.replaceAll('"', '""')}"`)
      const lines = [Object.values(NAMES), ...rows.map(asText)].map((row) => row.map(field).join(','))
      await writeFile(join(folder, 't.csv'), `${lines.join('\n')}\n`)
    },
    async json(rows) {
      const lines = rows.map((row) => {
        const fields = KEYS.map((key) => {
          const value = row[key]
          const text = typeof value === 'bigint' ? String(value) : JSON.stringify(value)
          return `${JSON.stringify(NAMES[key])}:${text}`
        })
        return `{${fields.join(',')}}`
      })
      await writeFile(join(folder, 't.json'), `${lines.join('\n')}\n`)
    },
    async parquet(rows) {
      const lists = rows.map(
        (row) =>
          `(${asText(row).map((text, index) => `CAST(${text === null ? 'NULL' : quoteText(text)} AS ${COLUMNS[index]?.type})`)})`
      )
      const names = Object.values(NAMES).map(quoteName)
      await engine.run(
        `COPY (SELECT * FROM (VALUES ${lists.join(', ')}) AS v(${names})) TO ${quoteText(join(folder, 't.parquet'))} (FORMAT parquet)`
      )
    },
    async sqlite(rows) {
      await rm(join(folder, 't.sqlite'), { force: true })
      const list = COLUMNS.map(({ name, type }) => `${quoteName(name)} ${type}`)
      const values = rows.map(
        (row) =>
          `(${KEYS.map((key) => {
            const value = row[key]
            if (value === null) return 'NULL'
            // a literal of 1e-301 loses digits in SQLite's own reading
            return typeof value === 'string'
              ? quoteText(value)
              : typeof value === 'number'
                ? '?'
                : String(value)
          })})`
      )
      const reals = rows.flatMap(({ real }) => (real === null ? [] : [real]))
      await inSqlite(join(folder, 't.sqlite'), [
        `CREATE TABLE t (${list})`,
        [`INSERT INTO t VALUES ${values}`, ...reals]
      ])
    }
  }

  it('gives the same values and types in every format', async function () {
    this.timeout(60_000)
    await fc.assert(
      fc.asyncProperty(fc.array(aRow, { minLength: 1, maxLength: 12 }), async (rows) => {
        for (const one of Object.values(write)) await one(rows)
        const csv = await read('csv')
        expect(csv.columns).to.deep.equal(COLUMNS)
        for (const format of ['json', 'parquet', 'sqlite'] as const)
          expect(await read(format), format).to.deep.equal(csv)
        // numbers are as they were written, to the last digit
        expect(csv.rows.map(([whole]) => whole)).to.deep.equal(
          rows.map(({ whole }) => (whole === null ? null : String(whole)))
        )
        expect(csv.rows.map(([, real]) => (real === null ? null : Number(real)))).to.deep.equal(
          rows.map(({ real }) => real)
        )
        expect(csv.rows.map(([, , text]) => text)).to.deep.equal(rows.map(({ text }) => text))
      }),
      { numRuns: 25 }
    )
  })

  it('has the same types found in CSV, JSON, Parquet and SQLite when none are declared', async () => {
    const row: Row = {
      whole: 1n,
      real: 0.5,
      text: 'x',
      day: '1969-12-31',
      moment: '2020-01-02 03:04:05.000000',
      yes: true
    }
    for (const one of Object.values(write)) await one([row])
    for (const format of ['csv', 'json', 'parquet', 'sqlite'] as const)
      expect((await read(format, { columns: [] })).columns, format).to.deep.equal(COLUMNS)
  })
})

describe('a file of many values', () => {
  let engine: Engine
  let folder: string
  before(async () => {
    engine = await Engine.open()
    folder = await scratchFolder()
    await mkdir(jobPlace(folder).scratch)
  })
  const profile = async (table: Pick<SourceTable, 'path' | 'format'> & Partial<SourceTable>) => {
    const tables = [{ name: 't', columns: [], ...table }]
    return (await runProfile(engine, { kind: 'profile', tables }, jobPlace(folder))).tables[0]
  }
  const refusedWith = async (work: Promise<unknown>): Promise<string> => {
    const failure = await work.then(
      () => undefined,
      (error: unknown) => error
    )
    if (!(failure instanceof Failure)) throw failure ?? new Error('read without complaint')
    expect(failure.code).to.equal('dataset-malformed')
    return failure.hint ?? ''
  }
  const inDatabase = async (name: string, ...statements: string[]) => {
    const path = join(folder, `${name}.db`)
    await inSqlite(path, statements)
    return { path, format: 'sqlite' as const }
  }

  it('in SQLite tells column and row of a value of another kind, and never the value', async () => {
    const file = await inDatabase(
      'typed',
      'CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, d DATE, b BOOLEAN)',
      "INSERT INTO t VALUES (-5, 1, '2020-01-01', 1), (9, 'Jan Jansen', 'soon', 0)"
    )
    const hint = 'typed.db: column "n", row 2: expected BIGINT, found a value of another kind'
    expect(await refusedWith(profile(file))).to.equal(hint)
    const lenient = await profile({ ...file, columns: [{ name: 'n', type: 'VARCHAR' }] })
    expect(lenient?.columns.map(({ type }) => type)).to.deep.equal([
      'BIGINT',
      'VARCHAR',
      'VARCHAR',
      'BOOLEAN'
    ])
    expect(lenient?.notes).to.deep.equal([
      'column "d" is declared DATE, but not all its values are: read as VARCHAR'
    ])
    const columns = [
      { name: 'n', type: 'VARCHAR' },
      { name: 'd', type: 'DATE' }
    ]
    expect(await refusedWith(profile({ ...file, columns }))).to.equal(
      'typed.db, column "d", row 2: expected DATE'
    )
  })

  it('in SQLite has decimals to the last digit, or says that they are lost', async () => {
    const file = await inDatabase(
      'exact',
      'CREATE TABLE t (wide DECIMAL(38,2), short DECIMAL(10,2), digits TEXT)',
      "INSERT INTO t VALUES (0.5, 1.10, '123456789012345678901234567890123456.78')"
    )
    expect(await refusedWith(profile(file))).to.match(/column "wide", row 1: expected DECIMAL\(38,2\)/)
    const columns = [
      { name: 'wide', type: 'DOUBLE' },
      { name: 'digits', type: 'DECIMAL(38,2)' }
    ]
    const source = await openSource({ name: 't', ...file, columns }, jobPlace(folder).scratch, engine)
    expect(await engine.rows(`SELECT short::VARCHAR, digits::VARCHAR FROM (${source.sql})`)).to.deep.equal([
      ['1.10', '123456789012345678901234567890123456.78']
    ])
  })

  it('in SQLite is text where a declared type would cut or round a value', async () => {
    const file = await inDatabase(
      'likely',
      'CREATE TABLE t (d DATE, n DECIMAL(10,2), s TIMESTAMP)',
      "INSERT INTO t VALUES ('2020-01-01 10:00:00', 1.239, '2020-01-01T10:00:00+02:00')"
    )
    expect((await profile(file))?.columns.map(({ type }) => type)).to.deep.equal([
      'VARCHAR',
      'VARCHAR',
      'VARCHAR'
    ])
  })

  it('in SQLite may be a view, without row numbers, generated, empty, or without types', async () => {
    const file = await inDatabase(
      'kinds',
      'CREATE TABLE "a b" (k TEXT, n INT, twice AS (n * 2), PRIMARY KEY (n, k)) WITHOUT ROWID',
      `INSERT INTO "a b" VALUES ('x', 1), ('y', 2)`,
      'CREATE VIEW t AS SELECT k, twice FROM "a b"',
      'CREATE TABLE e (a, b REAL)',
      'CREATE TABLE mixed (v)',
      `INSERT INTO mixed VALUES (1), (2.5)`
    )
    const found = async (table: string) => {
      const { rows, columns = [] } = (await profile({ ...file, table })) ?? {}
      return [rows, ...columns.map(({ name, type }) => `${name} ${type}`)]
    }
    expect(await found('a b')).to.deep.equal([2, 'k VARCHAR', 'n BIGINT', 'twice BIGINT'])
    expect(await found('t')).to.deep.equal([2, 'k VARCHAR', 'twice BIGINT'])
    expect(await found('e')).to.deep.equal([0, 'a VARCHAR', 'b DOUBLE'])
    expect(await found('mixed')).to.deep.equal([2, 'v DOUBLE'])
    expect(await refusedWith(profile({ ...file, table: 'mixd' }))).to.equal(
      'kinds.db: expected a table or view "mixd", did you mean "mixed"?'
    )
  })

  it('in SQLite is read with what stands in the log beside it', async () => {
    const path = join(folder, 'logged.db')
    await inSqlite(
      path,
      ['PRAGMA journal_mode = WAL', 'CREATE TABLE t (n INT)', 'INSERT INTO t VALUES (1), (2)'],
      async () => {
        await copyFile(path, join(folder, 'copy.db'))
        await copyFile(`${path}-wal`, join(folder, 'copy.db-wal'))
      }
    )
    const copy = join(folder, 'copy.db')
    expect((await profile({ path: copy, format: 'sqlite', beside: [`${copy}-wal`] }))?.rows).to.equal(2)
  })

  it('in SQLite that is none, damaged or cut short is refused by its name', async () => {
    const { path } = await inDatabase(
      'whole',
      'CREATE TABLE t (n TEXT)',
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 5000) INSERT INTO t SELECT 'row ' || i FROM c"
    )
    const bytes = await readFile(path)
    const broken = join(folder, 'broken.db')
    for (const [content, says] of [
      [Buffer.from('id,name\n1,x\n'), 'broken.db is no SQLite database, or is encrypted'],
      [bytes.subarray(0, 20_000), 'broken.db is a damaged SQLite database'],
      [
        Buffer.concat([bytes.subarray(0, 8192), Buffer.alloc(bytes.length - 8192, 0xab)]),
        'broken.db is a damaged SQLite database'
      ]
    ] as const) {
      await writeFile(broken, content)
      expect(await refusedWith(profile({ path: broken, format: 'sqlite' }))).to.equal(says)
    }
  })

  const parts = async (name: string, files: Record<string, string>): Promise<SourceTable> => {
    const path = join(folder, name)
    for (const [file, select] of Object.entries(files)) {
      await mkdir(join(path, file, '..'), { recursive: true })
      await engine.run(`COPY (${select}) TO ${quoteText(join(path, file))} (FORMAT parquet)`)
    }
    return { name: 't', path, format: 'parquet', files: Object.keys(files), columns: [] }
  }

  it('in many Parquet files has the values of their folders as columns', async () => {
    const table = await parts('hive', {
      'year=2025/month=01/land=x%20y/a.parquet': 'SELECT 1 AS n',
      'year=2026/month=12/land=__HIVE_DEFAULT_PARTITION__/b.parquet': 'SELECT 2 AS n'
    })
    const { columns, sql } = await openSource(table, jobPlace(folder).scratch, engine)
    expect(columns).to.deep.equal([
      { name: 'n', type: 'INTEGER' },
      { name: 'land', type: 'VARCHAR' },
      { name: 'month', type: 'VARCHAR' },
      { name: 'year', type: 'BIGINT' }
    ])
    expect(await engine.rows(`FROM (${sql}) ORDER BY n`)).to.deep.equal([
      [1, 'x y', '01', 2025n],
      [2, null, '12', 2026n]
    ])
  })

  it('in many Parquet files that do not go together is refused, with the first that differs', async () => {
    const types = await parts('types', { 'a.parquet': 'SELECT 1 AS n', 'b.parquet': "SELECT 'x' AS n" })
    expect(await refusedWith(profile(types))).to.equal(
      'types: b.parquet has other columns or types than a.parquet'
    )
    const keys = await parts('keys', { 'x=1/a.parquet': 'SELECT 1 AS n', 'b.parquet': 'SELECT 1 AS n' })
    expect(await refusedWith(profile(keys))).to.equal(
      'keys: expected b.parquet in folders of x, as x=1/a.parquet'
    )
    const cut = await parts('cut', { 'a.parquet': 'SELECT 1 AS n', 'b.parquet': 'SELECT 1 AS n' })
    await truncate(join(folder, 'cut', 'b.parquet'), 100)
    expect(await refusedWith(profile(cut))).to.equal('b.parquet cannot be read as declared')
  })

  it('in JSON is text where values are of several types, and keeps the spelling of what is declared text', async () => {
    const path = join(folder, 'mixed.ndjson')
    await writeFile(
      path,
      '{"a":1,"u":"550E8400-E29B-41D4-A716-446655440000","e":null}\n{"a":"x","u":null,"s":{"k":[1]}}\n'
    )
    const columns = [{ name: 'u', type: 'VARCHAR' }]
    const source = await openSource(
      { name: 't', path, format: 'json', columns },
      jobPlace(folder).scratch,
      engine
    )
    expect(source.columns.map(({ name, type }) => `${name} ${type}`)).to.deep.equal([
      'a VARCHAR',
      'u VARCHAR',
      'e VARCHAR',
      's STRUCT("k" BIGINT[])'
    ])
    expect(await engine.rows(`SELECT a, u FROM (${source.sql})`)).to.deep.equal([
      ['1', '550E8400-E29B-41D4-A716-446655440000'],
      ['x', null]
    ])
  })

  it('in JSON is refused where names differ in case alone, and read where a name only looks like that', async () => {
    const path = join(folder, 'alike.ndjson')
    const table: SourceTable = { name: 't', path, format: 'json', columns: [] }
    await writeFile(path, '{"id":1,"Id":2}\n{"id":3,"Id":4}\n')
    expect(await refusedWith(openSource(table, jobPlace(folder).scratch, engine))).to.equal(
      'alike.ndjson: two columns would be called "Id"'
    )
    await writeFile(path, '{"id":1,"Id_1":2}\n{"id":3,"Id_1":null}\n{"id":5}\n')
    const { sql } = await openSource(table, jobPlace(folder).scratch, engine)
    expect(await engine.rows(sql)).to.deep.equal([
      [1n, 2n],
      [3n, null],
      [5n, null]
    ])
  })
})
