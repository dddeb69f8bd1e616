import { expect } from 'chai'
import {
  AnonymizeImpossible,
  anonymisedSchema,
  anonymizeNotes,
  anonymizeParameters,
  anonymizeProblems,
  givesPseudonyms,
  tablesCountedByRows,
  tablesToRead
} from '../../agent/datasets/index.ts'
import { DatasetChanged } from '../../policy/index.ts'
import type { Terms } from '../../protocol/documents/index.ts'
import { TERMS } from '../policy/builders.ts'

const column = (name: string, type: string) => ({ name, type })
const table = (name: string, subject?: string) => ({
  name,
  path: `/${name}.csv`,
  format: 'csv' as const,
  columns: [],
  ...(subject === undefined ? {} : { subject })
})
const DATASET = {
  config: {
    file: '/d.yaml',
    id: 'wageGap',
    title: '',
    visibility: 'members' as const,
    tables: [table('people', 'BSN'), table('jobs', 'bsn'), table('places')]
  },
  tables: [
    {
      name: 'people',
      rows: 1,
      columns: [column('bsn', 'BIGINT'), column('Birth', 'DATE'), column('Postcode', 'VARCHAR')]
    },
    { name: 'jobs', rows: 1, columns: [column('bsn', 'BIGINT'), column('wage', 'DOUBLE')] },
    { name: 'places', rows: 1, columns: [column('Postcode', 'VARCHAR'), column('name', 'VARCHAR')] }
  ]
}

type Clause = NonNullable<Terms['anonymize']>
const clause = (changes: Partial<Clause>): Clause => ({
  pseudonymise: [],
  generalise: {},
  suppress: [],
  ...changes
})
const termsOf = (changes: Partial<Clause> | null, tables: Terms['tables'] = '*'): Terms => {
  const { anonymize: _, ...terms } = TERMS
  return { ...terms, tables, ...(changes === null ? {} : { anonymize: clause(changes) }) }
}
const SHOWN: Terms['tables'] = { people: { columns: ['Birth', 'Postcode'] }, jobs: { columns: '*' } }

describe('anonymising a dataset', () => {
  it('makes pseudonyms of the subjects that are shown, where the agreement orders nothing', () => {
    expect(anonymizeParameters(termsOf(null), DATASET)).to.deep.equal({
      pseudonymise: ['bsn'],
      domain: 'wageGap'
    })
    const nowhere = termsOf(null, { places: { columns: '*' } })
    expect(anonymizeParameters(nowhere, DATASET)).to.deep.equal({ pseudonymise: [], domain: 'wageGap' })
    expect(anonymizeNotes(nowhere, DATASET)[0]).to.include('changes nothing')
    expect([termsOf(null), nowhere].map((terms) => givesPseudonyms(terms, DATASET))).to.deep.equal([
      true,
      false
    ])
  })

  it('makes them also where a table that is not shown has the subject, and another refers to it', () => {
    const { tables } = DATASET.config
    const unsaid = {
      ...DATASET,
      config: { ...DATASET.config, tables: [...tables.slice(0, 1), table('jobs')] }
    }
    const terms = termsOf(null, { jobs: { columns: '*' } })
    expect(anonymizeParameters(terms, unsaid)).to.deep.include({ pseudonymise: ['bsn'] })
  })

  it('reads the subject that k counts by, shown or not, and lets nobody see it', () => {
    const terms = termsOf({ generalise: { birth: 'year' }, k: 5 }, SHOWN)
    const names = tablesToRead(terms, DATASET, true).map(({ columns }) => columns.map(({ name }) => name))
    expect(names).to.deep.equal([
      ['Birth', 'Postcode', 'bsn'],
      ['bsn', 'wage']
    ])
    expect(tablesToRead(terms, DATASET, false)[0]?.columns).to.have.length(2)
    expect(anonymizeParameters(terms, DATASET)).to.deep.include({
      k: 5,
      quasi: ['birth'],
      subjects: { people: { column: 'BSN', shown: false } }
    })
    expect(anonymisedSchema(terms, DATASET)[0]?.columns.map(({ name }) => name)).to.deep.equal([
      'Birth',
      'Postcode'
    ])
  })

  it('refuses when a column to anonymise is shown by no table any more: renamed, it would be shown raw', () => {
    for (const changes of [
      { suppress: ['burgerservicenummer'] },
      { pseudonymise: ['burgerservicenummer'] },
      { generalise: { burgerservicenummer: 'year' as const } },
      { k: 2, quasi: ['burgerservicenummer'] }
    ])
      expect(() => anonymizeParameters(termsOf(changes), DATASET)).to.throw(
        DatasetChanged,
        'burgerservicenummer'
      )
  })

  it('says column by column what cannot become what', () => {
    const problems = anonymizeProblems(
      termsOf({
        generalise: {
          Postcode: 'year',
          wage: { prefix: 2 },
          Birth: { edges: ['1'] },
          bsn: { values: { '1': 'a' } }
        }
      }),
      DATASET
    )
    expect(problems.map(({ clause: at }) => at)).to.deep.equal([
      'anonymize.generalise.wage',
      'anonymize.generalise.Birth'
    ])
    expect(problems[0]?.message).to.include('a prefix needs a text, it is DOUBLE')
    expect(() => anonymisedSchema(termsOf({ generalise: { wage: { prefix: 2 } } }), DATASET)).to.throw(
      AnonymizeImpossible
    )
  })

  it('says that a table has no such subject as it is said to have', () => {
    const wrong = { ...DATASET, config: { ...DATASET.config, tables: [table('people', 'ssn')] } }
    const [problem] = anonymizeProblems(termsOf({ generalise: { Birth: 'year' }, k: 2 }), wrong)
    expect(problem).to.include({ clause: 'anonymize.k' })
    expect(problem?.message).to.include('"ssn"')
  })

  it('says which tables have no subject, so that rows count', () => {
    const terms = termsOf({ generalise: { postcode: { prefix: 2 } }, k: 2 })
    expect(tablesCountedByRows(terms, DATASET)).to.deep.equal(['places'])
  })

  it('tells the asker in words what becomes of which column', () => {
    const terms = termsOf({ pseudonymise: ['bsn'], generalise: { Birth: 'year' } })
    expect(anonymizeNotes(terms, DATASET)).to.deep.equal([
      'anonymize replaces bsn by pseudonyms',
      'anonymize reduces Birth to the year'
    ])
    expect(anonymizeNotes(termsOf(null), DATASET)).to.deep.equal(['anonymize replaces bsn by pseudonyms'])
  })
})
