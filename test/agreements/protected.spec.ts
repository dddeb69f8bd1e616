import { expect } from 'chai'
import { checkProtected } from '../../agent/agreements/protected.ts'
import type { Dataset } from '../../agent/datasets/index.ts'
import { parseAgreement } from '../../policy/index.ts'

const DATASET: Dataset = {
  config: {
    file: '/w.yaml',
    id: 'wages',
    title: 'Wages',
    visibility: 'members',
    tables: [
      { name: 'person', path: '/p.csv', format: 'csv', subject: 'id', columns: [] },
      {
        name: 'job',
        path: '/j.csv',
        format: 'csv',
        subject: 'id',
        columns: [{ name: 'wage', min: '0', max: '200000' }, { name: 'hours' }]
      },
      { name: 'codes', path: '/c.csv', format: 'csv', columns: [] }
    ]
  },
  tables: [
    {
      name: 'person',
      rows: 9,
      columns: [
        { name: 'id', type: 'BIGINT' },
        { name: 'gender', type: 'VARCHAR' }
      ]
    },
    {
      name: 'job',
      rows: 9,
      columns: [
        { name: 'id', type: 'BIGINT' },
        { name: 'wage', type: 'BIGINT' },
        { name: 'hours', type: 'DOUBLE' }
      ]
    },
    { name: 'codes', rows: 9, columns: [{ name: 'code', type: 'VARCHAR' }] }
  ],
  sources: []
}

const found = (output: string, tables = "'*'") => {
  const text = `agreement: a\nprovider: VU\ndataset: wages\nconsumers: [{organisation: UVA}]\ntables: ${tables}\noutput: ${output}\n`
  return checkProtected(
    parseAgreement(text, 'a.yaml', () => undefined),
    DATASET,
    []
  ).map(({ level, message }) => `${level}: ${message}`)
}

describe('a steward who protects people is told', () => {
  it('which tables nobody knows the people of, and which values have no bounds', () => {
    const [table, bounds, ...more] = found('{minGroupSize: 10}')
    expect(table).to.match(/^warning: table "codes" has no column that tells whom/)
    expect(bounds).to.match(/^warning: nothing bounds the values of job\.hours: /)
    expect(more).to.deep.equal([])
  })

  it('that nothing would be answered where no table has the unit', () => {
    expect(found('{unit: nobody, minGroupSize: 10}').join()).to.match(/^error: no table has one; /)
    expect(found('{minGroupSize: 10}', '{codes: {columns: "*"}}').join()).to.match(/^error: /)
  })

  it('nothing where there is nothing to say', () => {
    expect(
      found('{minGroupSize: 10}', '{person: {columns: [gender]}, job: {columns: [wage]}}')
    ).to.deep.equal([])
    expect(found('{maxRows: 10}')).to.deep.equal([])
  })
})
