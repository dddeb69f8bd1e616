import { readdirSync } from 'node:fs'
import { expect } from 'chai'
import {
  changesBetween,
  checkAgreement,
  draftFromTemplate,
  parseAgreement,
  TEMPLATES,
  writeAgreement
} from '../../policy/index.ts'
import { manifests } from '../composition/market.ts'

const resolve = (name: string) => ({ organisation: 'RUG', name })
const parse = (text: string) => parseAgreement(text, 'a.yaml', resolve)
const answers = {
  name: 'wages-2026',
  provider: 'VU',
  dataset: 'wages',
  consumers: ['UVA', 'analyst@rug.nl'],
  purposes: ['research'],
  from: '2026-01-01',
  until: '2027-01-01',
  tables: [
    {
      name: 'person: of "us"',
      subject: 'id',
      columns: [{ name: 'id' }, { name: 'a, b: #c' }, { name: 'born\nhere', sensitive: true }]
    }
  ]
}

describe('a template of an agreement', () => {
  for (const template of TEMPLATES)
    it(`passes its check: ${template.name}`, () => {
      const computeProviders = template.holders ? ['SURF'] : []
      const draft = parse(draftFromTemplate({ ...answers, template, computeProviders }))
      expect(checkAgreement(draft, {})).to.deep.equal([])
      expect(draft.terms.tables).to.deep.equal({ 'person: of "us"': { columns: ['id', 'a, b: #c'] } })
      expect(draft.terms.anonymize?.pseudonymise).to.deep.equal(['id'])
      const bare = parse(draftFromTemplate({ ...answers, template, computeProviders, tables: [] }))
      expect(checkAgreement(bare, {}).map(({ level, clause }) => [level, clause])).to.deep.equal([
        ['warning', 'tables']
      ])
      expect(template.archetypes.every((name) => manifests.archetypes.has(name))).to.equal(true)
    })

  for (const template of TEMPLATES)
    it(`says who approves, when somebody is to, and nobody otherwise: ${template.name}`, () => {
      const given = { ...answers, template, computeProviders: ['SURF'] }
      const text = draftFromTemplate({ ...given, approvers: ['steward@vu.nl', 'b@vu.nl'] })
      const { terms } = parse(text)
      expect(terms.approval?.by).to.deep.equal(['steward@vu.nl', 'b@vu.nl'])
      expect(terms.approval?.when).to.equal(template.approval?.when ?? 'firstTime')
      expect(checkAgreement(parse(text), {}).filter(({ level }) => level === 'error')).to.deep.equal([])
      const without = draftFromTemplate(given)
      expect(parse(without).terms.approval).to.equal(undefined)
      expect(without.includes('# approval: {by: ')).to.equal(template.approval !== undefined)
    })

  it('names algorithms that there are', () => {
    const there = readdirSync(new URL('../../services/algorithm/', import.meta.url)).join('\n')
    for (const name of TEMPLATES.flatMap(({ algorithms }) => algorithms)) expect(there).to.include(name)
  })
})

describe('an agreement as a file', () => {
  const FULL = `agreement: full
provider: VU
dataset: wages
consumers: [{organisation: UVA}, {user: analyst@rug.nl}]
purposes: "*"
archetypes: [computeToData]
computeProviders: [SURF]
recipients: [UVA, "@requester"]
tables: {t: {columns: [a, "1"], where: "a > 1"}, u: {columns: "*"}}
services: {require: [anonymize], forbid: [graph]}
algorithms: [average]
output: {unit: a, minGroupSize: 3, maxRows: 10, aggregatesOnly: true}
anonymize: {pseudonymise: [a], generalise: {b: year, c: {edges: [1, 2.5]}, d: {values: {x: y}, otherwise: z}}, suppress: [e], k: 2, quasi: [b]}
limits: {requests: 3, per: P1DT2H}
approval: {by: [steward@vu.nl], when: always, within: P3D}
privacy: {epsilon: 0.5, budget: 3, per: P30D}
cache: {extract: none, results: none}
valid: {from: 2026-03-29, until: 2026-10-25T12:00:00Z}
sandbox: required
onward: none
revocation: {effect: finish, notice: P7D}
timezone: Europe/Amsterdam
about: {reference: "2026/17"}
cedar: |
  forbid (principal, action, resource);
`

  it('has, read again, the terms it was written from', () => {
    // Where something stands in the text is no part of what it says.
    const { lines, columns: _columns, written: _written, cedarAt, ...draft } = parse(FULL)
    expect(Object.keys(lines)).not.to.deep.equal([])
    const {
      lines: again,
      columns: _places,
      written: _bounds,
      cedarAt: moved,
      ...back
    } = parse(writeAgreement(draft))
    expect(Object.keys(again)).not.to.deep.equal([])
    expect(moved?.column).to.equal(cedarAt?.column)
    // Who `analyst@rug.nl` is was settled before.
    expect(back).to.deep.equal(draft)
  })

  it('differs from another clause by clause, and in the words of both', () => {
    const other = FULL.replace('purposes: "*"', 'purposes: [research]')
      .replace('columns: "*"', 'columns: [x]')
      .replace('sandbox: required\n', '')
    const changes = changesBetween(parse(FULL), parse(other))
    expect(changes.clauses).to.deep.equal([
      { clause: 'purposes', before: '"*"', after: '[research]' },
      { clause: 'tables.u', before: '{columns: "*"}', after: '{columns: [x]}' },
      { clause: 'sandbox', before: 'required', after: null }
    ])
    expect(changes.removed).to.include('Purposes: any.')
    expect(changes.added).to.include('Purposes: research.')
    expect(changesBetween(parse(FULL), parse(FULL))).to.deep.equal({ clauses: [], removed: [], added: [] })
    expect(changesBetween(undefined, parse(other)).removed).to.deep.equal([])
  })
})
