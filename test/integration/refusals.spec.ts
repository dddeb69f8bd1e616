import { expect } from 'chai'
import type { RefusalView, RequestView } from '../../agent/api/index.ts'
import { Market } from './harness.ts'
import { averages, provider, SURF, UVA, wageAgreement, wageDataset, wageRequest, wages } from './wages.ts'

const VU = wages(1, 12)
const TUD = wages(101, 12)
const RUG = wages(201, 12)

/** Wages as whole numbers: another type than at the others. */
const WHOLE = { ...wageDataset('mixed', TUD), tables: { ...wageDataset('mixed', TUD).tables } }
WHOLE.tables.job = { columns: { id: 'BIGINT', wage: 'BIGINT' }, rows: [[101, 1000]], subject: 'id' }

describe('A request that is refused', function () {
  this.timeout(120_000)
  let market: Market

  before(async () => {
    market = await Market.open([
      SURF,
      UVA,
      provider('VU', VU, {
        datasets: [
          wageDataset('wages', VU),
          wageDataset('mixed', VU),
          wageDataset('hidden', VU, { visibility: 'parties' }),
          wageDataset('other', VU)
        ]
      }),
      provider('TUD', TUD, { datasets: [wageDataset('wages', TUD), WHOLE] }),
      provider('RUG', RUG),
      {
        name: 'SARA',
        roles: ['computeProvider'],
        users: ['operator@sara.nl'],
        more: { hosting: { for: ['TUD'], algorithms: ['average'] } }
      }
    ])
    await market.agent('TUD').sign(wageAgreement('TUD'))
    await market.agent('TUD').sign(wageAgreement('TUD', { agreement: 'mixed-tud', dataset: 'mixed' }))
    await market.agent('VU').sign(wageAgreement('VU', { agreement: 'mixed-vu', dataset: 'mixed' }))
    // Between VU and RUG alone: nobody at UVA has signed these.
    for (const dataset of ['hidden', 'other'])
      await market.agent('VU').sign(
        wageAgreement('VU', {
          agreement: `only-rug-${dataset}`,
          dataset,
          consumers: [{ user: 'steward@rug.nl' }],
          purposes: ['actuarial'],
          tables: { person: { columns: ['id', 'secret'] } }
        })
      )
  })
  after(async () => await market?.closeClean())

  async function refused(request: Record<string, unknown>): Promise<RefusalView & { view: RequestView }> {
    const view = await market.agent('UVA').ask(wageRequest({ providers: ['VU'], ...request }))
    expect(view.status, JSON.stringify(view.refusals)).to.equal('refused')
    expect(view.results).to.equal(undefined)
    expect(view.receipts).to.deep.equal([])
    const [first] = view.refusals ?? []
    if (first === undefined) throw new Error(`refused without a reason: ${JSON.stringify(view)}`)
    return { ...first, view }
  }

  /** A new version of the agreement between VU and UVA, which replaces the one before. */
  async function agreed(changes: Record<string, unknown> = {}): Promise<void> {
    await market.agent('VU').sign(wageAgreement('VU', changes))
  }

  const clauses: [string, string, Record<string, unknown>, Record<string, unknown>, object][] = [
    [
      'for another user than the agreement names',
      'consumer-not-permitted',
      { consumers: [{ user: 'other@uva.nl' }] },
      {},
      { consumers: ['other@uva.nl'] }
    ],
    [
      'for another purpose',
      'purpose-not-permitted',
      {},
      { purpose: 'marketing' },
      { purposes: ['research'] }
    ],
    [
      'for an archetype that is not agreed',
      'archetype-not-permitted',
      { archetypes: ['computeToData'] },
      { archetype: 'dataThroughTtp' },
      { archetypes: ['computeToData'] }
    ],
    [
      'for an algorithm that is not agreed',
      'algorithm-not-permitted',
      { algorithms: ['average'] },
      { algorithm: 'table' },
      { algorithms: ['average'] }
    ],
    [
      'for a compute provider that may not hold the data',
      'compute-provider-not-permitted',
      { computeProviders: ['SARA'] },
      { archetype: 'dataThroughTtp' },
      { computeProviders: ['SARA', 'VU'] }
    ],
    [
      'for a recipient that may not have results',
      'recipient-not-permitted',
      {},
      { recipients: ['RUG'] },
      { recipients: ['UVA'] }
    ]
  ]
  for (const [what, code, terms, request, acceptable] of clauses) {
    it(`${what} says ${code}, the clause, and what would be acceptable`, async () => {
      await agreed(terms)
      const refusal = await refused(request)
      expect(refusal).to.include({ hop: 'VU', question: 'offer', code })
      expect(refusal.clause).to.match(/^wages-vu#/)
      expect(refusal.acceptable).to.deep.include(acceptable)
    })
  }

  it('at a provider without an agreement is told so, and nothing else', async () => {
    await agreed()
    const refusal = await refused({ providers: ['RUG'] })
    expect(refusal).to.include({ hop: 'RUG', question: 'offer', code: 'no-agreement' })
    expect([refusal.clause, refusal.acceptable]).to.deep.equal([null, null])
  })

  it('names everybody who refuses when all are required, and nobody’s data moves', async () => {
    await agreed()
    const refusal = await refused({ providers: ['VU', 'TUD', 'RUG'] })
    expect(refusal).to.include({ hop: 'RUG', code: 'no-agreement' })
  })

  it('leaves out who refuses when those that are available are enough, and says who and why', async () => {
    await agreed()
    const view = await market.agent('UVA').ask(wageRequest({ require: 'available' }))
    expect(view.status).to.equal('completed')
    expect(view.results?.[0]?.rows).to.deep.equal(averages(VU, TUD))
    expect(view.missing).to.deep.equal(['RUG'])
    expect(view.refusals?.map(({ hop, code }) => [hop, code])).to.deep.include(['RUG', 'no-agreement'])
  })

  describe('for its SQL', () => {
    before(async () => await agreed())

    const outside = [
      'SELECT secret FROM person',
      'SELECT p.secret AS gender FROM person p',
      'SELECT x.s FROM (SELECT secret AS s FROM person) x',
      'WITH x AS (SELECT secret AS s FROM person) SELECT s FROM x',
      "SELECT COLUMNS('secret') FROM person",
      'SELECT person.secret FROM person',
      'SELECT main.person.secret FROM main.person',
      'SELECT gender FROM person ORDER BY secret',
      "SELECT gender FROM person WHERE secret LIKE '%1'",
      'SELECT gender FROM person p JOIN job j ON p.secret = j.id::VARCHAR',
      'SELECT (SELECT max(secret) FROM person) AS gender FROM job',
      'SELECT * REPLACE (secret AS gender) FROM person',
      'SELECT "SECRET" FROM person'
    ]
    for (const query of outside)
      it(`that reads a column outside of the agreement: ${query}`, async () => {
        const refusal = await refused({ query, algorithm: 'table', options: { aggregate: false } })
        expect(refusal).to.include({ hop: 'VU', question: 'offer' })
        expect(refusal.code).to.be.oneOf(['sql-column-unknown', 'sql-table-unknown'])
        const absent = await refused({
          query: query.replaceAll(/secret/gi, (name) => `x${name.slice(1)}`),
          algorithm: 'table',
          options: { aggregate: false }
        })
        expect(absent.code, 'a column that does not exist').to.equal(refusal.code)
      })

    it('shows the permitted columns alone as *', async () => {
      const view = await market
        .agent('UVA')
        .ask(wageRequest({ providers: ['VU'], query: 'SELECT * FROM person', algorithm: 'table' }))
      expect(view.results?.[0]?.columns).to.deep.equal(['id', 'gender', 'birth'])
    })

    const wrong: [string, string | RegExp][] = [
      ['SELECT gender FROM nobody', 'sql-table-unknown'],
      ['SELECT gender FROM', 'sql-syntax'],
      ['SELEC gender FROM person', 'sql-syntax'],
      ['DELETE FROM person', 'sql-not-select'],
      ['SELECT gender FROM person; SELECT 1', 'sql-not-select'],
      ["COPY person TO '/tmp/out.csv'", 'sql-not-select'],
      ["ATTACH '/tmp/x.db'", 'sql-not-select'],
      ["SET memory_limit = '1TB'", 'sql-not-select'],
      ['PRAGMA database_list', 'sql-not-select'],
      ["SELECT * FROM '/etc/passwd'", /^sql-(table-unknown|function-not-allowed)$/],
      ["SELECT * FROM read_csv('/etc/passwd')", 'sql-function-not-allowed'],
      ["SELECT current_setting('memory_limit') AS x FROM person", 'sql-function-not-allowed'],
      ['SELECT * FROM duckdb_settings()', 'sql-function-not-allowed'],
      ['SELECT * FROM information_schema.tables', /^sql-(table-unknown|invalid)$/]
    ]
    for (const [query, code] of wrong)
      it(`that is not a SELECT over the tables: ${query}`, async () => {
        const refusal = await refused({ query, algorithm: 'table' })
        expect(refusal.hop).to.equal('VU')
        expect(refusal.code).to.match(code instanceof RegExp ? code : new RegExp(`^${code}$`))
      })

    it('that groups, where the rows of several providers are to be put together', async () => {
      for (const query of [
        'SELECT gender, count(*) AS n FROM person GROUP BY gender',
        'SELECT DISTINCT gender FROM person',
        'SELECT gender, row_number() OVER () AS n FROM person',
        'SELECT gender FROM person UNION SELECT gender FROM person'
      ]) {
        const refusal = await refused({ providers: ['VU', 'TUD'], query, algorithm: 'table' })
        expect(refusal.code, query).to.equal('not-distributable')
        expect(refusal.reason).to.match(/aggregate: false/)
      }
    })

    it('whose columns differ from one provider to the other, naming provider and column', async () => {
      const refusal = await refused({ providers: ['VU', 'TUD'], datasets: ['mixed'] })
      expect(refusal.code).to.equal('schema-mismatch')
      expect(refusal.hop).to.be.oneOf(['VU', 'TUD'])
      expect(refusal.reason).to.match(/wage/)
    })

    it('with parameters that the algorithm does not take', async () => {
      for (const [parameters, said] of [
        [{ value: 'salary' }, /no column "salary"/],
        [{ value: 'gender' }, /expected a number/],
        [{ value: 'wage', groups: ['gender'] }, /"groups" is not a parameter/],
        [{}, /value: expected/]
      ] as const) {
        const refusal = await refused({ algorithm: { name: 'average', parameters } })
        expect(refusal).to.include({ hop: 'VU', code: 'algorithm-parameters' })
        expect(refusal.reason).to.match(said)
      }
    })
  })

  it('for a dataset that nobody has says so', async () => {
    const refusal = await refused({ providers: undefined, datasets: ['wagez'] })
    expect(refusal.code).to.equal('dataset-unknown')
  })

  it('for a dataset of others reads the same as for one that does not exist, and shows nothing of their terms', async () => {
    await agreed()
    const hidden = await refused({ datasets: ['hidden'], query: 'SELECT id FROM person', algorithm: 'table' })
    const absent = await refused({ datasets: ['absent'], query: 'SELECT id FROM person', algorithm: 'table' })
    expect(hidden.code).to.equal(absent.code)
    expect(hidden.reason.replaceAll('hidden', '')).to.equal(absent.reason.replaceAll('absent', ''))
    const other = await refused({ datasets: ['other'], query: 'SELECT id FROM person', algorithm: 'table' })
    expect(other.code).to.equal('no-agreement')
    for (const { view } of [hidden, other])
      expect(JSON.stringify(view)).not.to.match(/only-rug|actuarial|steward@rug|secret/)
  })

  for (const [clause, terms] of Object.entries({
    privacy: { privacy: { epsilon: 1, budget: 10, per: 'P30D' } },
    onward: { onward: 'anybody' }
  }))
    it(`under an agreement whose clause ${clause} cannot be enforced`, async () => {
      await agreed(terms)
      const refusal = await refused({})
      expect(refusal).to.include({ hop: 'VU', code: 'clause-not-enforceable', clause: `wages-vu#${clause}` })
    })

  it('under an agreement that has expired, or is not yet valid', async () => {
    await agreed({ valid: { from: '2020-01-01', until: '2021-01-01' } })
    expect(await refused({})).to.include({ code: 'agreement-expired', clause: 'wages-vu#valid.until' })
    await agreed({ valid: { from: '2090-01-01', until: '2091-01-01' } })
    expect(await refused({})).to.include({ code: 'agreement-not-yet-valid', clause: 'wages-vu#valid.from' })
  })

  it('once the agreement’s number of requests is used up, by those that ran alone', async () => {
    await market
      .agent('VU')
      .sign(
        wageAgreement('VU', { agreement: 'twice', dataset: 'mixed', limits: { requests: 2, per: 'P1D' } })
      )
    const twice = (changes: Record<string, unknown> = {}) =>
      wageRequest({ providers: ['VU'], datasets: ['mixed'], agreements: { VU: 'twice' }, ...changes })
    for (const view of [
      await market.agent('UVA').ask(twice({ purpose: 'marketing' })),
      await market.agent('UVA').ask(twice({ within: { time: 'PT0S' } }))
    ])
      expect(view.status).to.equal('refused')
    for (let time = 0; time < 2; time++)
      expect((await market.agent('UVA').ask(twice())).status).to.equal('completed')
    const view = await market.agent('UVA').ask(twice())
    expect(view.refusals?.[0]).to.include({ hop: 'VU', code: 'quota-exceeded', clause: 'twice#limits' })
  })

  it('when the chain would need a service that the agreement forbids', async () => {
    await agreed({ services: { require: [], forbid: ['anonymize'] } })
    expect((await refused({ options: { anonymize: true } })).code).to.equal('service-forbidden')
  })

  it('when no compute provider serves this requester', async () => {
    await agreed({ computeProviders: ['SARA'] })
    const view = await market
      .agent('UVA')
      .ask(wageRequest({ providers: ['VU'], archetype: 'dataThroughTtp' }))
    expect(view.status).to.equal('refused')
    expect(view.refusals?.map(({ hop, code }) => [hop, code])).to.deep.include([
      'SARA',
      'hosting-not-offered'
    ])
    expect(view.candidates.map((one) => one.at.infrastructure).sort()).to.deep.equal(['SARA', 'SURF'])
  })

  it('by the agreement it wishes for, although another one would permit it', async () => {
    await agreed()
    await market.agent('VU').sign(wageAgreement('VU', { agreement: 'narrow', purposes: ['education'] }))
    expect((await market.agent('UVA').ask(wageRequest({ providers: ['VU'] }))).status).to.equal('completed')
    expect(await refused({ agreements: { VU: 'narrow' } })).to.include({ code: 'purpose-not-permitted' })
    expect((await refused({ agreements: { VU: 'nothing' } })).code).to.equal('no-agreement')
  })

  it('never changes what others’ agreements are known to be', async () => {
    const names = await Promise.all(
      ['UVA', 'SURF'].map(async (name) => JSON.stringify(await market.agent(name).agreements()))
    )
    expect(names.join()).not.to.match(/only-rug/)
    expect(names[1]).to.equal('[]')
  })

  it('is explained without running, and reads as if it were submitted', async () => {
    await agreed()
    const { view } = await refused({ query: 'SELECT nothing FROM person' })
    const explained = await market
      .agent('UVA')
      .explain(wageRequest({ providers: ['VU'], query: 'SELECT nothing FROM person' }))
    expect(explained.status).to.equal('refused')
    expect(explained.refusals).to.deep.equal(view.refusals)
    const permitted = await market.agent('UVA').explain(wageRequest({ providers: ['VU'] }))
    expect(permitted.candidates.filter((one) => one.chosen)).to.have.length(1)
    expect(permitted.receipts).to.deep.equal([])
    expect(permitted.results).to.equal(undefined)
    expect(permitted.chain).not.to.deep.equal([])
  })
})
