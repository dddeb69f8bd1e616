import { expect } from 'chai'
import fc from 'fast-check'
import { matches, viewDataset } from '../../agent/daemon/dataset-views.ts'
import { askCommand, exampleOf } from '../../agent/daemon/example-request.ts'
import type { Offered } from '../../agent/daemon/offered.ts'
import type { DatasetDescription, Terms } from '../../protocol/documents/index.ts'
import { Engine } from '../../services/engine/index.ts'

type Column = DatasetDescription['tables'][number]['columns'][number]

const GENDER = { name: 'gender', type: 'VARCHAR', values: ['M', 'V'] } satisfies Column
const WAGE = { name: 'wage', type: 'DOUBLE', unit: 'EUR' } satisfies Column

function says(organisation: string, columns: Column[], more: Partial<DatasetDescription> = {}): Offered {
  const tables = [{ name: 'person', rows: 100, subject: 'id', columns }]
  return { organisation, peer: organisation, dataset: { id: 'wages', title: 'Wages', tables, ...more } }
}

const NO_AGREEMENTS = { inForce: () => [] }
const shown = (...offered: Offered[]) => viewDataset(offered, NO_AGREEMENTS, 'UVA')
const differing = (...columns: Column[]) =>
  shown(says('VU', [GENDER, WAGE]), says('RUG', columns))?.differences

describe('A dataset as the network offers it', () => {
  it('has tables, columns, units, codes and the rows of all', () => {
    const view = shown(says('VU', [GENDER, WAGE], { contact: 'steward@vu.nl' }), says('RUG', [GENDER, WAGE]))
    expect(view?.tables).to.deep.equal([
      { name: 'person', rows: 200, subject: 'id', columns: [GENDER, WAGE] }
    ])
    expect(view?.differences).to.deep.equal([])
    expect(view?.contacts).to.deep.equal([{ organisation: 'VU', contact: 'steward@vu.nl' }])
  })

  const cases: [what: string, columns: Column[], told: string[]][] = [
    ['types', [GENDER, { ...WAGE, type: 'BIGINT' }], ['person.wage is BIGINT at RUG, DOUBLE at VU']],
    ['units', [GENDER, { ...WAGE, unit: 'USD' }], ['person.wage is in USD at RUG, in EUR at VU']],
    [
      'units that only one tells',
      [GENDER, { name: 'wage', type: 'DOUBLE' }],
      ['person.wage is in no unit that is told at RUG, in EUR at VU']
    ],
    [
      'codes',
      [{ ...GENDER, values: ['M', 'X'] }, WAGE],
      [
        'person.gender has at RUG alone the codes X (of VU and RUG)',
        'person.gender has at VU alone the codes V (of VU and RUG)'
      ]
    ],
    [
      'codes that only one tells',
      [{ name: 'gender', type: 'VARCHAR' }, WAGE],
      ['person.gender has codes that VU tells and RUG does not']
    ],
    ['columns that one has not', [WAGE], ['RUG has no person.gender']],
    ['the order of columns and codes, which is none', [WAGE, { ...GENDER, values: ['V', 'M'] }], []]
  ]
  for (const [what, columns, told] of cases)
    it(`differs between providers in ${what}`, () => {
      expect(differing(...columns)).to.deep.equal(told)
    })

  it('shows what only a later provider has, and says so', () => {
    const more = says('TUD', [GENDER, WAGE, { name: 'grade', type: 'BIGINT' }])
    more.dataset.tables.push({ name: 'job', rows: 20, columns: [WAGE] })
    const view = shown(says('VU', [GENDER, WAGE]), says('RUG', [GENDER, WAGE]), more)
    expect(view?.tables.map(({ name, columns }) => [name, columns.length])).to.deep.equal([
      ['person', 3],
      ['job', 1]
    ])
    expect(view?.differences).to.deep.equal(['only TUD has person.grade', 'only TUD has table job'])
  })

  it('tells of no more differences than a person reads', () => {
    const many = Array.from({ length: 1000 }, (_, index) => ({ name: `c${index}`, type: 'BIGINT' }))
    const differences = shown(says('VU', []), says('RUG', many))?.differences
    expect(differences).to.have.length(201)
    expect(differences?.at(-1)).to.equal('and 800 more')
  })

  for (const [words, found] of [
    ['wages', true],
    ['  GENDER wage ', true],
    ['eur', true],
    ['vu', true],
    ['columns', false],
    ['type', false],
    ['wages age missing', false]
  ] as const)
    it(`is ${found ? '' : 'not '}found by "${words}"`, () => {
      expect(matches(says('VU', [GENDER, WAGE]), words)).to.equal(found)
    })
})

const TERMS: Terms = {
  consumers: [],
  purposes: ['research'],
  archetypes: '*',
  computeProviders: '*',
  recipients: '*',
  tables: { person: { columns: ['wage'] } },
  algorithms: '*',
  services: { require: [], forbid: [] },
  output: {},
  valid: {},
  timezone: 'UTC',
  about: {}
}

const lineOf = (...[dataset, ...of]: Parameters<typeof exampleOf>) =>
  askCommand(dataset, exampleOf(dataset, ...of))

describe('An example of how to ask', () => {
  const tables = [
    { name: 'job', rows: 10, columns: [WAGE] },
    { name: 'person', rows: 10, columns: [GENDER, WAGE] }
  ]

  it('shows the form without an agreement', () => {
    expect(lineOf('wages', tables, [])).to.equal(
      "dynamos ask 'SELECT wage FROM job' --dataset wages --purpose PURPOSE"
    )
  })

  it('keeps to the tables, columns, purposes and algorithms of an agreement', () => {
    expect(lineOf('wages', tables, [{ ...TERMS, tables: {} }, TERMS])).to.equal(
      "dynamos ask 'SELECT wage FROM person' --dataset wages --purpose research"
    )
    const averages: Terms = { ...TERMS, tables: '*', algorithms: ['average'] }
    expect(lineOf('wages', tables.slice(1), [averages])).to.equal(
      "dynamos ask 'SELECT wage, gender FROM person' --dataset wages --purpose research --algorithm average --value wage"
    )
    const numbered = {
      name: 'person',
      rows: 10,
      subject: 'id',
      columns: [{ name: 'id', type: 'BIGINT' }, WAGE]
    }
    expect(lineOf('wages', [numbered], [averages])).to.include('--value wage')
  })

  it('is SQL whatever the names are, and one word for a shell', async () => {
    const engine = await Engine.open()
    const name = fc.oneof(
      fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }),
      fc.constantFrom('order', 'Group', "it's", 'a "b"', '$(id)', '💶', 'constructor', '__proto__')
    )
    await fc.assert(
      fc.asyncProperty(name, name, async (table, column) => {
        fc.pre(!`${table}${column}`.includes('\0'))
        const line = lineOf(
          'wages',
          [{ name: table, rows: 10, columns: [{ name: column, type: 'DATE' }] }],
          [{ ...TERMS, tables: '*' }]
        )
        const [, quoted = ''] =
          /^dynamos ask ('(?:[^']|'\\'')*') --dataset wages --purpose research$/s.exec(line) ?? []
        const sql = quoted.slice(1, -1).replaceAll("'\\''", "'")
        const [[tree] = []] = await engine.rows('SELECT json_serialize_sql($1::VARCHAR)', [sql])
        expect(JSON.parse(String(tree)).error, sql).to.equal(false)
      }),
      { numRuns: 200 }
    )
  })
})
