import { createHash, createHmac } from 'node:crypto'
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import type { JobFolder, Launcher } from '../../agent/jobs/index.ts'
import { Engine } from '../../services/engine/index.ts'
import type { Assignment, ReportOf, Step } from '../../services/index.ts'
import { quoteText } from '../../services/sql/index.ts'
import { aLauncher, cleanUp, failureOf, LIMITS, temporaryFolder } from '../jobs/launchers.ts'

type Query = Extract<Assignment, { kind: 'query' }>
type Convert = Extract<Assignment, { kind: 'convert' }>

const KEY = 'ab'.repeat(32)

describe('the runner', () => {
  let launcher: Launcher
  let engine: Engine
  let data: string
  cleanUp()
  before(async () => {
    launcher = await aLauncher()
    engine = await Engine.open()
    data = await temporaryFolder()
  })

  /** A job over Parquet files made from SQL: file name in `in/` to SELECT. */
  const job = async <R>(
    files: Record<string, string>,
    work: (folder: JobFolder) => Promise<R>
  ): Promise<R> => {
    const folder = await launcher.folder()
    for (const [name, sql] of Object.entries(files)) {
      const path = join(folder.path, 'in', name)
      await mkdir(dirname(path), { recursive: true })
      await engine.run(`COPY (${sql}) TO ${quoteText(path)} (FORMAT parquet)`)
    }
    try {
      return await work(folder)
    } finally {
      await folder.wipe()
    }
  }
  const query = (tables: Record<string, string>, steps: Step[], more: Partial<Query> = {}) => {
    const files = Object.fromEntries(Object.entries(tables).map(([name, sql]) => [`${name}.parquet`, sql]))
    const inputs: Query['inputs'] = [
      { kind: 'tables', tables: Object.keys(tables).map((name) => ({ name, path: `in/${name}.parquet` })) }
    ]
    return job(files, async (folder) => {
      const { report } = await launcher.run(
        { kind: 'query', inputs, steps, partBytes: 8e6, ...more },
        folder,
        LIMITS
      )
      return { report, rows: await read(folder, report) }
    })
  }
  /** What senders sent, as SELECTs; in the order in which they arrived. */
  const received = (senders: [from: string, ...parts: string[]][]) => {
    const files: Record<string, string> = {}
    const inputs: Query['inputs'] = senders.map(([from, ...parts]) => {
      const paths = parts.map((_, index) => `${from}/part-${index}.parquet`)
      for (const [index, sql] of parts.entries()) files[paths[index] ?? ''] = sql
      return { kind: 'parts', from, paths: paths.map((path) => `in/${path}`) }
    })
    return { files, inputs }
  }
  const combine = (senders: [string, ...string[]][], steps: Step[], more: Partial<Query> = {}) => {
    const { files, inputs } = received(senders)
    return job(files, async (folder) => {
      const { report } = await launcher.run(
        { kind: 'query', inputs, steps, partBytes: 8e6, ...more },
        folder,
        LIMITS
      )
      return { report, rows: await read(folder, report) }
    })
  }
  const convert = (senders: [string, ...string[]][], more: Partial<Convert> = {}) => {
    const { files, inputs } = received(senders)
    return job(files, async (folder) => {
      const order: Convert = {
        kind: 'convert',
        inputs,
        union: true,
        steps: [],
        maxInlineRows: 1000,
        csv: true,
        ...more
      }
      const { report } = await launcher.run(order, folder, LIMITS)
      const csv = report.results[0]?.csv
      return { report, csv: csv === undefined ? '' : await readFile(join(folder.path, csv.path), 'utf8') }
    })
  }
  const read = async (folder: JobFolder, report: ReportOf<'query'>): Promise<unknown[][]> => {
    const paths = report.parts.map(({ path }) => quoteText(join(folder.path, path)))
    return await engine.rows(`SELECT * FROM read_parquet([${paths.join(', ')}])`)
  }
  const ask = (sql: string): Step => ({ service: 'query', sql })
  const average = (
    phase: 'complete' | 'partial' | 'merge',
    parameters: Record<string, unknown> = { value: 'v', by: ['g'] }
  ): Step => ({
    service: 'algorithm',
    name: 'average',
    parameters,
    phase
  })

  const P =
    "SELECT * FROM (VALUES (1, 'M', DATE '1980-05-06'), (2, 'V', DATE '1990-07-08'), (3, 'V', NULL)) t(id, sex, born)"

  describe('running a query', () => {
    it('writes parts with their digests', async () => {
      const { report, rows } = await query({ P }, [ask('SELECT sex, id FROM P ORDER BY id DESC')])
      expect(rows).to.deep.equal([
        ['V', 3],
        ['V', 2],
        ['M', 1]
      ])
      expect(report.columns).to.deep.equal([
        { name: 'sex', type: 'VARCHAR' },
        { name: 'id', type: 'INTEGER' }
      ])
      expect(report.steps.map(({ service, rows: count }) => [service, count])).to.deep.equal([['query', 3]])
      expect(report.parts.map(({ path, rows: count }) => [path, count])).to.deep.equal([
        ['out/part-0.parquet', 3]
      ])
    })

    it('gives the digest of each part’s bytes', async () => {
      await job({ 'P.parquet': P }, async (folder) => {
        const inputs: Query['inputs'] = [{ kind: 'tables', tables: [{ name: 'P', path: 'in/P.parquet' }] }]
        const { report } = await launcher.run(
          { kind: 'query', inputs, steps: [ask('FROM P')], partBytes: 1e6 },
          folder,
          LIMITS
        )
        const [part] = report.parts
        const bytes = await readFile(join(folder.path, part?.path ?? ''))
        expect(part?.digest).to.equal(createHash('sha256').update(bytes).digest('hex'))
        expect(part?.bytes).to.equal(bytes.length)
      })
    })

    it('cuts a large result into several parts, in order', async () => {
      const { report, rows } = await query(
        { R: 'SELECT i, hash(i) AS h FROM range(600000) t(i)' },
        [ask('FROM R')],
        { partBytes: 1_000_000 }
      )
      expect(report.parts.length).to.be.greaterThan(2)
      expect(report.parts.reduce((sum, part) => sum + part.rows, 0)).to.equal(600_000)
      expect(rows.every(([i], index) => i === BigInt(index))).to.equal(true)
    })

    it('writes one part for an empty result, so that the columns travel', async () => {
      const { report } = await query({ P }, [ask('SELECT id FROM P WHERE FALSE')])
      expect(report.parts.map(({ rows }) => rows)).to.deep.equal([0])
      expect(report.columns).to.deep.equal([{ name: 'id', type: 'INTEGER' }])
    })

    for (const sql of [
      'SELECT id FROM P;',
      'SELECT id FROM P -- all',
      'SELECT id FROM P; -- all\n;',
      '/* x */ (SELECT id FROM P)',
      'TABLE P'
    ]) {
      it(`takes ${JSON.stringify(sql)} as it stands`, async () => {
        expect((await query({ P }, [ask(sql)])).rows.length).to.equal(3)
      })
    }

    it('keeps sums of whole numbers whole', async () => {
      const { report, rows } = await query({ P }, [ask('SELECT sum(id) * 1000000000000000000 AS s FROM P')])
      expect(report.columns).to.deep.equal([{ name: 's', type: 'HUGEINT' }])
      expect(String(rows[0]?.[0])).to.equal('6000000000000000000')
    })

    it('refuses more rows than permitted', async () => {
      const failure = await failureOf(query({ P }, [ask('FROM P')], { maxRows: 2 }))
      expect(failure.code).to.equal('output-too-large')
      expect((await query({ P }, [ask('FROM P')], { maxRows: 3 })).rows.length).to.equal(3)
    })

    for (const sql of [
      "SELECT * FROM 'in/P.parquet'",
      "SELECT * FROM read_parquet('in/P.parquet')",
      'WITH "in/[pk].parquet" AS (SELECT 1) SELECT * FROM "in/[P\u212a].parquet"',
      'SELECT * FROM "dynamos step 0"',
      'SELECT * FROM duckdb_views()'
    ]) {
      it(`reaches nothing but its tables: ${sql}`, async () => {
        expect((await failureOf(query({ P }, [ask(sql)]))).code).to.be.oneOf([
          'sql-table-unknown',
          'sql-function-not-allowed',
          'sql-invalid'
        ])
      })
    }
  })

  describe('anonymising', () => {
    const step = (parameters: Record<string, unknown>): Step => ({
      service: 'anonymize',
      parameters,
      key: KEY
    })
    const pseudonym = (text: string): string =>
      createHmac('sha256', Buffer.from(KEY, 'hex')).update(text).digest('hex').slice(0, 32)

    it('acts on tables, so that no alias, expression or predicate gets round it', async () => {
      const { rows, report } = await query({ P }, [
        ask(
          "SELECT id AS x, id || '' AS y, CAST(born AS VARCHAR) AS b FROM P WHERE born < DATE '1980-02-01'"
        ),
        step({ pseudonymise: ['id'], generalise: { born: 'year' } })
      ])
      expect(rows).to.deep.equal([[pseudonym('1'), pseudonym('1'), '1980-01-01']])
      expect(report.steps.map(({ service, rows: count }) => [service, count])).to.deep.equal([
        ['query', 1],
        ['anonymize', 1]
      ])
    })

    it('lets pseudonyms of several tables be joined', async () => {
      const { rows } = await query({ P, A: 'SELECT 2::BIGINT AS id, 7 AS pay' }, [
        ask('SELECT id, pay FROM P JOIN A USING (id)'),
        step({ pseudonymise: ['id'] })
      ])
      expect(rows).to.deep.equal([[pseudonym('2'), 7]])
    })

    it('goes before an algorithm', async () => {
      const { rows } = await query({ P }, [
        ask('SELECT sex, id FROM P'),
        step({ suppress: ['sex'] }),
        average('complete', { value: 'id', by: ['sex'] })
      ])
      expect(rows).to.deep.equal([[null, 2, 3n]])
    })

    describe('with k', () => {
      const T =
        "SELECT * FROM (VALUES (1, '1012AB', 5), (2, '1013CD', 7), (2, '1013CE', 7), (3, '9999ZZ', 0)) AS v(who, postcode, pay)"
      const k = step({
        generalise: { postcode: { prefix: 2 } },
        k: 2,
        subjects: { T: { column: 'who', shown: false } }
      })

      it('leaves rows out before the SQL sees them, and tells how many', async () => {
        const { rows, report } = await query({ T }, [ask('SELECT postcode, pay FROM T ORDER BY pay'), k])
        expect(rows).to.deep.equal([
          ['10', 5],
          ['10', 7],
          ['10', 7]
        ])
        expect(report.steps.map(({ withheld }) => withheld)).to.deep.equal([undefined, 1])
      })

      it('tells nothing of them by an expression that would fail on them', async () => {
        const { rows } = await query({ T }, [
          ask(
            "SELECT count(*) AS n FROM T WHERE CASE WHEN pay = 0 THEN CAST('x' || pay AS INTEGER) ELSE 1 END = 1"
          ),
          k
        ])
        expect(rows).to.deep.equal([[3n]])
      })

      it('shows nobody the column that it counts by', async () => {
        const failure = await failureOf(query({ T }, [ask('SELECT who FROM T'), k]))
        expect(failure.code).to.equal('sql-column-unknown')
        const { report } = await query({ T }, [ask('FROM T'), k])
        expect(report.columns.map(({ name }) => name)).to.deep.equal(['postcode', 'pay'])
      })

      it('cannot be got round by the names of what it works with', async () => {
        for (const sql of ['FROM "dynamos changed T"', 'FROM "dynamos shared T"'])
          expect((await failureOf(query({ T }, [ask(sql), k]))).code).to.equal('sql-table-unknown')
      })
    })

    it('needs a key for pseudonyms', async () => {
      const failure = await failureOf(
        query({ P }, [ask('FROM P'), { service: 'anonymize', parameters: { pseudonymise: ['id'] } }])
      )
      expect(failure.code).to.equal('anonymize-parameters')
    })

    it('keeps the key out of every message', async () => {
      const failure = await failureOf(
        query({ P }, [ask('SELECT CAST(id AS INTEGER) AS n FROM P'), step({ pseudonymise: ['id'] })])
      )
      expect(failure.code).to.equal('sql-runtime')
      expect(failure.localMessage).to.not.include(KEY.slice(0, 16))
    })
  })

  describe('putting rows together', () => {
    const aggregate: Step = { service: 'aggregate' }
    const VU: [string, string] = ['VU', "SELECT 'a' AS g, 1 AS v UNION ALL SELECT 'b', 2"]
    const UVA: [string, string] = ['UVA', "SELECT 3 AS v, 'a' AS g"]

    it('does not depend on who came first, nor on the order of columns', async () => {
      const one = await combine([VU, UVA], [aggregate])
      const other = await combine([UVA, VU], [aggregate])
      expect(one.rows).to.deep.equal([
        [3, 'a'],
        [1, 'a'],
        [2, 'b']
      ])
      expect(other.rows).to.deep.equal(one.rows)
      expect(other.report.parts[0]?.digest).to.equal(one.report.parts[0]?.digest)
      expect(one.report.steps[0]?.rows).to.equal(3)
    })

    it('reads the parts of one sender in their order, 2 before 10', async () => {
      const parts = Array.from({ length: 12 }, (_, index) => `SELECT ${index} AS v`)
      const { rows } = await combine([['VU', ...parts]], [aggregate])
      expect(rows.flat()).to.deep.equal(parts.map((_, index) => index))
    })

    const mismatches: [what: string, senders: [string, ...string[]][], hint: string][] = [
      [
        'another type',
        [
          ['VU', 'SELECT 1 AS v'],
          ['UVA', "SELECT 'x' AS v"]
        ],
        'column "v" is VARCHAR at UVA and INTEGER at VU'
      ],
      [
        'a missing column',
        [
          ['VU', 'SELECT 1 AS v, 2 AS w'],
          ['UVA', 'SELECT 1 AS v']
        ],
        'VU sent a column "w", UVA did not'
      ],
      [
        'another name',
        [
          ['VU', 'SELECT 1 AS w'],
          ['UVA', 'SELECT 1 AS v']
        ],
        'VU sent no column "v", UVA did'
      ],
      [
        'parts that differ',
        [['VU', 'SELECT 1 AS v', "SELECT '1' AS v"]],
        'VU sent parts whose columns differ from each other'
      ]
    ]
    for (const [what, senders, hint] of mismatches) {
      it(`refuses ${what}, naming provider and column`, async () => {
        const failure = await failureOf(combine(senders, [aggregate]))
        expect(failure.code).to.equal('schema-mismatch')
        expect(failure.hint).to.equal(hint)
      })
    }

    it('refuses what was not announced', async () => {
      const failure = await failureOf(
        job({ 'VU/part-0.parquet': 'SELECT 1 AS v' }, (folder) => {
          const inputs: Query['inputs'] = [
            {
              kind: 'parts',
              from: 'VU',
              paths: ['in/VU/part-0.parquet'],
              columns: [{ name: 'v', type: 'BIGINT' }]
            }
          ]
          return launcher.run({ kind: 'query', inputs, steps: [aggregate], partBytes: 1e6 }, folder, LIMITS)
        })
      )
      expect(failure.hint).to.equal('column "v" of VU: expected BIGINT, found INTEGER')
    })

    it('refuses a part that is no Parquet', async () => {
      const failure = await failureOf(
        job({}, async (folder) => {
          await writeFile(join(folder.path, 'in', 'part-0.parquet'), 'PAR1 nonsense PAR1')
          const inputs: Query['inputs'] = [{ kind: 'parts', from: 'VU', paths: ['in/part-0.parquet'] }]
          return await launcher.run(
            { kind: 'query', inputs, steps: [aggregate], partBytes: 1e6 },
            folder,
            LIMITS
          )
        })
      )
      expect([failure.code, failure.hint]).to.deep.equal([
        'schema-mismatch',
        'VU sent a part that is not a readable Parquet file'
      ])
    })

    it('merges to what the union gives, through files', async () => {
      const rows = {
        VU: "SELECT 'a' AS g, 0.25::DOUBLE AS v UNION ALL SELECT 'b', 1e300 UNION ALL SELECT NULL, 4",
        UVA: "SELECT 'a' AS g, 0.75::DOUBLE AS v UNION ALL SELECT 'b', NULL"
      }
      const whole = await combine(Object.entries(rows), [aggregate, average('complete')])
      const states: Record<string, string> = {}
      for (const [from, sql] of Object.entries(rows)) {
        states[from] = join(data, `${from}.parquet`)
        await job({ 'T.parquet': sql }, async (folder) => {
          const inputs: Query['inputs'] = [{ kind: 'tables', tables: [{ name: 'T', path: 'in/T.parquet' }] }]
          const { report } = await launcher.run(
            { kind: 'query', inputs, steps: [ask('FROM T'), average('partial')], partBytes: 1e6 },
            folder,
            LIMITS
          )
          await copyFile(join(folder.path, report.parts[0]?.path ?? ''), states[from] ?? '')
        })
      }
      const senders = Object.entries(states).map(([from, path]): [string, string] => [
        from,
        `FROM ${quoteText(path)}`
      ])
      const merged = await combine(senders.reverse(), [average('merge')])
      expect(merged.rows).to.deep.equal(whole.rows)
      expect(merged.rows).to.deep.equal([
        ['a', 0.5, 2n],
        ['b', 1e300, 1n],
        [null, 4, 1n]
      ])
    })

    it('refuses an algorithm that is not there, and says which was meant', async () => {
      const failure = await failureOf(
        combine([VU], [{ service: 'algorithm', name: 'avrage', parameters: {}, phase: 'complete' }])
      )
      expect([failure.code, failure.hint]).to.deep.equal([
        'algorithm-parameters',
        'there is no algorithm "avrage" here, did you mean "average"?'
      ])
    })
  })

  describe('converting a result', () => {
    it('gives values as JSON can hold them', async () => {
      const sql = `SELECT 1.50::DECIMAL(6,2) AS dec, 9007199254740993::BIGINT AS big, 5::BIGINT AS small, 12::DECIMAL(38,0) AS wide, 'nan'::DOUBLE AS nan,
        '-inf'::DOUBLE AS inf, 0.5::DOUBLE AS half, TIMESTAMP '2020-01-02 03:04:05.006' AS ts, TIMESTAMPTZ '2020-01-02 03:04:05+02' AS tz, DATE '2020-01-02' AS d,
        TIME '10:11:12' AS t, encode('é') AS b, [1, NULL] AS l, {'a': 9007199254740993} AS s, TRUE AS y, NULL::INTEGER AS n, 'é"' AS x`
      const { report } = await convert([['VU', sql]])
      const [result] = report.results
      const row = Object.fromEntries(
        (result?.columns ?? []).map((name, index) => [name, result?.rows[0]?.[index]])
      )
      expect(row).to.deep.equal({
        dec: '1.50',
        big: '9007199254740993',
        small: 5,
        wide: 12,
        nan: 'NaN',
        inf: '-Infinity',
        half: 0.5,
        ts: '2020-01-02T03:04:05.006',
        tz: '2020-01-02T01:04:05Z',
        d: '2020-01-02',
        t: '10:11:12',
        b: 'w6k=',
        l: [1, null],
        s: { a: '9007199254740993' },
        y: true,
        n: null,
        x: 'é"'
      })
      expect(result?.types.slice(0, 4)).to.deep.equal(['DECIMAL(6,2)', 'BIGINT', 'BIGINT', 'HUGEINT'])
    })

    it('gives one result over all, or one for each sender, by name', async () => {
      const senders: [string, string][] = [
        ['VU', 'SELECT 1 AS v'],
        ['UVA', 'SELECT 2 AS v']
      ]
      const together = await convert(senders)
      expect(together.report.results.map(({ from, rows }) => [from, rows])).to.deep.equal([
        [
          ['UVA', 'VU'],
          [[2], [1]]
        ]
      ])
      expect(together.csv).to.equal('v\n2\n1\n')
      const apart = await convert(senders, { union: false })
      expect(apart.report.results.map(({ from, rows }) => [from, rows])).to.deep.equal([
        [['UVA'], [[2]]],
        [['VU'], [[1]]]
      ])
    })

    it('shows no more rows than asked, and counts them all', async () => {
      const { report } = await convert([['VU', 'SELECT i AS v FROM range(2500) t(i)']], {
        maxInlineRows: 10,
        csv: false
      })
      const [result] = report.results
      expect([result?.rows.length, result?.rowCount, result?.truncated, result?.csv]).to.deep.equal([
        10,
        2500,
        true,
        undefined
      ])
    })

    it('keeps an answer small when cells are large', async () => {
      const { report } = await convert([['VU', "SELECT repeat('x', 100000) AS v FROM range(100)"]])
      expect(report.results[0]?.truncated).to.equal(true)
      expect(report.results[0]?.rows.length).to.be.within(1, 60)
    })

    it('merges states', async () => {
      const state = 'SELECT 10::DECIMAL(38,0) AS "average.sum", 4::BIGINT AS "average.count"'
      const { report } = await convert(
        [
          ['VU', state],
          ['UVA', state]
        ],
        { union: false, steps: [average('merge', { value: 'v' })] }
      )
      expect(report.results.map(({ from, columns, rows }) => [from, columns, rows])).to.deep.equal([
        [['UVA', 'VU'], ['average', 'count'], [[2.5, 8]]]
      ])
    })
  })

  it('leaves nothing outside its folder', async () => {
    expect(await readdir(data)).to.satisfy((names: string[]) =>
      names.every((name) => name.endsWith('.parquet'))
    )
  })
})
