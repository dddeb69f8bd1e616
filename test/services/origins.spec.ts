import { expect } from 'chai'
import fc from 'fast-check'
import { Engine } from '../../services/engine/index.ts'
import type { TableSchema } from '../../services/index.ts'
import { inspect, prepareShadow } from '../../services/inspect/index.ts'
import { quoteName } from '../../services/sql/index.ts'

const number = (name: string) => ({ name, type: 'BIGINT' })
const TABLES: TableSchema[] = [
  { name: 'person', columns: ['id', 'day', 'wage', 'bonus'].map(number) },
  { name: 'job', columns: ['id', 'day', 'pay'].map(number) },
  { name: 'Größe', columns: [number('länge')] }
]

/** One row in each table, another value in each column but those that joins compare: a value tells where it is from. */
const held = (table: string, column: string): number =>
  column === 'id' || column === 'day'
    ? column.length
    : 100 + TABLES.flatMap((one) => one.columns.map(({ name }) => one.name + name)).indexOf(table + column)

const P = (column: string) => `person.${column}`
const J = (column: string) => `job.${column}`

const EXPECTED: [sql: string, origins: (string | null)[]][] = [
  ['SELECT wage FROM person', [P('wage')]],
  ['select WAGE as w, Bonus from PERSON', [P('wage'), P('bonus')]],
  ['SELECT * FROM person', [P('id'), P('day'), P('wage'), P('bonus')]],
  ['FROM job', [J('id'), J('day'), J('pay')]],
  ['SELECT länge AS l FROM Größe', ['Größe.länge']],
  ['SELECT p.wage, j.pay FROM person p JOIN job j USING (id)', [P('wage'), J('pay')]],
  ['SELECT p.wage, j.pay FROM person p, job AS j WHERE p.id = j.id', [P('wage'), J('pay')]],
  ['SELECT * FROM person JOIN job USING (id, day)', [P('id'), P('day'), P('wage'), P('bonus'), J('pay')]],
  ['SELECT * FROM job NATURAL JOIN person', [J('id'), J('day'), J('pay'), P('wage'), P('bonus')]],
  ['SELECT id, pay FROM person LEFT JOIN job USING (id)', [P('id'), J('pay')]],
  ['SELECT id, pay FROM person RIGHT JOIN job USING (id)', [null, J('pay')]],
  ['SELECT id, pay FROM person FULL JOIN job USING (id)', [null, J('pay')]],
  ['SELECT person.id FROM person FULL JOIN job USING (id)', [P('id')]],
  ['SELECT wage FROM person SEMI JOIN job USING (id)', [P('wage')]],
  ['SELECT x FROM (SELECT wage AS x, bonus AS wage FROM person) s', [P('wage')]],
  ['SELECT wage FROM (SELECT wage AS x, bonus AS wage FROM person) s', [P('bonus')]],
  ['SELECT a, b FROM (SELECT wage, bonus FROM person) s(b, a)', [P('bonus'), P('wage')]],
  ['SELECT b FROM person p(a, b, c)', [P('day')]],
  ['WITH c AS (SELECT pay AS p FROM job) SELECT p AS q FROM c', [J('pay')]],
  ['WITH c(z) AS (SELECT pay FROM job) SELECT * FROM c', [J('pay')]],
  ['WITH person AS (SELECT pay AS wage FROM job) SELECT wage FROM person', [J('pay')]],
  ['WITH a AS (FROM job), b AS (FROM a) SELECT x.pay FROM b x', [J('pay')]],
  ['SELECT * EXCLUDE (id, day) FROM person', [P('wage'), P('bonus')]],
  ['SELECT * EXCLUDE (id) REPLACE (wage * 2 AS wage) FROM person', [P('day'), null, P('bonus')]],
  ['SELECT * RENAME (pay AS wage) FROM job', [J('id'), J('day'), J('pay')]],
  ['SELECT j.* EXCLUDE (id, day), p.bonus AS b FROM person p JOIN job j USING (id)', [J('pay'), P('bonus')]],
  ['SELECT wage + 0 AS wage FROM person', [null]],
  ['SELECT CAST(wage AS DOUBLE) AS wage FROM person', [null]],
  ['SELECT max(wage) AS wage, id FROM person GROUP BY id', [null, P('id')]],
  ['SELECT wage FROM person UNION ALL SELECT pay FROM job', [null]],
  ['SELECT s.wage FROM (SELECT wage FROM person UNION ALL SELECT pay FROM job) s', [null]],
  ['SELECT (SELECT max(pay) FROM job) AS wage FROM person', [null]],
  ['SELECT CASE WHEN id > 0 THEN wage ELSE bonus END AS wage FROM person', [null]],
  ["SELECT COLUMNS('wage') FROM person", [null]],
  ['SELECT v.wage FROM (VALUES (1)) v(wage)', [null]],
  ['SELECT coalesce(wage, bonus) AS wage FROM person', [null]],
  ['SELECT wage FROM person ORDER BY bonus LIMIT 1', [P('wage')]],
  ['SELECT DISTINCT wage FROM person', [P('wage')]]
]

/** Statements of plain columns, stars, aliases and joins, one inside the other. */
const names = fc.constantFrom('id', 'day', 'wage', 'bonus', 'pay', 'x')
const item = fc.oneof(
  names,
  fc.tuple(names, names).map(([column, alias]) => `${column} AS ${alias}`),
  fc.tuple(fc.constantFrom('a', 'b'), names).map((parts) => parts.join('.')),
  fc.constantFrom('*', 'a.*', 'b.*', '* EXCLUDE (id)', '* REPLACE (wage + 1 AS wage)', 'wage + 1 AS x')
)
const statement: fc.Arbitrary<string> = fc.letrec<{ query: string; relation: string }>((tie) => ({
  relation: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom('person', 'job'),
    tie('query').map((query) => `(${query})`)
  ),
  query: fc
    .record({
      items: fc.array(item, { minLength: 1, maxLength: 3 }),
      left: tie('relation'),
      right: fc.option(tie('relation')),
      aliases: fc.constantFrom('', '(x, wage)'),
      join: fc.constantFrom('JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN', 'SEMI JOIN'),
      on: fc.constantFrom(' USING (id)', ' USING (id, day)', ' ON true')
    })
    .map(({ items, left, right, aliases, join, on }) => {
      const joined = right === null ? '' : ` ${join} ${right} b${on}`
      return `SELECT ${items.join(', ')} FROM ${left} a${aliases}${joined}`
    })
})).query

describe('where a column of a result is from', () => {
  let shadow: Engine
  let data: Engine
  before(async () => {
    shadow = await Engine.open()
    await prepareShadow(shadow)
    data = await Engine.open()
    for (const { name, columns } of TABLES) {
      const values = columns.map(
        (column) => `${held(name, column.name)}::BIGINT AS ${quoteName(column.name)}`
      )
      await data.run(`CREATE TABLE ${quoteName(name)} AS SELECT ${values.join(', ')}`)
    }
  })

  const origins = async (sql: string) =>
    (await inspect(shadow, sql, TABLES)).columns.map(({ origin }) => origin ?? null)

  for (const [sql, expected] of EXPECTED)
    it(`is found in: ${sql}`, async () => {
      const found = (await origins(sql)).map((one) => (one === null ? null : `${one.table}.${one.column}`))
      expect(found).to.deep.equal(expected)
    })

  it('is never another column than the engine takes', async function () {
    this.timeout(60_000)
    let told = 0
    await fc.assert(
      fc.asyncProperty(statement, async (sql) => {
        const found = await origins(sql).catch(() => undefined)
        if (found === undefined) return
        const [row] = await data.rows(sql)
        for (const [index, origin] of found.entries()) {
          if (origin === null) continue
          told++
          const value = row?.[index]
          // an outer join that finds nothing gives NULL in whatever column
          if (value !== null && row !== undefined)
            expect(Number(value), sql).to.equal(held(origin.table, origin.column))
        }
      }),
      { numRuns: 2500 }
    )
    expect(told).to.be.greaterThan(100)
  })
})
