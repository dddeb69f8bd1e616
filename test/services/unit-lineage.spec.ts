import { expect } from 'chai'
import { Engine } from '../../services/engine/index.ts'
import { checkStatement, protectionProblem } from '../../services/inspect/index.ts'
import type { TableSchema } from '../../services/job/index.ts'

const TABLES: TableSchema[] = [
  {
    name: 'person',
    columns: [
      { name: 'id', type: 'BIGINT' },
      { name: 'gender', type: 'VARCHAR' },
      { name: 'born', type: 'INTEGER' },
      { name: 'mail', type: 'VARCHAR' }
    ]
  },
  {
    name: 'job',
    columns: [
      { name: 'id', type: 'BIGINT' },
      { name: 'year', type: 'INTEGER' },
      { name: 'wage', type: 'BIGINT' },
      { name: 'code', type: 'VARCHAR' }
    ]
  },
  {
    name: 'codes',
    columns: [
      { name: 'code', type: 'VARCHAR' },
      { name: 'title', type: 'VARCHAR' }
    ]
  }
]
const UNITS = [
  { table: 'person', column: 'id' },
  { table: 'job', column: 'id' }
]
const average = (value: string, by: string[] = []) => ({ name: 'average', parameters: { value, by } })
const BY_GENDER = average('wage', ['gender'])

describe('whom the rows of a statement are about', () => {
  let engine: Engine
  before(async () => {
    engine = await Engine.open()
    for (const { name, columns } of TABLES)
      await engine.run(`CREATE TABLE ${name} (${columns.map((one) => `${one.name} ${one.type}`).join(', ')})`)
  })

  const problemOf = async (sql: string, algorithm = BY_GENDER): Promise<string | undefined> => {
    const facts = await checkStatement(engine, sql, TABLES)
    const columns = await engine.describe(sql)
    const found = protectionProblem(sql, facts, { tables: TABLES, columns, units: UNITS, algorithm })
    return 'problem' in found ? found.problem.reason : undefined
  }

  const CERTAIN = [
    'SELECT gender, wage FROM person JOIN job USING (id)',
    'SELECT * FROM person JOIN job USING (id)',
    'SELECT p.*, wage FROM person AS p LEFT JOIN job AS j ON p.id = j.id AND j.year = 2020',
    "SELECT gender, wage FROM person, job WHERE mail LIKE '%'",
    "SELECT gender, wage FROM person AS p, job AS j WHERE p.id = j.id AND code = 'a'",
    "SELECT gender || '!' AS gender, wage FROM person JOIN job USING (id) WHERE wage > 10 AND born BETWEEN 1950 AND 1960",
    'SELECT p.id AS who, gender, j.wage FROM person p JOIN job j ON p.id = j.id JOIN job k ON p.id = k.id'
  ]
  for (const sql of CERTAIN)
    it(`are known for ${sql}`, async () => {
      expect(await problemOf(sql)).to.equal(undefined)
    })

  const REFUSED: [string, RegExp][] = [
    ['SELECT gender, wage FROM person JOIN job USING (id) WHERE id = 5', /"id" tells whom/],
    ['SELECT gender, wage FROM person p JOIN job j USING (id) WHERE p.id < 5', /"id" tells whom/],
    ['SELECT gender, wage, p.id AS x FROM person p JOIN job j USING (id) WHERE x < 5', /"x" tells whom/],
    ['SELECT gender, wage, p.id AS x FROM person p JOIN job j USING (id) WHERE x % 2 = 0', /tells whom/],
    ['SELECT gender, wage FROM person p JOIN job j ON p.id = j.id + 1', /tells whom/],
    ['SELECT gender, wage FROM person p JOIN job j ON p.id = j.wage', /tells whom/],
    ['SELECT gender, wage FROM person p JOIN job j ON p.id = j.id OR p.id = 7', /tells whom/],
    ['SELECT CAST(id AS VARCHAR) AS gender, wage FROM job', /tells whom/],
    ['SELECT CASE WHEN id = 3 THEN 1 END AS gender, wage FROM job', /tells whom/],
    ['SELECT gender, wage FROM person JOIN job USING (id) ORDER BY id', /tells whom/],
    ['SELECT id AS gender, wage FROM job', /cannot be what groups are made of/],
    ['SELECT code AS gender, id AS wage FROM job', /cannot be what groups are made of/],
    ['SELECT gender, wage * 2 AS wage FROM person JOIN job USING (id)', /"wage" is an expression/],
    [
      "SELECT gender, CASE WHEN mail = 'a' THEN wage END AS wage FROM person JOIN job USING (id)",
      /expression/
    ],
    [
      'SELECT gender, avg(wage) AS wage FROM person JOIN job USING (id) GROUP BY gender',
      /group by|aggregate/
    ],
    ['SELECT DISTINCT gender, wage FROM person JOIN job USING (id)', /distinct/],
    ['SELECT gender, wage, row_number() OVER () AS n FROM person JOIN job USING (id)', /window/],
    ['SELECT gender, wage FROM person JOIN job USING (id) LIMIT 1', /LIMIT/],
    [
      'SELECT gender, wage FROM (SELECT gender, wage FROM person JOIN job USING (id)) AS q',
      /inside the query/
    ],
    ['WITH q AS (SELECT * FROM job) SELECT code AS gender, wage FROM q', /inside the query/],
    [
      'SELECT gender, wage FROM person JOIN job USING (id) WHERE wage = (SELECT max(wage) FROM job)',
      /aggregate|inside/
    ],
    [
      'SELECT gender, wage FROM person JOIN job USING (id) WHERE EXISTS (SELECT 1 FROM job)',
      /inside the query/
    ],
    ['SELECT gender, wage FROM person FULL JOIN job USING (id)', /JOIN or LEFT JOIN/],
    ['SELECT gender, wage FROM person RIGHT JOIN job USING (id)', /JOIN or LEFT JOIN/],
    ['SELECT code AS gender, wage FROM job SEMI JOIN person USING (id)', /JOIN or LEFT JOIN/],
    ['SELECT gender, wage FROM person NATURAL JOIN job', /ON or USING/],
    ['SELECT gender, wage FROM person POSITIONAL JOIN job', /ON or USING/],
    ['SELECT a AS gender, b AS wage FROM job AS j(b, a)', /renamed in FROM/],
    ['SELECT code AS gender, wage FROM job UNION ALL SELECT code, wage FROM job', /set operation|one SELECT/],
    ['SELECT title AS gender, wage FROM job JOIN codes USING (code)', /"codes" has no column/],
    ["SELECT 'x' AS gender, 1 AS wage", /reads no table/],
    ['SELECT gender, wage FROM person JOIN job USING (id) WHERE person IS NOT NULL', /no column of a table/],
    ['SELECT * REPLACE (wage % 2 AS wage), code AS gender FROM job', /without REPLACE/],
    ['SELECT upper(code) || wage, code AS gender, wage FROM job', /needs a name/],
    ['SELECT code AS gender, wage, year AS "Dynamos unit 0" FROM job', /may not be called/]
  ]
  for (const [sql, why] of REFUSED)
    it(`are not certain, or asked for themselves, in ${sql}`, async () => {
      expect(await problemOf(sql)).to.match(why)
    })

  it('are known for expressions that groups are made of', async () => {
    const sql = 'SELECT born // 10 AS decade, wage FROM person JOIN job USING (id)'
    expect(await problemOf(sql, average('wage', ['decade']))).to.equal(undefined)
    expect(await problemOf(sql, average('decade'))).to.match(/"decade" is an expression/)
  })

  it('are of no use to an algorithm that may give single values away', async () => {
    for (const name of ['table', 'topk', 'describe', 'foreign'])
      expect(
        await problemOf('SELECT code, wage FROM job', { name, parameters: { value: 'wage', by: [] } })
      ).to.match(/single values/)
  })

  it('are not certain for a name that only looks like a column of the query', async () => {
    const sql = 'SELECT id AS k, wage, code AS gender FROM job'
    // the sign for kelvin is a k in lower case
    expect(await problemOf(sql, average('wage', ['\u212A']))).to.match(/not certain/)
  })
})
