import { expect } from 'chai'
import { z } from 'zod'
import { approvalView, type RequestView } from '../../agent/api/index.ts'
import { type DatasetSpec, Market } from './harness.ts'
import { ANALYST, holder, SURF, UVA, wageAgreement } from './wages.ts'

const ARCHETYPES = ['computeToData', 'dataThroughTtp']

/** Wages and sick leave of the same people; both datasets have a table `person`. */
function pay(first: number): DatasetSpec {
  return {
    id: 'wages',
    tables: {
      person: {
        columns: { id: 'BIGINT', gender: 'VARCHAR' },
        rows: [0, 1, 2, 3].map((n) => [first + n, n % 2 === 0 ? 'M' : 'F']),
        subject: 'id'
      },
      job: {
        columns: { id: 'BIGINT', wage: 'DOUBLE' },
        rows: [0, 1, 2, 3].map((n) => [first + n, first + 10 * n]),
        subject: 'id'
      }
    }
  }
}

function leave(first: number, more: Partial<DatasetSpec> = {}): DatasetSpec {
  return {
    id: 'sick-leave',
    tables: {
      person: {
        columns: { id: 'BIGINT', days: 'BIGINT', cause: 'VARCHAR' },
        rows: [0, 1, 2, 3].map((n) => [first + n, n, `cause ${n}`]),
        subject: 'id'
      }
    },
    ...more
  }
}

const QUERY =
  'SELECT w.gender, s.days, j.wage FROM wages.person w JOIN "sick-leave".person s USING (id) JOIN job j USING (id)'

function leaveAgreement(provider: string, changes: Record<string, unknown> = {}): object {
  return wageAgreement(provider, {
    agreement: `leave-${provider.toLowerCase()}`,
    dataset: 'sick-leave',
    tables: { person: { columns: ['id', 'days'] } },
    ...changes
  })
}

function bothRequest(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    user: ANALYST,
    purpose: 'research',
    datasets: ['wages', 'sick-leave'],
    query: QUERY,
    algorithm: { name: 'average', parameters: { value: 'wage', by: ['days'] } },
    ...changes
  }
}

describe('A request over several datasets', function () {
  this.timeout(120_000)
  let market: Market

  before(async () => {
    market = await Market.open([
      SURF,
      UVA,
      holder('VU', [pay(100), leave(100)]),
      holder('TUD', [pay(200), leave(200)]),
      holder('RUG', [pay(300)]),
      holder('TUE', [pay(400), leave(400, { visibility: 'parties' })])
    ])
    for (const name of ['VU', 'TUD', 'RUG', 'TUE']) await sign(name, wageAgreement(name, TABLES))
    for (const name of ['VU', 'TUD']) await sign(name, leaveAgreement(name))
  })
  after(async () => await market?.closeClean())

  const TABLES = { tables: { person: { columns: ['id', 'gender'] }, job: { columns: ['id', 'wage'] } } }

  const changed = { wages: {}, leave: {} }

  /** Signs what differs from what is in force; an agent hears of so many agreements a second and no more. */
  async function agreed(changes: { wages?: object; leave?: object } = {}): Promise<void> {
    const { wages = {}, leave: sick = {} } = changes
    if (JSON.stringify(wages) !== JSON.stringify(changed.wages))
      await sign('VU', wageAgreement('VU', { ...TABLES, ...wages }))
    if (JSON.stringify(sick) !== JSON.stringify(changed.leave))
      await sign('VU', leaveAgreement('VU', { ...sick }))
    Object.assign(changed, { wages, leave: sick })
  }

  async function sign(provider: string, agreement: object): Promise<void> {
    expect((await market.agent(provider).sign(agreement)).state).to.equal('in-force')
  }

  async function ask(changes: Record<string, unknown> = {}): Promise<RequestView> {
    return await market.agent('UVA').ask(bothRequest(changes))
  }

  async function refused(changes: Record<string, unknown>) {
    const view = await ask({ providers: ['VU'], ...changes })
    expect(view.status, JSON.stringify(view)).to.equal('refused')
    const [first] = view.refusals ?? []
    if (first === undefined) throw new Error('refused without a reason')
    return first
  }

  for (const archetype of ARCHETYPES)
    it(`joins them at each provider, and puts the rows together by ${archetype}`, async () => {
      const view = await ask({ archetype, providers: ['VU', 'TUD'] })
      expect(view.status, JSON.stringify(view)).to.equal('completed')
      expect(view.results?.[0]?.rows).to.deep.equal([
        [0, 150, 2],
        [1, 160, 2],
        [2, 170, 2],
        [3, 180, 2]
      ])
      const offered = view.decisions.find((one) => one.hop === 'VU' && one.question === 'offer')
      expect(offered?.clauses).to.include.members(['wages-vu#purposes', 'leave-vu#purposes'])
      const accepted = view.decisions.find((one) => one.hop === 'VU' && one.question === 'accept')
      expect(accepted?.clauses).to.include.members(['wages-vu#columns', 'leave-vu#columns'])
    })

  it('leaves out who holds only some of them, and says which they lack', async () => {
    const view = await ask()
    expect(view.status, JSON.stringify(view)).to.equal('completed')
    expect(view.results?.[0]?.from.toSorted()).to.deep.equal(['TUD', 'VU'])
    expect(view.missing.toSorted()).to.deep.equal(['RUG', 'TUE'])
    // a dataset that is hidden from the asker reads like one that is not there
    for (const name of ['RUG', 'TUE'])
      expect(view.notes).to.include(
        `${name}: ${name} has no dataset sick-leave; only who has every dataset of a request takes part`
      )
  })

  it('is refused where a provider is named that lacks one', async () => {
    const first = await refused({ providers: ['VU', 'RUG'] })
    expect(first).to.include({ hop: 'RUG', question: 'discover', code: 'dataset-unknown' })
    expect(first.reason).to.match(/RUG has no dataset sick-leave/)
  })

  it('is refused for a dataset that nobody holds, naming it', async () => {
    const first = await refused({ providers: undefined, datasets: ['wages', 'sick-leaf'] })
    expect(first).to.include({ code: 'dataset-unknown' })
    expect(first.reason).to.match(/^no dataset sick-leaf was found/)
  })

  it('takes a qualified name with one dataset too', async () => {
    const view = await ask({
      providers: ['VU'],
      datasets: ['wages'],
      query: 'SELECT wages.person.gender, job.wage FROM wages.person JOIN job USING (id)',
      algorithm: 'table'
    })
    expect(view.status, JSON.stringify(view)).to.equal('completed')
    expect(view.results?.[0]?.rowCount).to.equal(4)
  })

  it('is told to qualify a table that both have', async () => {
    const first = await refused({ query: 'SELECT days AS wage, id AS days FROM person' })
    expect(first).to.include({ hop: 'VU', code: 'sql-invalid' })
    expect(first.reason).to.equal(
      'table "person" is in several datasets: write wages.person or "sick-leave".person'
    )
  })

  it('is told of a hidden column of either as of one that is not there', async () => {
    for (const column of ['cause', 'cxuse'])
      expect(
        (await refused({ query: `SELECT s.${column} FROM "sick-leave".person s`, algorithm: 'table' })).code
      ).to.equal('sql-column-unknown')
  })

  it('must be permitted by the agreement about each of them, whole', async () => {
    await agreed({ leave: { purposes: ['actuarial'] } })
    const other = await refused({})
    expect(other).to.include({ hop: 'VU', code: 'purpose-not-permitted', clause: 'leave-vu#purposes' })
    expect(other.reason).to.match(/^sick-leave: /)

    await agreed({ wages: { archetypes: ['dataThroughTtp'] }, leave: { archetypes: ['computeToData'] } })
    const row = await refused({})
    expect(row.code).to.equal('archetype-not-permitted')

    await agreed({ leave: { consumers: [{ user: 'other@uva.nl' }] } })
    expect((await refused({})).code).to.equal('consumer-not-permitted')
    await agreed()
  })

  it('is bound by the narrower terms of both', async () => {
    await agreed({ leave: { output: { maxRows: 3 } } })
    const view = await ask({ providers: ['VU'], algorithm: 'table' })
    expect(view.status).to.equal('failed')
    expect(view.error).to.include({ code: 'output-too-large', hop: 'VU' })
    await agreed({ leave: { recipients: ['VU'] } })
    expect((await refused({})).code).to.equal('recipient-not-permitted')
    await agreed()
  })

  it('counts against the limits of each', async () => {
    const limits = { requests: 1, per: 'P1D' }
    await agreed({ leave: { limits } })
    expect(await refused({})).to.include({ code: 'quota-exceeded', clause: 'leave-vu#limits' })
    await agreed({ wages: { limits } })
    expect(await refused({})).to.include({ code: 'quota-exceeded', clause: 'wages-vu#limits' })
    await agreed()
  })

  it('runs under the agreements that it names, by dataset', async () => {
    const tables = { person: { columns: ['id'] } }
    await sign('VU', leaveAgreement('VU', { agreement: 'leave-other', tables }))
    const named = { agreements: { VU: { 'sick-leave': 'leave-other' } } }
    const first = await refused(named)
    expect(first).to.include({ hop: 'VU', code: 'sql-column-unknown' })
    const view = await ask({ providers: ['VU'], agreements: { VU: { 'sick-leave': 'leave-vu' } } })
    expect(view.status, JSON.stringify(view)).to.equal('completed')
    // without a wish: the lowest that permit it whole together
    expect((await ask({ providers: ['VU'] })).status).to.equal('completed')
    expect((await refused({ agreements: { VU: { wages: 'leave-vu' } } })).code).to.equal('no-agreement')
  })

  it('waits for the approval that the agreement about each of them wants', async () => {
    const approval = { by: ['steward@vu.nl'], when: 'always', within: 'PT1H' }
    await agreed({ wages: { approval }, leave: { approval } })
    const named = { agreements: { VU: { wages: 'wages-vu', 'sick-leave': 'leave-vu' } } }
    const uva = market.agent('UVA')
    const id = await uva.submit(bothRequest({ providers: ['VU'], ...named }))
    await uva.until(id, (event) => event.status === 'waiting' || event.phase === 'end')
    const asked = await market.agent('VU').client.get('/api/v1/approvals', z.array(approvalView))
    expect(asked.map((one) => one.agreement).toSorted()).to.deep.equal(['leave-vu', 'wages-vu'])
    const { also } = await market
      .agent('VU')
      .client.post(`/api/v1/approvals/${id}/approve`, { json: {} }, approvalView)
    expect(also).to.have.length(1)
    const view = await uva.outcome(id)
    expect(view.status, JSON.stringify(view)).to.equal('completed')
    await agreed()
  })

  it('makes the pseudonyms of each dataset for itself, and of the one alone that orders it', async () => {
    const anonymize = { pseudonymise: ['id'] }
    await agreed({ leave: { anonymize } })
    const query = 'SELECT w.id AS w, s.id AS s FROM wages.person w, "sick-leave".person s'
    const table = { providers: ['VU'], query, algorithm: 'table' }
    const named = { agreements: { VU: { 'sick-leave': 'leave-vu' } } }
    const one = await ask({ ...table, ...named })
    expect(one.results?.[0]?.types, JSON.stringify(one)).to.deep.equal(['BIGINT', 'VARCHAR'])
    expect(one.chain.map((step) => step.service)).to.include('anonymize')

    await agreed({ wages: { anonymize }, leave: { anonymize } })
    const both = await ask({ ...table, ...named })
    const [result] = both.results ?? []
    expect(result?.types, JSON.stringify(both)).to.deep.equal(['VARCHAR', 'VARCHAR'])
    const of = (column: number) => new Set(result?.rows.map((row) => row[column]))
    expect([...of(0)].filter((pseudonym) => of(1).has(pseudonym))).to.deep.equal([])
    expect(of(0).size).to.equal(4)
    await agreed()
  })

  it('is shown no hidden dataset by who is party to an agreement about one of its name elsewhere', async () => {
    const consumers = [{ user: ANALYST }, { organisation: 'TUE' }]
    await sign('VU', leaveAgreement('VU', { agreement: 'leave-more', consumers }))
    const known = async () => await market.agent('TUE').agreements()
    while (!(await known()).some(({ name, state }) => name === 'leave-more' && state === 'in-force'))
      await new Promise((resolve) => setImmediate(resolve))
    const first = await refused({ providers: ['TUE'] })
    expect(first).to.include({ hop: 'TUE', question: 'discover', code: 'dataset-unknown' })
  })
})
