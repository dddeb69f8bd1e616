import { expect } from 'chai'
import { Engine } from '../../services/engine/index.ts'
import { Failure } from '../../services/failure/index.ts'
import type { ReportOf, TableSchema } from '../../services/index.ts'
import { inspect, prepareShadow } from '../../services/inspect/index.ts'

const tables: TableSchema[] = [
  {
    name: 'Personen',
    columns: [
      { name: 'Unieknr', type: 'BIGINT' },
      { name: 'Geslacht', type: 'VARCHAR' },
      { name: 'Gebdat', type: 'DATE' },
      { name: 'Peildat', type: 'BIGINT' }
    ]
  },
  {
    name: 'Aanstellingen',
    columns: [
      { name: 'Unieknr', type: 'BIGINT' },
      { name: 'Salschal', type: 'BIGINT' },
      { name: 'Peildat', type: 'BIGINT' },
      { name: 'vaste dienst', type: 'BOOLEAN' }
    ]
  },
  { name: 'Größe', columns: [{ name: 'länge', type: 'DOUBLE' }] }
]

const P = (...columns: string[]) => ({ table: 'Personen', columns })
const A = (...columns: string[]) => ({ table: 'Aanstellingen', columns })
const ALL_P = P('Unieknr', 'Geslacht', 'Gebdat', 'Peildat')

describe('inspecting a statement', () => {
  let engine: Engine
  before(async () => {
    engine = await Engine.open()
    await prepareShadow(engine)
    await engine.confine({
      memory: 2 ** 28,
      threads: 1,
      spill: 0,
      scratch: '/nonexistent',
      folders: [],
      files: []
    })
  })
  const look = (sql: string): Promise<ReportOf<'inspect'>> => inspect(engine, sql, tables)
  const refusal = async (sql: string): Promise<Failure> => {
    try {
      await look(sql)
    } catch (error) {
      if (error instanceof Failure) return error
      throw error
    }
    throw new Error(`permitted: ${sql}`)
  }

  const permitted: [sql: string, uses: ReturnType<typeof P>[]][] = [
    ['SELECT Geslacht FROM Personen', [P('Geslacht')]],
    ['select geslacht from PERSONEN', [P('Geslacht')]],
    ['SELECT * FROM Personen', [ALL_P]],
    ['FROM Personen', [ALL_P]],
    ['TABLE Personen;', [ALL_P]],
    [
      'SELECT p.Geslacht, a.Salschal FROM Personen p JOIN Aanstellingen a USING (Unieknr, Peildat)',
      [P('Unieknr', 'Geslacht', 'Peildat'), A('Unieknr', 'Salschal', 'Peildat')]
    ],
    ['SELECT * EXCLUDE (Unieknr) FROM Personen', [P('Geslacht', 'Gebdat', 'Peildat')]],
    ["SELECT COLUMNS('.*dat') FROM Personen", [P('Gebdat', 'Peildat')]],
    ["SELECT COLUMNS(c -> c LIKE 'G%') FROM Personen", [P('Geslacht', 'Gebdat')]],
    ['SELECT * REPLACE (upper(Geslacht) AS Geslacht) FROM Personen', [ALL_P]],
    ['SELECT p FROM Personen p', [ALL_P]],
    ['SELECT 1 AS one FROM Personen WHERE Peildat > 5', [P('Peildat')]],
    ['SELECT Geslacht FROM Personen WHERE FALSE', [P('Geslacht')]],
    ['SELECT Geslacht FROM Personen ORDER BY Gebdat LIMIT 3', [P('Geslacht', 'Gebdat')]],
    ['SELECT count(*) AS n FROM Personen', [P()]],
    [
      'SELECT Geslacht, avg(Peildat) AS a FROM Personen GROUP BY Geslacht HAVING max(Unieknr) > 3',
      [P('Unieknr', 'Geslacht', 'Peildat')]
    ],
    ['WITH x AS (SELECT * FROM Personen) SELECT Geslacht FROM x', [P('Geslacht')]],
    ['WITH Personen AS (SELECT * FROM Aanstellingen) SELECT Salschal FROM Personen', [A('Salschal')]],
    ['WITH Personen AS (SELECT * FROM Personen) SELECT Geslacht FROM Personen', [P('Geslacht')]],
    [
      'SELECT Geslacht FROM Personen WHERE EXISTS (SELECT 1 FROM Aanstellingen a WHERE a.Unieknr = Personen.Unieknr AND Salschal > 9)',
      [P('Unieknr', 'Geslacht'), A('Unieknr', 'Salschal')]
    ],
    [
      'SELECT Geslacht FROM Personen WHERE Unieknr IN (SELECT Unieknr FROM Aanstellingen)',
      [P('Unieknr', 'Geslacht'), A('Unieknr')]
    ],
    ['SELECT (SELECT max(Salschal) FROM Aanstellingen) AS top', [A('Salschal')]],
    [
      'SELECT p.Geslacht, l.Salschal FROM Personen p, LATERAL (SELECT Salschal FROM Aanstellingen a WHERE a.Unieknr = p.Unieknr) l',
      [P('Unieknr', 'Geslacht'), A('Unieknr', 'Salschal')]
    ],
    ['SELECT row_number() OVER (ORDER BY Gebdat) AS r FROM Personen', [P('Gebdat')]],
    ['SELECT DISTINCT Geslacht FROM Personen', [P('Geslacht')]],
    [
      'SELECT Unieknr FROM Personen UNION ALL SELECT Unieknr FROM Aanstellingen',
      [P('Unieknr'), A('Unieknr')]
    ],
    [
      'SELECT p.Geslacht FROM Personen p NATURAL JOIN Aanstellingen',
      [P('Unieknr', 'Geslacht', 'Peildat'), A('Unieknr', 'Peildat')]
    ],
    ['SELECT "vaste dienst" FROM Aanstellingen', [A('vaste dienst')]],
    ['SELECT länge FROM Größe', [{ table: 'Größe', columns: ['länge'] }]],
    ['SELECT Geslacht -- DROP TABLE Personen;\nFROM Personen /* ; */', [P('Geslacht')]],
    ["SELECT 'it''s; DROP' AS t, Geslacht FROM Personen", [P('Geslacht')]],
    [
      "SELECT CAST(Gebdat AS VARCHAR) AS d, extract(year FROM Gebdat) AS y, Gebdat + INTERVAL 1 YEAR AS n, DATE '2020-01-01' AS c FROM Personen",
      [P('Gebdat')]
    ],
    [
      "SELECT CASE WHEN Peildat BETWEEN 1 AND 2 THEN 'a' ELSE 'b' END AS c, coalesce(Geslacht, '?') AS g, Geslacht LIKE 'M%' AS l FROM Personen",
      [P('Geslacht', 'Peildat')]
    ],
    [
      'SELECT max(a.Salschal) AS m FROM Aanstellingen a ASOF JOIN Personen p ON a.Unieknr >= p.Unieknr',
      [P('Unieknr'), A('Unieknr', 'Salschal')]
    ],
    ['SELECT v.x, Geslacht FROM Personen, (VALUES (1), (2)) v(x)', [P('Geslacht')]],
    ['SELECT count(*) FILTER (WHERE Gebdat IS NULL) AS n FROM Personen', [P('Gebdat')]]
  ]
  for (const [sql, uses] of permitted) {
    it(`permits ${sql}`, async () => {
      expect((await look(sql)).uses).to.deep.equal(uses)
    })
  }

  const refused: [code: string, sql: string][] = [
    ['sql-syntax', ''],
    ['sql-syntax', 'SELEC 1'],
    ['sql-syntax', 'SELECT FROM WHERE'],
    ['sql-syntax', "SELECT 'open"],
    ['sql-syntax', 'SELECT 1\0'],
    ['sql-not-select', 'SELECT 1; DROP TABLE Personen'],
    ['sql-not-select', 'SELECT 1; SELECT 2'],
    ['sql-not-select', 'EXPLAIN SELECT 1'],
    ['sql-not-select', 'PRAGMA version'],
    ['sql-not-select', "SET memory_limit = '1TB'"],
    ['sql-not-select', "COPY Personen TO '/tmp/x'"],
    ['sql-not-select', "ATTACH '/tmp/x.db'"],
    ['sql-not-select', 'INSTALL httpfs'],
    ['sql-not-select', 'CREATE TABLE x AS SELECT 1'],
    ['sql-not-select', 'DELETE FROM Personen'],
    ['sql-not-select', 'PIVOT Personen ON Geslacht USING count(*)'],
    ['sql-invalid', 'DESCRIBE Personen'],
    ['sql-invalid', 'SUMMARIZE Personen'],
    ['sql-invalid', 'SHOW TABLES'],
    ['sql-invalid', 'SELECT * FROM (PIVOT Personen ON Geslacht IN (1) USING sum(Peildat))'],
    ['sql-invalid', 'SELECT Unieknr, unieknr FROM Personen'],
    ['sql-invalid', 'SELECT p.*, a.* FROM Personen p, Aanstellingen a'],
    ['sql-invalid', 'SELECT Geslacht FROM Personen USING SAMPLE 3'],
    ['sql-invalid', 'SELECT Geslacht FROM Personen WHERE Peildat = ?'],
    ['sql-invalid', 'SELECT Peildat FROM Personen, Aanstellingen'],
    ['sql-invalid', "SELECT CAST(Geslacht AS ENUM('M', 'V')) AS g FROM Personen"],
    ['sql-invalid', 'SELECT Geslacht + Gebdat AS x FROM Personen'],
    ['sql-table-unknown', "SELECT * FROM '/etc/passwd'"],
    ['sql-table-unknown', "SELECT * FROM 'data.csv'"],
    ['sql-table-unknown', "SELECT * FROM 'https://example.org/x.parquet'"],
    ['sql-table-unknown', 'SELECT * FROM information_schema.tables'],
    ['sql-table-unknown', 'SELECT * FROM duckdb_settings'],
    ['sql-table-unknown', 'SELECT * FROM sqlite_master'],
    ['sql-table-unknown', 'SELECT * FROM main.Personen'],
    ['sql-table-unknown', 'SELECT * FROM memory.main.Personen'],
    ['sql-table-unknown', 'SELECT * FROM Person'],
    ['sql-invalid', 'SELECT * FROM (WITH "/etc/x.csv" AS (SELECT 1) SELECT 1), \'/etc/x.csv\''],
    ['sql-table-unknown', 'SELECT (SELECT max(Salaris) FROM Salarissen) FROM Personen'],
    // U+212A lower-cases to k in JavaScript and to itself in the engine
    ['sql-table-unknown', 'WITH k AS (SELECT 1 AS x) SELECT x FROM "\u212a"'],
    ['sql-invalid', 'WITH "in/[0k].parquet" AS (SELECT 1 AS x) SELECT x FROM "in/[0\u212a].parquet"'],
    ['sql-table-unknown', 'SELECT länge FROM GRÖßE'],
    ['sql-invalid', 'WITH "in/x.parquet" AS (SELECT 1 AS x) SELECT x FROM "in/x.parquet"'],
    ['sql-invalid', 'WITH "x.csv" AS (SELECT 1 AS x) SELECT 2 AS y'],
    ['sql-invalid', 'WITH "a*" AS (SELECT 1 AS x) SELECT 2 AS y'],
    ['sql-column-unknown', 'SELECT Salaris FROM Personen'],
    ['sql-column-unknown', 'SELECT p.Naam FROM Personen p'],
    ['sql-column-unknown', 'SELECT * EXCLUDE (Naam) FROM Personen'],
    ['sql-column-unknown', 'SELECT Geslacht FROM Personen JOIN Aanstellingen USING (Naam)'],
    ['sql-column-unknown', 'SELECT rowid FROM Personen'],
    ['sql-column-unknown', 'SELECT Geslacht FROM Personen ORDER BY Naam'],
    ['sql-function-not-allowed', "SELECT * FROM read_csv('/etc/passwd')"],
    ['sql-function-not-allowed', "SELECT read_text('/etc/passwd')"],
    ['sql-function-not-allowed', "SELECT * FROM glob('/etc/*')"],
    ['sql-function-not-allowed', 'SELECT * FROM duckdb_views()'],
    ['sql-function-not-allowed', "SELECT * FROM query('SELECT 1')"],
    ['sql-function-not-allowed', "SELECT * FROM query_table('Personen')"],
    ['sql-function-not-allowed', 'SELECT * FROM range(10)'],
    ['sql-function-not-allowed', "SELECT * FROM range(length(repeat('x', 1000000000)))"],
    ['sql-function-not-allowed', "SELECT repeat('x', 1000000000)"],
    ['sql-function-not-allowed', "SELECT lpad('x', 1000000000, 'y')"],
    ['sql-function-not-allowed', "SELECT printf('%1000000000d', 1)"],
    ['sql-function-not-allowed', 'SELECT unnest(generate_series(1, 1000000000))'],
    ['sql-function-not-allowed', 'SELECT random() FROM Personen'],
    ['sql-function-not-allowed', 'SELECT now()'],
    ['sql-function-not-allowed', 'SELECT current_date'],
    ['sql-function-not-allowed', 'SELECT user FROM Personen'],
    ['sql-function-not-allowed', "SELECT getenv('HOME')"],
    ['sql-function-not-allowed', "SELECT current_setting('temp_directory')"],
    ['sql-function-not-allowed', "SELECT getvariable('pseudonym_inner')"],
    ['sql-function-not-allowed', 'SELECT error(Geslacht) FROM Personen'],
    ['sql-function-not-allowed', 'SELECT system.main.sum(Peildat) FROM Personen'],
    ['sql-function-not-allowed', 'SELECT list_transform([1], x -> random())'],
    ['sql-function-not-allowed', 'SELECT Geslacht FROM Personen GROUP BY random(), Geslacht'],
    ['sql-function-not-allowed', 'SELECT Geslacht FROM Personen ORDER BY random()'],
    ['sql-function-not-allowed', 'SELECT sum(random()) OVER () FROM Personen'],
    ['sql-function-not-allowed', 'SELECT count(*) FILTER (WHERE random() > 1) FROM Personen'],
    ['sql-function-not-allowed', 'WITH x AS (SELECT random() AS r) SELECT 1 FROM Personen'],
    ['sql-function-not-allowed', 'SELECT 1 LIMIT (SELECT random())'],
    ['sql-function-not-allowed', 'SELECT Geslacht FROM Personen p JOIN Aanstellingen a ON random() > 1'],
    ['sql-too-complex', 'WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM r) SELECT * FROM r'],
    [
      'sql-too-complex',
      `SELECT ${'('.repeat(400)}1${')'.repeat(400)} + ${Array.from({ length: 400 }, () => '1').join(' + ')} AS x`
    ],
    ['sql-too-complex', `WITH ${chain(12)} SELECT count(*) AS n FROM c12`],
    ['sql-too-complex', `SELECT ${Array.from({ length: 1500 }, (_, i) => `1 AS a${i}`).join(', ')}`],
    [
      'sql-too-complex',
      `SELECT Geslacht FROM Personen GROUP BY CUBE (${Array.from({ length: 10 }, (_, i) => `Peildat + ${i}`).join(', ')}), Geslacht`
    ],
    ['sql-too-complex', `SELECT 1 FROM ${Array.from({ length: 40 }, (_, i) => `Personen p${i}`).join(', ')}`]
  ]
  for (const [code, sql] of refused) {
    it(`refuses ${sql.length > 90 ? `${sql.slice(0, 90)}…` : sql} as ${code}`, async () => {
      expect((await refusal(sql)).code).to.equal(code)
    })
  }

  it('takes no function of SQL for a column that only another relation has', async () => {
    const both: TableSchema[] = [
      { name: 'staff', columns: [{ name: 'user', type: 'VARCHAR' }] },
      { name: 'rooms', columns: [{ name: 'id', type: 'BIGINT' }] }
    ]
    const uses = async (sql: string) => (await inspect(engine, sql, both)).uses
    const staff = [{ table: 'staff', columns: ['user'] }]
    expect(await uses('SELECT user FROM staff')).to.deep.equal(staff)
    expect(await uses('SELECT (SELECT s."user") AS u FROM staff s')).to.deep.equal(staff)
    const functions = [
      'SELECT user FROM rooms',
      'SELECT user',
      'SELECT USER FROM staff, rooms',
      'SELECT user FROM staff AS s(person)',
      'SELECT user FROM (SELECT 1 AS x FROM staff)',
      'WITH staff AS (SELECT 1 AS x) SELECT user FROM staff'
    ]
    for (const sql of functions) {
      const failure = await inspect(engine, sql, both).catch((error: unknown) => error)
      expect(failure).to.include({ code: 'sql-invalid' })
    }
  })

  it('tells a hidden column apart from one that never was in no way', async () => {
    const hidden = await refusal('SELECT Naam FROM Personen')
    const absent = await refusal('SELECT Nxxm FROM Personen')
    expect(hidden.hint?.replace('Naam', 'X')).to.equal(absent.hint?.replace('Nxxm', 'X'))
    expect(hidden.position).to.equal(absent.position)
  })

  it('places a column in characters, whatever stands before it, and says what was meant', async () => {
    const failure = await refusal("SELECT 'é→𝄞' AS t, Geslagt FROM Personen")
    expect(failure.position).to.equal("SELECT 'é→𝄞' AS t, ".length)
    expect(failure.hint).to.equal('there is no column "Geslagt" here, did you mean "Geslacht"?')
  })

  it('places a table and a function', async () => {
    expect((await refusal('SELECT * FROM Person')).position).to.equal(14)
    expect((await refusal('SELECT  random() FROM Personen')).position).to.equal(8)
  })

  it('gives the columns that will come out', async () => {
    const { columns } = await look(
      'SELECT Geslacht AS g, sum(Peildat) AS s, avg(Peildat) AS a, Gebdat FROM Personen GROUP BY ALL'
    )
    expect(columns).to.deep.equal([
      { name: 'g', type: 'VARCHAR', origin: { table: 'Personen', column: 'Geslacht' } },
      { name: 's', type: 'HUGEINT' },
      { name: 'a', type: 'DOUBLE' },
      { name: 'Gebdat', type: 'DATE', origin: { table: 'Personen', column: 'Gebdat' } }
    ])
  })

  it('says what keeps rows of several providers from being put together', async () => {
    const of = async (sql: string): Promise<string[]> => (await look(sql)).notDistributable.sort()
    expect(await of('SELECT Geslacht FROM Personen')).to.deep.equal([])
    expect(await of('SELECT Geslacht, count(*) AS n FROM Personen GROUP BY 1')).to.deep.equal([
      'aggregate',
      'group by'
    ])
    expect(await of('SELECT DISTINCT Geslacht FROM Personen')).to.deep.equal(['distinct'])
    expect(await of('SELECT rank() OVER (ORDER BY Gebdat) AS r FROM Personen')).to.deep.equal(['window'])
    expect(await of('SELECT Unieknr FROM Personen EXCEPT SELECT Unieknr FROM Aanstellingen')).to.deep.equal([
      'set operation'
    ])
    expect(
      await of('SELECT Geslacht FROM Personen WHERE Peildat > (SELECT avg(Peildat) FROM Personen)')
    ).to.deep.equal(['aggregate'])
  })

  it('says what acts per provider', async () => {
    expect((await look('SELECT Geslacht FROM Personen ORDER BY 1 LIMIT 2')).perProvider.sort()).to.deep.equal(
      ['limit', 'order by']
    )
  })

  it('lists the functions that are called', async () => {
    const { functions } = await look(
      'SELECT upper(Geslacht) AS u, sum(Peildat + 1) AS s FROM Personen GROUP BY 1'
    )
    expect(functions).to.deep.equal(['sum', 'upper'])
  })

  it('leaves nothing behind for the next statement', async () => {
    await look('SELECT Geslacht FROM Personen')
    const other = [{ name: 'Personen', columns: [{ name: 'x', type: 'INTEGER' }] }]
    const { columns } = await inspect(engine, 'SELECT * FROM Personen', other)
    expect(columns.map(({ name, type }) => ({ name, type }))).to.deep.equal(other[0]?.columns)
  })
})

/** Common table expressions that each read the one before twice: 2^n readings. */
function chain(length: number): string {
  const parts = ['c0 AS (SELECT Unieknr FROM Personen)']
  for (let i = 1; i <= length; i++) parts.push(`c${i} AS (SELECT a.Unieknr FROM c${i - 1} a, c${i - 1} b)`)
  return parts.join(', ')
}
