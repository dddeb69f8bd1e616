import { expect } from 'chai'
import fc from 'fast-check'
import {
  CLOSED,
  combineTerms,
  DatasetChanged,
  grantedSchema,
  REQUESTER,
  resultTermsOf,
  withinTerms
} from '../../policy/index.ts'
import { type ResultTerms, resultTerms } from '../../protocol/documents/index.ts'
import { RESULT_TERMS, TERMS } from './builders.ts'

const names = fc.array(fc.constantFrom('A', 'B', 'C', 'D'), { maxLength: 4 })
const anyOrNames = fc.oneof(fc.constant('*' as const), names)
const termsOf: fc.Arbitrary<ResultTerms> = fc.record({
  recipients: anyOrNames,
  purposes: anyOrNames,
  until: fc.option(fc.nat({ max: 10 })),
  services: names,
  forbid: names,
  maxRows: fc.option(fc.nat({ max: 10 })),
  onward: fc.constant('none' as const)
})
const use = fc.record({
  recipients: names,
  purpose: fc.constantFrom('A', 'B', 'C'),
  services: names,
  now: fc.nat({ max: 12 }),
  rows: fc.option(fc.nat({ max: 12 }))
})
const list = fc.array(termsOf, { minLength: 1, maxLength: 4 })

describe('terms of results', () => {
  it('combine alike in any order', () => {
    fc.assert(
      fc.property(list, (terms) => {
        expect(combineTerms([...terms].reverse())).to.deep.equal(combineTerms(terms))
      })
    )
  })

  it('combine alike in any grouping', () => {
    fc.assert(
      fc.property(list, list, (one, other) => {
        expect(combineTerms([combineTerms(one), combineTerms(other)])).to.deep.equal(
          combineTerms([...one, ...other])
        )
      })
    )
  })

  it('do not change when combined with themselves', () => {
    fc.assert(
      fc.property(list, (terms) => {
        expect(combineTerms([...terms, ...terms])).to.deep.equal(combineTerms(terms))
      })
    )
  })

  it('allow a use exactly when every input allows it', () => {
    fc.assert(
      fc.property(list, use, (terms, asked) => {
        const each = terms.every((one) => withinTerms(one, asked).length === 0)
        expect(withinTerms(combineTerms(terms), asked).length === 0).to.equal(each)
      }),
      { numRuns: 1000 }
    )
  })

  it('never widen by a further input', () => {
    fc.assert(
      fc.property(list, termsOf, use, (terms, further, asked) => {
        const before = withinTerms(combineTerms(terms), asked)
        expect(withinTerms(combineTerms([...terms, further]), asked)).to.include.members(before)
      })
    )
  })

  it('are documents that can be signed', () => {
    fc.assert(fc.property(list, (terms) => void resultTerms.parse(combineTerms(terms))))
  })

  it('allow nothing without inputs', () => {
    expect(combineTerms([])).to.deep.equal(CLOSED)
    fc.assert(
      fc.property(use, (asked) => {
        expect(withinTerms(CLOSED, asked)).not.to.deep.equal([])
      })
    )
  })

  const uses: [string, Partial<Parameters<typeof withinTerms>[1]>, string[]][] = [
    ['what was agreed', {}, []],
    ['another recipient', { recipients: ['UVA', 'RUG'] }, ['recipients']],
    ['no recipient', { recipients: [] }, ['recipients']],
    ['another purpose', { purpose: 'marketing' }, ['purposes']],
    ['the end itself', { now: Date.UTC(2027, 0, 1) }, ['until']],
    ['a time that is none', { now: Number.NaN }, ['until']],
    ['a missing service', { services: ['query'] }, ['services']],
    ['a forbidden service', { services: ['anonymize', 'graph'] }, ['forbid']],
    ['too many rows', { rows: 1001 }, ['maxRows']]
  ]
  for (const [what, change, broken] of uses) {
    it(`${broken.length === 0 ? 'allow' : 'name the term that is broken by'} ${what}`, () => {
      const asked = { recipients: ['UVA'], purpose: 'research', services: ['anonymize'], now: 0, rows: 1000 }
      expect(withinTerms(RESULT_TERMS, { ...asked, ...change })).to.deep.equal(broken)
    })
  }

  it('come from the agreement, with the asking organisation as the recipient where none is named', () => {
    expect(resultTermsOf(TERMS, 'UVA')).to.deep.equal(RESULT_TERMS)
    expect(resultTermsOf({ ...TERMS, recipients: [REQUESTER] }, 'RUG').recipients).to.deep.equal(['RUG'])
  })

  it('require anonymize where the agreement says what to anonymise', () => {
    const anonymize = { pseudonymise: ['Unieknr'], generalise: {}, suppress: [] }
    const services = { require: [], forbid: [] }
    expect(resultTermsOf({ ...TERMS, services, anonymize }, 'UVA').services).to.deep.equal(['anonymize'])
  })
})

describe('a granted schema', () => {
  const column = (name: string) => ({ name, type: 'BIGINT' })
  const dataset = [
    { name: 'Aanstellingen', columns: ['Unieknr', 'Salschal'].map(column) },
    { name: 'Personen', columns: ['Peildat', 'Unieknr', 'Naam', 'Geslacht'].map(column) },
    { name: 'Geheim', columns: ['alles'].map(column) }
  ]

  it('shows what is granted, in the order of the dataset, with the predicate as SQL', () => {
    expect(grantedSchema(TERMS, dataset)).to.deep.equal([
      { name: 'Aanstellingen', columns: ['Unieknr', 'Salschal'].map(column), where: null },
      {
        name: 'Personen',
        columns: ['Peildat', 'Unieknr', 'Geslacht'].map(column),
        where: '"Peildat" >= 20170101'
      }
    ])
  })

  it('shows everything for a star, and nothing for nothing', () => {
    expect(grantedSchema({ ...TERMS, tables: '*' }, dataset).map((table) => table.name)).to.have.length(3)
    expect(grantedSchema({ ...TERMS, tables: {} }, dataset)).to.deep.equal([])
    expect(grantedSchema({ ...TERMS, tables: { Geheim: { columns: [] } } }, dataset)).to.deep.equal([])
  })

  it('lets a predicate read what is not shown, and any case of a name', () => {
    const tables = { Personen: { columns: ['Geslacht'], where: "naam <> 'x'" } }
    expect(grantedSchema({ ...TERMS, tables }, dataset)[0]?.where).to.equal('"naam" <> \'x\'')
  })

  it('shows what anonymize suppresses, for the query alone', () => {
    const anonymize = { pseudonymise: [], generalise: {}, suppress: ['Geslacht'] }
    expect(grantedSchema({ ...TERMS, anonymize }, dataset)[1]?.columns).to.deep.include(column('Geslacht'))
  })

  const changed: [string, typeof TERMS.tables][] = [
    ['table', { Personeel: { columns: '*' } }],
    ['table that every object has', Object.fromEntries([['constructor', { columns: '*' as const }]])],
    ['column', { Personen: { columns: ['Gebdat'] } }],
    ['column of a predicate', { Personen: { columns: '*', where: 'Gebdat > 3' } }]
  ]
  for (const [what, tables] of changed) {
    it(`is refused when the dataset has no such ${what}`, () => {
      expect(() => grantedSchema({ ...TERMS, tables }, dataset))
        .to.throw(DatasetChanged)
        .with.property('code', 'dataset-changed')
    })
  }
})
