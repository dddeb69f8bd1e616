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
      hmac('wageGapa')
    )
  })

  it('leaves NULL what it is', async () => {
    expect(await change('VARCHAR', 'NULL', { pseudonymise: ['c'] })).to.equal(null)
  })

  const coarse: [type: string, value: string, to: string | number, wanted: string | null][] = [
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
    it(`coarsens ${type} ${value} to ${to}: ${wanted}`, async () => {
      expect(await change(type, value, { generalise: { c: to } })).to.equal(wanted)
    })
  }

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
    { k: 5 }
  ]
  for (const parameters of broken) {
    it(`refuses ${JSON.stringify(parameters)}`, () => {
      expect(() => parseAnonymize(parameters))
        .to.throw(Failure)
        .with.property('code', 'anonymize-parameters')
    })
  }

  it('refuses to coarsen what has no order of that kind', () => {
    const plan = (type: string, to: string | number) => () =>
      planAnonymize('t', [{ name: 'c', type }], parseAnonymize({ generalise: { c: to } }))
    expect(plan('DOUBLE', 'year')).to.throw(Failure, '"year" needs a date')
    expect(plan('VARCHAR', 5)).to.throw(Failure, 'a bin width needs a number')
    expect(plan('BIGINT', 0.5)).to.throw(Failure, 'a whole bin width')
  })
})
