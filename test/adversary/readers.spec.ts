import { createHmac, hkdfSync } from 'node:crypto'
import { expect } from 'chai'
import { concat, fromString } from 'uint8arrays'
import type { RequestView } from '../../agent/api/index.ts'
import { pseudonymKey } from '../../agent/exchange/index.ts'
import { loadKey } from '../../agent/identity/index.ts'
import { openDocument, type Signed } from '../../protocol/documents/index.ts'
import { codeOf } from '../../protocol/errors/index.ts'
import { Market, type TestAgent } from '../integration/harness.ts'
import {
  AVERAGE,
  JOINED,
  joined,
  provider,
  SURF,
  UVA,
  wageAgreement,
  wageDataset,
  wageRequest,
  wages
} from '../integration/wages.ts'
import { beside, evidence, logOf, wordsAt } from './hostile-edge.ts'

/** Ten women and twenty men. */
const VU = wages(1, 30)
const RUG = wages(21, 30)
const HONEST = { VU }
const EVE = 'eve@eve.nl'
const EVA = 'eva@eve.nl'
/** Every id that there may be. */
const IDS = Array.from({ length: 1000 }, (_, id) => id)
const PEOPLE = 'people'
const COUNTED = 'counted'
/** He was born when nobody else was. */
const VICTIM = 5
const BUT_VICTIM = "p.birth <> '1955-06-11'"

describe('Whoever reads a result and wants to know more', function () {
  this.timeout(120_000)
  let market: Market
  let eve: TestAgent
  let vu: TestAgent
  let rug: TestAgent

  before(async () => {
    const datasets = (data: typeof VU) => [
      wageDataset('wages', data),
      wageDataset(PEOPLE, data),
      wageDataset(COUNTED, data)
    ]
    market = await Market.open([
      SURF,
      UVA,
      provider('VU', VU, { datasets: datasets(VU) }),
      provider('RUG', RUG, { datasets: datasets(RUG) }),
      { name: 'EVE', users: [EVE, EVA] }
    ])
    eve = market.agent('EVE')
    vu = market.agent('VU')
    rug = market.agent('RUG')
    await vu.sign(wageAgreement('VU'))
    for (const agent of [vu, rug])
      await agent.sign(
        wageAgreement(agent.name, {
          agreement: `people-${agent.name}`,
          dataset: PEOPLE,
          consumers: [{ organisation: 'EVE' }],
          anonymize: { pseudonymise: ['id'] }
        })
      )
    await vu.sign(counted('EVE'))
    await vu.sign(counted('UVA'))
  })
  after(async () => await market?.closeClean())

  const counted = (consumer: string, changes: object = {}) =>
    wageAgreement('VU', {
      agreement: `counted-${consumer}`,
      dataset: COUNTED,
      consumers: [{ organisation: consumer }],
      output: { unit: 'id', minGroupSize: 10, aggregatesOnly: true },
      ...changes
    })
  const completed = async (by: TestAgent, request: Record<string, unknown>): Promise<RequestView> => {
    const view = await by.ask(wageRequest({ user: EVE, ...request }))
    expect(view.status, JSON.stringify([view.refusals, view.error])).to.equal('completed')
    return view
  }

  describe('pseudonyms', () => {
    const PSEUDONYMS = {
      datasets: [PEOPLE],
      providers: ['RUG', 'VU'],
      archetype: 'dataThroughTtp',
      query: 'SELECT id FROM person',
      algorithm: 'table',
      options: { aggregate: false }
    }
    const seen = (view: RequestView) => new Set(view.results?.flatMap(({ rows }) => rows.map(([id]) => id)))
    /** As the anonymize service makes them. */
    const pseudonyms = (key: Uint8Array) =>
      IDS.map((id) => createHmac('sha256', key).update(`${PEOPLE}\0${id}`).digest('hex').slice(0, 32))
    const matches = (found: Set<unknown>, key: Uint8Array) =>
      pseudonyms(key).filter((one) => found.has(one)).length

    it('cannot be recomputed by whoever asked, computed or received, but by a provider that tells its share', async () => {
      const [view, again] = await beside(market, HONEST, async () => [
        await completed(eve, PSEUDONYMS),
        await completed(eve, PSEUDONYMS)
      ])
      if (view === undefined || again === undefined) throw new Error('expected two results')
      const found = seen(view)
      expect(found.size).to.equal(50)
      // The same people, and no pseudonym is there again.
      expect(seen(again).size).to.equal(50)
      expect([...seen(again)].filter((one) => found.has(one))).to.deep.equal([])

      const contract = view.contract ?? ''
      const dataProviders = [vu, rug].map(({ peerId }) => peerId)
      for (const reader of [eve, market.agent('SURF')]) {
        const acceptances = await acceptancesAt(reader, contract)
        expect(acceptances.map(({ payload }) => payload.organisation)).to.include.members(['VU', 'RUG'])
        const key = await loadKey(reader.config.identity.key)
        const keyAs = (peer: string) => () =>
          pseudonymKey(contract, acceptances, dataProviders, { peer, key })
        expect(codeThrown(keyAs(reader.peerId))).to.equal('contract-invalid')
        for (const other of dataProviders) expect(codeThrown(keyAs(other))).to.equal('malformed-document')

        const sealed = acceptances.flatMap(({ payload }) => payload.shares.map((share) => share.sealed))
        const materials = [
          new Uint8Array(),
          new Uint8Array(64),
          key.raw,
          ...sealed,
          concat(sealed),
          ...acceptances.map(({ bytes }) => bytes.payload)
        ]
        for (const material of materials) {
          expect(matches(found, material)).to.equal(0)
          const derived = hkdfSync('sha256', material, fromString(contract), 'dynamos/pseudonyms/1', 32)
          expect(matches(found, new Uint8Array(derived))).to.equal(0)
        }
        // What a provider that takes part could do, and could tell: no protection is claimed against it.
        const theirs = { peer: vu.peerId, key: await loadKey(vu.config.identity.key) }
        const told = fromString(pseudonymKey(contract, acceptances, dataProviders, theirs), 'hex')
        expect(matches(found, told)).to.equal(found.size)
      }
      for (const agent of [vu, rug]) {
        const about = (await logOf(agent)).filter((entry) => entry.contract === contract)
        expect(about.map(({ kind }) => kind)).to.include.members(['acceptance', 'flow-sent', 'receipt'])
        const services = about.map(({ fields }) => ('service' in fields ? fields.service : null))
        expect(services).to.include('anonymize')
        const clauses = about.flatMap(({ fields }) => ('clauses' in fields ? fields.clauses : []))
        expect(String(clauses)).not.to.include('pseudonyms-open-to')
      }
    })
  })

  describe('aggregates', () => {
    const BY_GENDER = { datasets: [COUNTED], providers: ['VU'], query: JOINED, algorithm: AVERAGE }
    const rowsOf = (view: RequestView) => view.results?.[0]?.rows ?? []
    const total = (rows: readonly unknown[][], group: string) => {
      const row = rows.find(([name]) => name === group)
      return Number(row?.[1]) * Number(row?.[2])
    }

    it('are withheld when they tell one person from an earlier answer, however it is asked', async () => {
      const all = await beside(market, HONEST, async () => await completed(eve, BY_GENDER))
      expect(rowsOf(all).map(([gender, , count]) => [gender, count])).to.deep.equal([
        ['F', 10],
        ['M', 20]
      ])
      const withheld = async (changes: Record<string, unknown>, groups = 1) => {
        const view = await completed(eve, { ...BY_GENDER, ...changes })
        expect(view.results?.[0]?.suppressed, JSON.stringify(changes)).to.deep.equal([
          { provider: 'VU', groups }
        ])
        const receipts = await receiptsAt(vu, view.contract ?? '')
        const telling = receipts.filter(({ payload }) => payload.suppressed === groups)
        expect(telling).to.have.length(1)
        const logged = (await logOf(vu)).filter(
          (entry) => entry.kind === 'receipt' && entry.contract === view.contract
        )
        expect(logged.map(({ fields }) => Reflect.get(fields, 'service'))).to.include('algorithm')
      }
      await beside(market, HONEST, async () => {
        await withheld({ query: `${JOINED} WHERE ${BUT_VICTIM}` })
        await withheld({ query: `${JOINED} WHERE ${BUT_VICTIM}`, user: EVA })
        await withheld(
          {
            query: `SELECT p.gender, NOT (${BUT_VICTIM}) AS odd, j.wage FROM person p JOIN job j USING (id)`,
            algorithm: { ...AVERAGE, parameters: { value: 'wage', by: ['gender', 'odd'] } }
          },
          2
        )
      })
      const where = BUT_VICTIM.replace('p.', '')
      await vu.sign(
        counted('EVE', {
          tables: {
            person: { columns: ['id', 'gender', 'birth'], where },
            job: { columns: ['id', 'wage'] }
          }
        })
      )
      await withheld({})
      await vu.sign(counted('EVE'))
      await vu.stop()
      await vu.start()
      await market.untilAllSee()
      await beside(market, HONEST, async () => await withheld({ query: `${JOINED} WHERE ${BUT_VICTIM}` }))
      const query = `${JOINED} WHERE p.id <> ${VICTIM}`
      const view = await eve.ask(wageRequest({ ...BY_GENDER, user: EVE, query }))
      expect(view.refusals?.map(({ hop, code }) => [hop, code])).to.deep.equal([['VU', 'aggregates-only']])
      const { request } = await evidence(vu, 'decision', { verdict: 'deny', code: 'aggregates-only' })
      expect(request).to.equal(view.request)
    })

    it('do not keep two who put their answers together from it, nor one who combines three', async () => {
      const [[, his = 0] = []] = joined({ person: VU.person.filter(([id]) => id === VICTIM), job: VU.job })
      const uva = market.agent('UVA')
      const user = 'other@uva.nl'
      const byGender = { ...BY_GENDER, user }
      const both = async (by: TestAgent, changes: Record<string, unknown>) =>
        rowsOf(await completed(by, { ...BY_GENDER, ...changes }))

      const hers = await both(eve, {})
      const theirs = await both(uva, { ...byGender, query: `${JOINED} WHERE ${BUT_VICTIM}` })
      expect(total(hers, 'M') - total(theirs, 'M')).to.be.closeTo(his, 1e-6)

      // No two of these groups are close to each other: men, women, and everybody but one man.
      const everybody = await both(eve, {
        query: `SELECT 'all' AS gender, j.wage FROM person p JOIN job j USING (id) WHERE ${BUT_VICTIM}`
      })
      expect(total(hers, 'M') + total(hers, 'F') - total(everybody, 'all')).to.be.closeTo(his, 1e-6)
    })
  })
})

async function acceptancesAt(agent: TestAgent, contract: string): Promise<Signed<'acceptance'>[]> {
  const documents = (await wordsAt(agent)).flatMap((word) =>
    word.kind === 'acceptance' ? [word.acceptance] : word.kind === 'start' ? word.acceptances : []
  )
  const opened = await Promise.all(documents.map(async (bytes) => await openDocument('acceptance', bytes)))
  const byId = new Map(opened.map((one) => [one.id, one]))
  return [...byId.values()].filter(({ payload }) => payload.contract === contract)
}

async function receiptsAt(agent: TestAgent, contract: string): Promise<Signed<'receipt'>[]> {
  const documents = (await wordsAt(agent)).flatMap((word) => (word.kind === 'receipt' ? [word.receipt] : []))
  const opened = await Promise.all(documents.map(async (bytes) => await openDocument('receipt', bytes)))
  return opened.filter(({ payload }) => payload.contract === contract && payload.issuer === agent.peerId)
}

function codeThrown(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    return codeOf(error)
  }
  return 'nothing'
}
