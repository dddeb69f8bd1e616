import { expect } from 'chai'
import type { RequestView } from '../../agent/api/index.ts'
import { Market } from './harness.ts'
import { averages, JOINED, provider, SURF, UVA, wageAgreement, wageRequest, wages } from './wages.ts'

/** Ten women and twenty men. */
const VU = wages(1, 30)
/** Six women and thirteen men. */
const RUG = wages(101, 19)
const OUTPUT = { unit: 'id', minGroupSize: 10, aggregatesOnly: true }
const ALGORITHMS = [
  'average',
  'histogram',
  'crosstab',
  'correlation',
  'regression',
  'table',
  'topk',
  'describe'
]

describe('Agreements that protect people', function () {
  this.timeout(120_000)
  let market: Market

  before(async () => {
    market = await Market.open([SURF, UVA, provider('VU', VU), provider('RUG', RUG)])
    for (const name of ['VU', 'RUG'])
      await market.agent(name).sign(
        wageAgreement(name, {
          output: OUTPUT,
          algorithms: ALGORITHMS,
          recipients: ['UVA'],
          // whom a row is about is counted, and shown to nobody
          tables: { person: { columns: ['id', 'gender', 'birth'] }, job: { columns: ['id', 'wage'] } }
        })
      )
  })
  after(async () => await market?.closeClean())

  const ask = async (changes: Record<string, unknown> = {}): Promise<RequestView> =>
    await market.agent('UVA').ask(wageRequest({ providers: ['VU', 'RUG'], ...changes }))
  const completed = async (changes: Record<string, unknown> = {}): Promise<RequestView> => {
    const view = await ask(changes)
    expect(view.status, JSON.stringify([view.refusals, view.error])).to.equal('completed')
    return view
  }
  const men = ({ person, job }: typeof VU) => ({ person: person.filter(([, gender]) => gender === 'M'), job })

  for (const archetype of ['computeToData', 'dataThroughTtp']) {
    it(`leave out groups of too few of each provider's people, in ${archetype}`, async () => {
      const view = await completed({ archetype })
      expect(view.archetype).to.equal(archetype)
      const [result] = view.results ?? []
      const expected = averages(VU, men(RUG))
      expect(result?.rows.map(([gender, , count]) => [gender, count])).to.deep.equal(
        expected.map(([gender, , count]) => [gender, count])
      )
      for (const [index, [, average]] of expected.entries())
        expect(Number(result?.rows[index]?.[1])).to.be.closeTo(average, 1e-9)
      expect(result?.suppressed).to.deep.equal([{ provider: 'RUG', groups: 1 }])
    })
  }

  it('let a compute provider have states of the algorithm and no rows', async () => {
    const view = await completed({ archetype: 'dataThroughTtp' })
    const stepsAt = (name: string) => view.chain.filter(({ at }) => at === name).map(({ service }) => service)
    expect(stepsAt('VU')).to.deep.equal(['query', 'algorithm'])
    expect(stepsAt('RUG')).to.deep.equal(['query', 'algorithm'])
    expect(stepsAt('SURF')).to.deep.equal(['aggregate', 'algorithm'])
    expect(view.chain).to.have.length(6)
  })

  it('tell no counts in receipts', async () => {
    const view = await completed({ archetype: 'dataThroughTtp' })
    for (const { rows, bytes } of view.receipts) {
      expect(rows).to.equal(null)
      expect(String(bytes ?? 0)).to.match(/^\d{1,2}0*$/)
    }
  })

  it('refuse what would give single people away, and say what would do', async () => {
    const refused = async (changes: Record<string, unknown>) => {
      const view = await ask({ options: { aggregate: false }, ...changes })
      expect(view.status).to.equal('refused')
      return view.refusals?.find(({ hop }) => hop === 'VU')
    }
    for (const name of ['table', 'topk', 'describe']) {
      const parameters = { table: {}, topk: { column: 'gender', k: 3 }, describe: { columns: ['wage'] } }[
        name
      ]
      const refusal = await refused({ algorithm: { name, parameters } })
      expect(refusal).to.include({ code: 'aggregates-only', clause: 'wages-vu#output.aggregatesOnly' })
      expect(refusal?.acceptable?.algorithms).to.deep.equal([
        'average',
        'correlation',
        'crosstab',
        'histogram',
        'regression'
      ])
    }
    for (const query of [
      `${JOINED} WHERE p.id = 5`,
      'SELECT gender, avg(wage) AS wage FROM person JOIN job USING (id) GROUP BY gender',
      'SELECT gender, wage FROM (SELECT * FROM person JOIN job USING (id) LIMIT 1)',
      'SELECT id AS gender, wage FROM job',
      'SELECT gender, wage, row_number() OVER () AS n FROM person JOIN job USING (id)',
      'SELECT gender, wage * 2 AS wage FROM person JOIN job USING (id)'
    ])
      expect((await refused({ query }))?.code, query).to.equal('aggregates-only')
  })

  it('hold for their own provider, also where another one has no such agreement', async () => {
    await market.agent('RUG').sign(wageAgreement('RUG', { recipients: ['UVA'] }))
    for (const archetype of ['computeToData', 'dataThroughTtp']) {
      const view = await completed({ archetype, query: `${JOINED} WHERE gender = 'F'` })
      expect(view.results?.[0]?.rows.map(([gender, , count]) => [gender, count])).to.deep.equal([['F', 16]])
      expect(view.chain.filter(({ service }) => service === 'algorithm').map(({ at }) => at)).to.include(
        'RUG'
      )
    }
  })

  it('withhold what could be subtracted from an earlier answer to the same organisation', async () => {
    const byGender = await completed({ providers: ['VU'] })
    expect(byGender.results?.[0]?.rows).to.have.length(2)
    const without = await completed({ providers: ['VU'], query: `${JOINED} WHERE p.birth <> '1955-06-11'` })
    expect(without.results?.[0]?.suppressed).to.deep.equal([{ provider: 'VU', groups: 1 }])
    const again = await completed({ providers: ['VU'] })
    expect(again.results?.[0]?.rows).to.deep.equal(byGender.results?.[0]?.rows)
  })
})
