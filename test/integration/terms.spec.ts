import { expect } from 'chai'
import { z } from 'zod'
import {
  agreementView,
  preparedAgreement,
  requestSummary,
  requestView,
  submitted
} from '../../agent/api/index.ts'
import { loadKey } from '../../agent/identity/index.ts'
import { addSignature, encodeSigned, openDocument } from '../../protocol/documents/index.ts'
import { Market } from './harness.ts'
import { averages, provider, SURF, UVA, wageAgreement, wageRequest, wages } from './wages.ts'

const VU = wages(1, 30)
/** Ten of the people of VU, and others. */
const RUG = wages(21, 30)
const PEOPLE = 'SELECT id, gender, birth FROM person'

describe('The terms of agreements', function () {
  this.timeout(120_000)
  let market: Market

  before(async () => {
    market = await Market.open([SURF, UVA, provider('VU', VU), provider('RUG', RUG)])
  })
  after(async () => await market?.closeClean())

  async function agreed(changes: Record<string, unknown> = {}): Promise<void> {
    for (const name of ['VU', 'RUG']) await market.agent(name).sign(wageAgreement(name, changes))
  }

  const ask = async (changes: Record<string, unknown> = {}) => {
    const view = await market.agent('UVA').ask(wageRequest({ providers: ['VU', 'RUG'], ...changes }))
    expect(view.status, JSON.stringify([view.refusals, view.error])).to.equal('completed')
    return view
  }

  const people = async (changes: Record<string, unknown> = {}) => {
    const view = await ask({ query: PEOPLE, algorithm: 'table', options: { aggregate: false }, ...changes })
    const rowsOf = (name: string) => view.results?.find((one) => one.from.join() === name)?.rows ?? []
    return { view, VU: rowsOf('VU'), RUG: rowsOf('RUG') }
  }

  it('send the same request the other way once a new version allows only that', async () => {
    await agreed()
    expect((await ask()).archetype).to.equal('computeToData')
    await market.agent('VU').sign(wageAgreement('VU', { archetypes: ['dataThroughTtp'] }))
    const view = await ask()
    expect(view.archetype).to.equal('dataThroughTtp')
    expect(view.chain.some((step) => step.at === 'SURF')).to.equal(true)
    expect(view.results?.[0]?.rows).to.deep.equal(averages(VU, RUG))
  })

  it('cannot be turned back by showing an older version again, signatures and all', async () => {
    const vu = market.agent('VU')
    const older = await vu.client.post(
      '/api/v1/agreements/prepare',
      { json: { text: JSON.stringify(wageAgreement('VU', { purposes: ['anything'] })) } },
      preparedAgreement
    )
    const current = await vu.sign(wageAgreement('VU'))
    let document = await openDocument('agreement', {
      payload: Buffer.from(older.payload, 'base64'),
      signatures: []
    })
    for (const key of [vu.config.identity.key, vu.config.identity.steward])
      document = await addSignature(document, await loadKey(key))
    const signed = Buffer.from(encodeSigned(document)).toString('base64')
    const answer = await vu.client.post('/api/v1/agreements', { json: { signed } }, agreementView).then(
      (view) => view.state,
      (error: Error) => error.message
    )
    expect(answer).to.match(/newer version of wages-vu is in force/)
    const states = new Map((await vu.agreements()).map((one) => [one.id, one.state]))
    expect([states.get(older.id), states.get(current.id)]).to.deep.equal([undefined, 'in-force'])
    const refused = await market.agent('UVA').ask(wageRequest({ providers: ['VU'], purpose: 'anything' }))
    expect(refused.refusals?.[0]).to.include({ code: 'purpose-not-permitted' })
  })

  it('let nobody see rows outside of their where, whatever is asked', async () => {
    await agreed({
      tables: {
        person: { columns: ['id', 'gender', 'birth'], where: "gender = 'F' and id < 25" },
        job: { columns: ['id', 'wage'] }
      }
    })
    const { VU: rows } = await people({ query: 'SELECT id, gender, birth FROM person WHERE true OR id > 0' })
    const seen = VU.person.filter(([id, gender]) => gender === 'F' && id < 25)
    expect(rows.map(([id]) => Number(id)).sort((a, b) => a - b)).to.deep.equal(seen.map(([id]) => id))
    const view = await ask({ archetype: 'dataThroughTtp' })
    const within = { person: [...VU.person, ...RUG.person].filter(([id, g]) => g === 'F' && id < 25) }
    expect(view.results?.[0]?.rows?.map((row) => row[2])).to.deep.equal([within.person.length])
  })

  it('give pseudonyms: equal for one person over the providers of a contract, others in the next', async () => {
    await agreed({
      services: { require: ['anonymize'] },
      anonymize: { pseudonymise: ['id'], generalise: { birth: 'year' }, suppress: ['gender'] }
    })
    const first = await people()
    const byBirth = (rows: unknown[][]) => new Map(rows.map((row) => [String(row[2]), row]))
    expect(
      first.view.chain.filter((step) => step.service === 'anonymize').map((step) => step.at)
    ).to.have.members(['VU', 'RUG'])
    expect(first.VU).to.have.length(30)
    for (const [id, gender, birth] of first.VU) {
      expect(String(id)).to.match(/^[0-9a-f]{32}$/)
      expect(gender).to.equal(null)
      expect(String(birth)).to.match(/^\d{4}(-01-01)?$/)
    }
    const shared = new Set(first.VU.map(([id]) => id))
    const both = first.RUG.filter(([id]) => shared.has(id))
    expect(both).to.have.length(10)
    expect(byBirth(first.VU).size).to.be.greaterThan(1)
    const second = await people({ archetype: 'dataThroughTtp' })
    const before = new Set([...first.VU, ...first.RUG].map(([id]) => id))
    expect([...second.VU, ...second.RUG].filter(([id]) => before.has(id))).to.deep.equal([])
    expect(second.RUG.filter(([id]) => second.VU.some(([other]) => other === id))).to.have.length(10)
  })

  it('put anonymize into a chain although nobody asked for it, and nothing that was raw can be asked for', async () => {
    const joined = await ask({ archetype: 'dataThroughTtp' })
    expect(joined.chain.filter((step) => step.service === 'anonymize')).to.have.length(2)
    const view = await market
      .agent('UVA')
      .ask(wageRequest({ providers: ['VU'], query: 'SELECT id + 1 AS next FROM person', algorithm: 'table' }))
    expect(view.status).to.equal('refused')
    expect(view.refusals?.[0]?.code).to.match(/^sql-/)
  })

  it('end a result that has more rows than they allow as output-too-large, in either archetype', async () => {
    await agreed({ output: { maxRows: 25 } })
    for (const archetype of ['computeToData', 'dataThroughTtp']) {
      const view = await market
        .agent('UVA')
        .ask(wageRequest({ providers: ['VU', 'RUG'], archetype, query: PEOPLE, algorithm: 'table' }))
      expect(view.status, archetype).to.equal('failed')
      expect(view.error?.code, archetype).to.equal('output-too-large')
      expect(view.results).to.equal(undefined)
    }
    const { results } = await ask()
    expect(results?.[0]?.rows).to.deep.equal(averages(VU, RUG))
  })

  it('send the result to the recipient that they allow, and the requester gets none', async () => {
    await agreed({ recipients: ['UVA', 'SURF'] })
    for (const archetype of ['computeToData', 'dataThroughTtp']) {
      const id = await market
        .agent('UVA')
        .submit(wageRequest({ providers: ['VU', 'RUG'], recipients: ['SURF'], archetype }))
      const view = await market.agent('UVA').outcome(id)
      expect(view.status, JSON.stringify([archetype, view.refusals, view.error])).to.equal('completed')
      expect(view.results ?? []).to.deep.equal([])
      const listed = await market.agent('SURF').client.get('/api/v1/requests', z.array(requestSummary))
      expect(listed.map((one) => one.request)).to.include(id)
      const theirs = await market.agent('SURF').client.get(`/api/v1/requests/${id}`, requestView)
      expect(theirs.results?.[0]?.rows).to.deep.equal(averages(VU, RUG))
    }
  })

  it('ask for sandboxes at every party, and are refused where there is none', async () => {
    await agreed({ sandbox: 'required' })
    const view = await market.agent('UVA').ask(wageRequest({ providers: ['VU', 'RUG'] }))
    const here = market.agent('UVA').config.sandbox === 'required'
    expect(view.status).to.equal(here ? 'completed' : 'refused')
  })

  describe('A repeated Idempotency-Key', () => {
    before(async () => await agreed())

    const submit = async (key: string, changes: Record<string, unknown> = {}) => {
      const { url } = market.agent('UVA').client
      const response = await fetch(`${url}/api/v1/requests`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${await market.agent('UVA').token()}`,
          'content-type': 'application/json',
          'idempotency-key': key
        },
        body: JSON.stringify(wageRequest({ providers: ['VU'], ...changes }))
      })
      return { status: response.status, body: (await response.json()) as unknown }
    }

    it('is the same request, and runs once', async () => {
      const answers = await Promise.all([submit('one'), submit('one'), submit('one')])
      answers.push(await submit('one'))
      const ids = new Set(answers.map((answer) => submitted.parse(answer.body).request))
      expect(ids.size).to.equal(1)
      expect(answers.filter((answer) => submitted.parse(answer.body).created)).to.have.length(1)
      const [id = ''] = ids
      expect((await market.agent('UVA').outcome(id)).status).to.equal('completed')
      expect(submitted.parse((await submit('one')).body)).to.deep.equal({ request: id, created: false })
    })

    it('is refused for another request', async () => {
      const first = submitted.parse((await submit('two')).body)
      const other = await submit('two', { purpose: 'marketing' })
      expect(other.status).to.equal(409)
      expect(other.body).to.include({ code: 'request-replayed' })
      expect((await market.agent('UVA').outcome(first.request)).status).to.equal('completed')
    })
  })
})
