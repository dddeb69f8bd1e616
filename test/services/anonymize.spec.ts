import { createHmac } from 'node:crypto'
import { expect } from 'chai'
import { parseAnonymize, planAnonymize, pseudonymKeys } from '../../services/anonymize/index.ts'
import { Engine } from '../../services/engine/index.ts'
import { Failure } from '../../services/failure/index.ts'
import { anonymisedTables } from '../../services/index.ts'
import { quoteText } from '../../services/sql/index.ts'

const KEY = '00112233445566778899aabbccddeeff0102030405060708090a0b0c0d0e0f10'

describe('anonymising', () => {
  let engine: Engine
  before(async () => {
    engine = await Engine.open()
  })

  const change = async (
    type: string,
    value: string,
    parameters: Record<string, unknown>,
    key = KEY
  ): Promise<unknown> => {
    const parsed = parseAnonymize(parameters)
    for (const [name, hex] of Object.entries(pseudonymKeys(key, parsed.domain)))
      await engine.run(`SET VARIABLE ${name} = ${quoteText(hex)}`)
    const { sql } = planAnonymize(`(SELECT CAST(${value} AS ${type}) AS c)`, [{ name: 'c', type }], parsed)
    return (await engine.rows(`SELECT CAST(c AS VARCHAR) FROM (${sql})`))[0]?.[0]
  }
  const hmac = (text: string, key = KEY): string =>
    createHmac('sha256', Buffer.from(key, 'hex')).update(text).digest('hex').slice(0, 32)

  for (const text of ['1', '', 'Jan Jansen', "O'Brien", 'é𝄞', 'x'.repeat(200)]) {
    it(`makes the pseudonym of ${JSON.stringify(text.slice(0, 12))} that node:crypto makes`, async () => {
      expect(await change('VARCHAR', quoteText(text), { pseudonymise: ['c'] })).to.equal(hmac(text))
    })
  }

  it('makes the same pseudonym of a number and of its text', async () => {
    expect(await change('BIGINT', '-42', { pseudonymise: ['C'] })).to.equal(hmac('-42'))
    expect(await change('DATE', "'2020-02-03'", { pseudonymise: ['c'] })).to.equal(hmac('2020-02-03'))
  })

  it('makes others with another key and in another domain', async () => {
    const other = 'ff'.repeat(32)
    expect(await change('VARCHAR', "'a'", { pseudonymise: ['c'] }, other)).to.equal(hmac('a', other))
    expect(await change('VARCHAR', "'a'", { pseudonymise: ['c'], domain: 'wageGap' })).to.equal(
      hmac('wageGap\0a')
    )
  })

  it('makes others where a domain goes on as the value of another one begins', async () => {
    const one = await change('BIGINT', '12100', { pseudonymise: ['c'], domain: 'pay' })
    expect(await change('BIGINT', '2100', { pseudonymise: ['c'], domain: 'pay1' })).not.to.equal(one)
  })

  it('leaves NULL what it is', async () => {
    expect(await change('VARCHAR', 'NULL', { pseudonymise: ['c'] })).to.equal(null)
  })

  const map = { values: { E10: 'diabetes', "O'Brien": 'a "name"', '7': 'seven', '2020-02-03': 'a day' } }
  const coarse: [type: string, value: string, to: unknown, wanted: string | null][] = [
    ['VARCHAR', "'1012AB'", { prefix: 4 }, '1012'],
    ['VARCHAR', "'10'", { prefix: 4 }, '10'],
    ['VARCHAR', "'é𝄞x'", { prefix: 2 }, 'é𝄞'],
    ['VARCHAR', 'NULL', { prefix: 4 }, null],
    ['INTEGER', '17', { edges: ['0', '18', '65'] }, '0'],
    ['INTEGER', '18', { edges: ['0', '18', '65'] }, '18'],
    ['INTEGER', '900', { edges: ['0', '18', '65'] }, '65'],
    ['INTEGER', '-1', { edges: ['0', '18', '65'] }, null],
    ['INTEGER', 'NULL', { edges: ['0'] }, null],
    ['UTINYINT', '255', { edges: ['0', '200'] }, '200'],
    ['DOUBLE', '2.49', { edges: ['-1', '2.5'] }, '-1.0'],
    ['DOUBLE', "'nan'", { edges: ['0'] }, null],
    ['DOUBLE', "'inf'", { edges: ['0'] }, '0.0'],
    ['DECIMAL(6,2)', '2.50', { edges: ['-1', '2.50'] }, '2.50'],
    ['VARCHAR', "'E10'", map, 'diabetes'],
    ['VARCHAR', "'O''Brien'", map, 'a "name"'],
    ['VARCHAR', "'e10'", map, null],
    ['VARCHAR', "'E11'", map, null],
    ['VARCHAR', "'E11'", { ...map, otherwise: "o'ther" }, "o'ther"],
    ['VARCHAR', 'NULL', { ...map, otherwise: 'other' }, null],
    ['VARCHAR', "'E10'", { values: {} }, null],
    ['BIGINT', '7', map, 'seven'],
    ['DATE', "'2020-02-03'", map, 'a day'],
    ['DATE', "'1980-08-23'", 'year', '1980-01-01'],
    ['DATE', "'1980-08-23'", 'quarter', '1980-07-01'],
    ['DATE', "'1980-08-23'", 'month', '1980-08-01'],
    ['TIMESTAMP', "'1980-08-23 10:11:12'", 'month', '1980-08-01 00:00:00'],
    ['VARCHAR', "'1980-08-23'", 'year', '1980-01-01'],
    ['VARCHAR', "'not a date'", 'year', null],
    ['BIGINT', '19800823', 'year', '19800101'],
    ['BIGINT', '19800823', 'quarter', '19800701'],
    ['BIGINT', '19800823', 'month', '19800801'],
    ['BIGINT', '17', 'year', null],
    ['INTEGER', '17', 5, '15'],
    ['INTEGER', '-17', 5, '-20'],
    ['INTEGER', '-20', 5, '-20'],
    ['DOUBLE', '17.9', 2.5, '17.5'],
    ['DOUBLE', '-0.1', 2.5, '-2.5'],
    ['DECIMAL(6,2)', '17.99', 0.5, '17.50'],
    ['DATE', 'NULL', 'year', null]
  ]
  for (const [type, value, to, wanted] of coarse) {
    it(`coarsens ${type} ${value} to ${JSON.stringify(to)}: ${wanted}`, async () => {
      expect(await change(type, value, { generalise: { c: to } })).to.equal(wanted)
    })
  }

  it('takes names of columns in any case, as the engine does', async () => {
    expect(await change('VARCHAR', "'1012AB'", { generalise: { C: { prefix: 4 } } })).to.equal('1012')
    const kelvin = planAnonymize(
      't',
      [{ name: '\u212a', type: 'VARCHAR' }],
      parseAnonymize({ suppress: ['k'] })
    )
    expect(kelvin.sql).not.to.include('NULL')
  })

  it('maps several columns of a table at once, whatever the columns are called', async () => {
    const columns = ['dynamos value', 'dynamos coarser', 'v'].map((name) => ({ name, type: 'VARCHAR' }))
    const { sql } = planAnonymize(
      `(SELECT 'a' AS "dynamos value", 'b' AS "dynamos coarser", 'c' AS v)`,
      columns,
      parseAnonymize({
        generalise: {
          'dynamos value': { values: { a: 'A' } },
          'dynamos coarser': { values: { b: 'B' } },
          v: { values: { c: 'C' } }
        }
      })
    )
    expect(await engine.rows(sql)).to.deep.equal([['A', 'B', 'C']])
  })

  it('says that types change, to whoever inspects a query', () => {
    const tables = [
      {
        name: 't',
        columns: [
          { name: 'a', type: 'BIGINT' },
          { name: 'b', type: 'VARCHAR' },
          { name: 'c', type: 'INTEGER' }
        ]
      }
    ]
    const generalise = { a: { values: { '1': 'one' } }, b: { prefix: 1 }, c: { edges: ['0'] } }
    expect(anonymisedTables(tables, { generalise })[0]?.columns.map(({ type }) => type)).to.deep.equal([
      'VARCHAR',
      'VARCHAR',
      'INTEGER'
    ])
  })

  it('empties a column and keeps its type', async () => {
    expect(await change('BIGINT', '3', { suppress: ['c'] })).to.equal(null)
    const [table] = anonymisedTables(
      [
        {
          name: 't',
          columns: [
            { name: 'c', type: 'BIGINT' },
            { name: 'd', type: 'BIGINT' }
          ]
        }
      ],
      {
        suppress: ['c'],
        pseudonymise: ['d', 'elsewhere']
      }
    )
    expect(table?.columns).to.deep.equal([
      { name: 'c', type: 'BIGINT' },
      { name: 'd', type: 'VARCHAR' }
    ])
  })

  const broken: Record<string, unknown>[] = [
    { pseudonymise: 'c' },
    { generalise: { c: 'decade' } },
    { generalise: { c: 0 } },
    { generalise: ['c'] },
    { suppress: ['c'], pseudonymise: ['C'] },
    { k: 5 },
    { k: -1, quasi: ['c'] },
    { k: 2.5, quasi: ['c'] },
    { quasi: 'c' },
    { subjects: { t: 'c' } },
    { generalise: { c: { prefix: 0 } } },
    { generalise: { c: { edges: [] } } },
    { generalise: { c: { edges: ['1e5'] } } },
    { generalise: { c: { edges: ["1'; --"] } } },
    { generalise: { c: { values: { a: 1 } } } },
    { generalise: { c: { values: { a: 'nul\0' } } } },
    { generalise: { c: {} } }
  ]
  for (const parameters of broken) {
    it(`refuses ${JSON.stringify(parameters)}`, () => {
      expect(() => parseAnonymize(parameters))
        .to.throw(Failure)
        .with.property('code', 'anonymize-parameters')
    })
  }

  it('refuses to coarsen what has no order of that kind', () => {
    const plan = (type: string, to: unknown) => () =>
      planAnonymize('t', [{ name: 'c', type }], parseAnonymize({ generalise: { c: to } }))
    expect(plan('DOUBLE', 'year')).to.throw(Failure, '"year" needs a date')
    expect(plan('VARCHAR', 5)).to.throw(Failure, 'a bin width needs a number')
    expect(plan('BIGINT', 0.5)).to.throw(Failure, 'a whole bin width')
    expect(plan('BIGINT', { prefix: 2 })).to.throw(Failure, 'declare the column as VARCHAR')
    expect(plan('DATE', { prefix: 2 })).to.throw(Failure, 'a prefix needs a text')
    expect(plan('VARCHAR', { edges: ['1'] })).to.throw(Failure, 'edges need a number')
    expect(plan('INTEGER', { edges: ['1.5'] })).to.throw(Failure, 'INTEGER cannot hold the edge 1.5')
    expect(plan('TINYINT', { edges: ['128'] })).to.throw(Failure, 'TINYINT cannot hold the edge 128')
    expect(plan('UTINYINT', { edges: ['-1'] })).to.throw(Failure, 'UTINYINT cannot hold the edge -1')
    expect(plan('DECIMAL(4,2)', { edges: ['100'] })).to.throw(Failure, 'cannot hold the edge 100')
    expect(plan('DECIMAL(4,2)', { edges: ['1.005'] })).to.throw(Failure, 'cannot hold the edge 1.005')
    expect(plan('DOUBLE', { values: { a: 'b' } })).to.throw(Failure, 'a value map needs')
  })
})
