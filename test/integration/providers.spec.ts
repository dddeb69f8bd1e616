import { expect } from 'chai'
import type { RequestView } from '../../agent/api/index.ts'
import { type Cell, type ColumnSpec, type DatasetSpec, Market } from './harness.ts'
import { ANALYST, holder, SURF, UVA, wageAgreement } from './wages.ts'

const ARCHETYPES = ['computeToData', 'dataThroughTtp']

type Columns = Record<'id' | 'gender' | 'wage', string | ColumnSpec>

const PLAIN: Columns = { id: 'BIGINT', gender: 'VARCHAR', wage: 'DOUBLE' }
/** The same as at others, under names and codes of its own. */
const CODED: Columns = {
  id: { type: 'BIGINT', from: 'Unieknr' },
  gender: { type: 'VARCHAR', from: 'sexe', values: { '1': 'M', '2': 'F' } },
  wage: { type: 'DOUBLE', from: 'uurloon' }
}

function pay(id: string, columns: Columns, rows: Cell[][]): DatasetSpec {
  return { id, tables: { pay: { columns, rows, subject: 'id' } } }
}

describe('Providers that differ', function () {
  this.timeout(120_000)
  let market: Market

  before(async () => {
    market = await Market.open([
      SURF,
      UVA,
      holder('VU', [
        pay('wages', PLAIN, [
          [1, 'M', 10],
          [2, 'F', 20],
          [3, 'M', 30]
        ]),
        pay('nothing', PLAIN, []),
        pay('unknowns', PLAIN, [
          [1, 'M', null],
          [2, null, null]
        ]),
        pay('words', { ...PLAIN, wage: {} }, [
          [1, 'M', 10.5],
          [2, 'F', 20.5]
        ]),
        pay('texts', { ...PLAIN, wage: 'VARCHAR' }, [
          [1, 'M', '10'],
          [2, 'F', '20']
        ])
      ]),
      holder('TUD', [
        pay('wages', CODED, [
          [4, 1, 50],
          [5, 2, 40],
          [6, 9, 60]
        ]),
        pay('nothing', PLAIN, []),
        pay('unknowns', PLAIN, [[3, 'M', null]]),
        // the type comes from the whole file, so a word in the middle makes it one of words
        pay('words', { ...PLAIN, wage: {} }, [
          [3, 'M', 10.5],
          [4, 'F', 'secret-word'],
          [5, 'F', 1.5]
        ]),
        pay('texts', { ...PLAIN, wage: 'VARCHAR' }, [
          [3, 'M', '30'],
          [4, 'F', 'secret-word'],
          [5, 'F', '50']
        ])
      ])
    ])
    for (const name of ['VU', 'TUD'])
      for (const dataset of ['wages', 'nothing', 'unknowns', 'words', 'texts'])
        await market.agent(name).sign(
          wageAgreement(name, {
            agreement: `${dataset}-${name.toLowerCase()}`,
            dataset,
            tables: { pay: { columns: ['id', 'gender', 'wage'] } }
          })
        )
  })
  after(async () => await market?.closeClean())

  async function ask(changes: Record<string, unknown>): Promise<RequestView> {
    return await market.agent('UVA').ask({
      user: ANALYST,
      purpose: 'research',
      datasets: ['wages'],
      providers: ['VU', 'TUD'],
      query: 'SELECT gender, wage FROM pay',
      algorithm: { name: 'average', parameters: { value: 'wage', by: ['gender'] } },
      ...changes
    })
  }

  for (const archetype of ARCHETYPES) {
    it(`in names of columns and in codes answer one query alike by ${archetype}`, async () => {
      const view = await ask({ archetype })
      expect(view.status, JSON.stringify(view)).to.equal('completed')
      // a code outside the table of codes stays what it is
      expect(view.results?.[0]?.rows).to.deep.equal([
        ['9', 60, 1],
        ['F', 30, 2],
        ['M', 30, 3]
      ])
      const table = await ask({ archetype, algorithm: 'table', query: 'SELECT * FROM pay WHERE id > 2' })
      expect(table.results?.[0]?.columns).to.deep.equal(['id', 'gender', 'wage'])
      expect(table.results?.[0]?.rows.toSorted()).to.deep.equal([
        [3, 'M', 30],
        [4, 'M', 50],
        [5, 'F', 40],
        [6, '9', 60]
      ])
    })

    it(`in that one has no row for the query give what the others have, by ${archetype}`, async () => {
      const one = await ask({ archetype, query: 'SELECT gender, wage FROM pay WHERE id <= 3' })
      expect(one.results?.[0]?.rows, JSON.stringify(one)).to.deep.equal([
        ['F', 20, 1],
        ['M', 20, 2]
      ])
      expect(one.results?.[0]?.from.toSorted()).to.deep.equal(['TUD', 'VU'])
    })

    it(`in nothing, for they have no rows at all, give an empty result of the right types by ${archetype}`, async () => {
      const view = await ask({ archetype, datasets: ['nothing'] })
      const [result] = view.results ?? []
      expect(result?.rows, JSON.stringify(view)).to.deep.equal([])
      expect(result?.types).to.deep.equal(['VARCHAR', 'DOUBLE', 'BIGINT'])
      const table = await ask({ archetype, datasets: ['nothing'], algorithm: 'table' })
      expect(table.results?.[0]).to.deep.include({ rowCount: 0, types: ['VARCHAR', 'DOUBLE'] })
    })

    it(`and know no value at all count none by ${archetype}`, async () => {
      const view = await ask({ archetype, datasets: ['unknowns'] })
      const [result] = view.results ?? []
      expect(result?.types, JSON.stringify(view)).to.deep.equal(['VARCHAR', 'DOUBLE', 'BIGINT'])
      expect(result?.rows.toSorted()).to.deep.equal(
        [
          [null, null, 0],
          ['M', null, 0]
        ].toSorted()
      )
    })

    it(`in the type of a column are refused by ${archetype}, naming provider and column`, async () => {
      const view = await ask({ archetype, datasets: ['words'], algorithm: 'table' })
      expect(view.status, JSON.stringify(view)).to.equal('refused')
      const [first] = view.refusals ?? []
      expect(first?.code).to.equal('schema-mismatch')
      expect(first?.hop).to.be.oneOf(['VU', 'TUD'])
      expect(first?.reason).to.match(
        /(TUD\.wage is VARCHAR, at VU it is DOUBLE|VU\.wage is DOUBLE, at TUD it is VARCHAR)/
      )
      const apart = await ask({
        archetype,
        datasets: ['words'],
        algorithm: 'table',
        options: { aggregate: false }
      })
      expect(apart.status, 'they need not fit together').to.equal('completed')
    })

    it(`in a value of another type half-way through a column end at whose it is by ${archetype}, without the value`, async () => {
      const view = await ask({
        archetype,
        datasets: ['texts'],
        query: 'SELECT gender, CAST(wage AS DOUBLE) AS wage FROM pay'
      })
      expect(view.status, JSON.stringify(view)).to.equal('failed')
      expect(view.error).to.include({ code: 'sql-runtime', hop: 'TUD', step: 'query' })
      expect(JSON.stringify(view)).not.to.include('secret-word')
    })
  }

  it('give one result each when they shall not be put together, also of what they group themselves', async () => {
    const query = 'SELECT gender, count(*) AS n FROM pay GROUP BY gender ORDER BY gender LIMIT 1'
    const view = await ask({ query, algorithm: 'table', options: { aggregate: false } })
    const of = (name: string) => view.results?.find((one) => one.from.join() === name)?.rows
    expect(view.results?.length, JSON.stringify(view)).to.equal(2)
    expect(of('VU')).to.deep.equal([['F', 1]])
    expect(of('TUD')).to.deep.equal([['9', 1]])
    expect(view.notes).to.include.members(['LIMIT acts per provider', 'ORDER BY acts per provider'])
  })

  it('each limit and order their own rows, which is said in the notes', async () => {
    const query = 'SELECT gender, wage FROM pay ORDER BY wage LIMIT 1'
    const view = await ask({ query, algorithm: 'table' })
    expect(view.results?.[0]?.rows.map((row) => row[1]).toSorted(), JSON.stringify(view)).to.deep.equal([
      10, 40
    ])
    expect(view.notes).to.include.members(['LIMIT acts per provider', 'ORDER BY acts per provider'])
  })

  it('refuse to group rows that shall be put together, and say the way out, also when only one is asked', async () => {
    const query = 'SELECT gender, count(*) AS n FROM pay GROUP BY gender'
    for (const [providers, options] of [
      [['VU', 'TUD'], {}],
      [['VU'], { aggregate: true }]
    ] as const) {
      const view = await ask({ query, algorithm: 'table', providers, options })
      expect(view.refusals?.[0]?.code, JSON.stringify(view)).to.equal('not-distributable')
      expect(view.refusals?.[0]?.reason).to.include('use `algorithm`, or `aggregate: false`')
    }
    const alone = await ask({ query, algorithm: 'table', providers: ['VU'] })
    expect(alone.status, 'one provider is not put together by default').to.equal('completed')
  })

  it('one alone is put together with nobody', async () => {
    const view = await ask({ providers: ['VU'], options: { aggregate: true } })
    expect(
      view.results?.map(({ from, rows }) => [from, rows]),
      JSON.stringify(view)
    ).to.deep.equal([
      [
        ['VU'],
        [
          ['F', 20, 1],
          ['M', 20, 2]
        ]
      ]
    ])
  })

  describe('when one of them is down', () => {
    before(async () => await market.agent('TUD').stop())
    after(async () => {
      await market.agent('TUD').start()
      await market.untilAllSee()
    })

    it('are all required by default when they are named', async () => {
      const view = await ask({})
      expect(view.status).to.equal('refused')
      expect(view.refusals?.[0], JSON.stringify(view)).to.include({ hop: 'TUD', code: 'provider-missing' })
    })

    it('are those that are available by default when they are not, and who is missing is said', async () => {
      const view = await ask({ providers: undefined })
      expect(view.status, JSON.stringify(view)).to.equal('completed')
      expect(view.results?.[0]?.from).to.deep.equal(['VU'])
      expect(view.missing).to.deep.equal(['TUD'])
      expect(view.notes).to.include('TUD: no agent of TUD that holds wages could be reached')
    })

    it('are as many as must be', async () => {
      const enough = await ask({ require: 1 })
      expect(enough.status, JSON.stringify(enough)).to.equal('completed')
      expect(enough.missing).to.deep.equal(['TUD'])
      expect(enough.notes).to.include('TUD: no agent of TUD that holds wages could be reached')
      const more = await ask({ require: 2 })
      expect(more.status, JSON.stringify(more)).to.equal('refused')
      expect(more.refusals?.[0]).to.include({ hop: 'TUD', code: 'provider-missing' })
    })
  })
})
