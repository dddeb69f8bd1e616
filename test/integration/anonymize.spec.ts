import { expect } from 'chai'
import type { RequestView } from '../../agent/api/index.ts'
import { type AgentSpec, type Cell, Market } from './harness.ts'
import { SURF, UVA, wageAgreement, wageRequest } from './wages.ts'

/** id, gender, birth, postcode, age */
type Person = [number, string, string, string, number]

/** People of whom some share postcode and age with few; the numbers are made up. */
function people(first: number, count: number): Person[] {
  return Array.from({ length: count }, (_, index) => {
    const id = first + index
    const area = id % 11 === 0 ? 99 : 10 + (id % 3)
    return [
      id,
      id % 3 === 0 ? 'F' : 'M',
      `${1960 + (id % 20)}-0${1 + (id % 9)}-11`,
      `${area}${10 + (id % 7)}AB`,
      20 + ((id * 7) % 60)
    ]
  })
}

function provider(name: string, persons: Person[], more: Partial<AgentSpec> = {}): AgentSpec {
  // Everybody has two jobs, so that rows are not persons
  const jobs: Cell[][] = persons.flatMap(([id]) => [
    [id, 1000 + id],
    [id, 2000 + id]
  ])
  return {
    name,
    roles: ['dataProvider'],
    users: [`steward@${name.toLowerCase()}.nl`],
    datasets: [
      {
        id: 'wages',
        tables: {
          person: {
            columns: { id: 'BIGINT', gender: 'VARCHAR', birth: 'DATE', postcode: 'VARCHAR', age: 'INTEGER' },
            rows: persons,
            subject: 'id'
          },
          job: { columns: { id: 'BIGINT', wage: 'DOUBLE' }, rows: jobs, subject: 'id' }
        }
      }
    ],
    ...more
  }
}

const VU = people(1, 60)
/** Ten of the people of VU, and others. */
const RUG = people(51, 60)
const ARCHETYPES = ['computeToData', 'dataThroughTtp']
const TABLES = {
  person: { columns: ['id', 'gender', 'birth', 'postcode', 'age'], where: "birth >= '1962-06-01'" },
  job: { columns: ['id', 'wage'] }
}
const EDGES = [0, 30, 50]
const K = 3
const CLAUSE = {
  pseudonymise: ['ID'],
  generalise: {
    birth: 'year',
    postcode: { prefix: 2 },
    age: { edges: EDGES },
    gender: { values: { M: 'person' }, otherwise: 'somebody' }
  },
  k: K,
  quasi: ['postcode', 'age']
}

/** What is released of these people: gender, birth, postcode, age. Worked out anew, by hand. */
function released(persons: readonly Person[]): unknown[][] {
  const coarse = persons
    .filter(([, , birth]) => birth >= '1962-06-01')
    .map(([, gender, birth, postcode, age]) => [
      gender === 'M' ? 'person' : 'somebody',
      `${birth.slice(0, 4)}-01-01`,
      postcode.slice(0, 2),
      EDGES.filter((edge) => edge <= age).at(-1)
    ])
  const sharing = (row: unknown[]) =>
    coarse.filter((other) => other[2] === row[2] && other[3] === row[3]).length
  return coarse.filter((row) => sharing(row) >= K)
}

const sorted = (rows: readonly unknown[][]): string[] => rows.map((row) => row.map(String).join('|')).sort()

describe('Anonymising', function () {
  this.timeout(120_000)
  let market: Market

  before(async () => {
    const rules =
      'forbid (principal, action, resource) when { context has pseudonymsOpenTo && context.pseudonymsOpenTo.contains("VU") && context.purpose == "study" };'
    market = await Market.open([SURF, UVA, provider('VU', VU), provider('RUG', RUG, { rules })])
  })
  after(async () => await market?.closeClean())

  async function agreed(changes: Record<string, unknown>): Promise<void> {
    for (const name of ['VU', 'RUG'])
      await market.agent(name).sign(wageAgreement(name, { tables: TABLES, ...changes }))
  }

  const ask = async (changes: Record<string, unknown>, by = 'UVA'): Promise<RequestView> => {
    const request = wageRequest({
      providers: ['VU', 'RUG'],
      options: { aggregate: false },
      algorithm: 'table',
      ...changes
    })
    const view = await market.agent(by).ask(request)
    expect(view.status, JSON.stringify([view.refusals, view.error])).to.equal('completed')
    return view
  }
  const rowsOf = (view: RequestView, name: string) =>
    view.results?.find((one) => one.from.join() === name)?.rows ?? []
  const anonymizedAt = (view: RequestView) =>
    view.chain.filter((step) => step.service === 'anonymize').map((step) => step.at)

  for (const archetype of ARCHETYPES) {
    it(`happens as agreed in ${archetype}: coarser, in company of k, and after the agreement's own where`, async () => {
      await agreed({ anonymize: CLAUSE })
      const query = 'SELECT gender, birth, postcode, age FROM person'
      const view = await ask({ archetype, query })
      expect(view.archetype).to.equal(archetype)
      expect(anonymizedAt(view)).to.have.members(['VU', 'RUG'])
      for (const [name, persons] of [
        ['VU', VU],
        ['RUG', RUG]
      ] as const) {
        const expected = released(persons)
        expect(expected.length).to.be.greaterThan(10).and.lessThan(55)
        expect(sorted(rowsOf(view, name))).to.deep.equal(sorted(expected))
        expect(view.notes).to.include(`${name}: anonymize keeps the first 2 characters of postcode`)
        expect(view.notes.some((note) => note.startsWith(`${name}: anonymize left out up to`))).to.equal(true)
      }
    })

    it(`counts persons in ${archetype}, not rows, by a subject that nobody is shown`, async () => {
      const person = { columns: ['postcode', 'age'], where: TABLES.person.where }
      const { pseudonymise: _, ...anonymize } = CLAUSE
      const generalise = { postcode: CLAUSE.generalise.postcode, age: CLAUSE.generalise.age }
      await agreed({ tables: { person }, anonymize: { ...anonymize, generalise } })
      const view = await ask({ archetype, query: 'SELECT * FROM person' })
      const expected = released(VU).map((row) => row.slice(2))
      expect(view.results?.[0]?.columns).to.deep.equal(['postcode', 'age'])
      expect(sorted(rowsOf(view, 'VU'))).to.deep.equal(sorted(expected))
    })

    it(`makes pseudonyms in ${archetype} because the asker wants it, equal over providers and others each time`, async () => {
      await agreed({})
      const again = { archetype, options: { aggregate: false, anonymize: true } }
      const query = 'SELECT DISTINCT p.id FROM person p JOIN job j USING (id)'
      const seen = new Set<unknown>()
      for (const view of [await ask({ ...again, query }), await ask({ ...again, query })]) {
        expect(anonymizedAt(view)).to.have.members(['VU', 'RUG'])
        expect(view.notes).to.include('VU: anonymize replaces id by pseudonyms')
        expect(view.notes.join()).not.to.include('pseudonyms-open-to')
        const [vu, rug] = [rowsOf(view, 'VU').flat(), rowsOf(view, 'RUG').flat()]
        for (const id of [...vu, ...rug]) {
          expect(id).to.match(/^[0-9a-f]{32}$/)
          expect(seen.has(id)).to.equal(false)
        }
        const persons = (of: Person[]) => of.filter(([, , birth]) => birth >= '1962-06-01').map(([id]) => id)
        const both = persons(VU).filter((id) => persons(RUG).includes(id))
        expect(both.length).to.be.greaterThan(0)
        expect(vu.filter((id) => rug.includes(id))).to.have.length(both.length)
        for (const id of [...vu, ...rug]) seen.add(id)
      }
    })
  }

  it('lets an asker that holds data itself know that it could undo pseudonyms, and policy may refuse it', async () => {
    for (const name of ['VU', 'RUG'])
      await market.agent(name).sign(
        wageAgreement(name, {
          agreement: `for-vu-${name.toLowerCase()}`,
          consumers: [{ organisation: 'VU' }],
          purposes: ['research', 'study'],
          anonymize: { pseudonymise: ['id'] }
        })
      )
    const request = { user: 'steward@vu.nl', query: 'SELECT id FROM person', archetype: 'computeToData' }
    const view = await ask(request, 'VU')
    const told = view.decisions.filter(({ hop }) => hop === 'RUG')
    expect(told.flatMap(({ clauses }) => clauses)).to.include('pseudonyms-open-to: VU')
    expect(view.notes.join('\n')).to.match(/^RUG: pseudonyms-open-to: VU holds data/m)
    expect(view.notes.join('\n')).not.to.match(/^VU: pseudonyms-open-to/m)
    const refused = await market
      .agent('VU')
      .ask(wageRequest({ ...request, purpose: 'study', providers: ['VU', 'RUG'], algorithm: 'table' }))
    expect(refused.status).to.equal('refused')
    expect(refused.refusals?.[0]).to.include({ hop: 'RUG', code: 'policy-forbids' })
  })

  it('cannot be agreed where it is forbidden, nor of what a column cannot become', async () => {
    const signed = async (changes: Record<string, unknown>): Promise<string> =>
      await market
        .agent('VU')
        .sign(wageAgreement('VU', { tables: TABLES, ...changes }))
        .then(
          () => 'signed',
          (error: Error) => error.message
        )
    expect(await signed({ services: { forbid: ['anonymize'] }, anonymize: CLAUSE })).to.include('orders it')
    expect(await signed({ anonymize: { generalise: { birth: { prefix: 2 } } } })).to.include(
      'a prefix needs a text, it is DATE'
    )
  })
})
