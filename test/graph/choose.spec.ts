import { expect } from 'chai'
import fc from 'fast-check'
import {
  type ColumnFacts,
  chooseChart,
  type ResultShape,
  specificationProblems
} from '../../services/graph/index.ts'

function column(name: string, type: string, distinct: number, more: Partial<ColumnFacts> = {}): ColumnFacts {
  return { name, type, distinct, nulls: 0, finite: distinct, min: 0, max: 10, ...more }
}

const sex = column('sex', 'VARCHAR', 2)
const faculty = column('faculty', 'VARCHAR', 9)
const average = column('average', 'DOUBLE', 9)
const count = column('count', 'BIGINT', 9)

const CASES: [what: string, shape: ResultShape, kind: string | null][] = [
  [
    'a number for each group',
    { columns: [faculty, average, count], rowCount: 9, algorithm: 'average' },
    'bar'
  ],
  [
    'numbers that are keys of groups',
    { columns: [column('scale', 'BIGINT', 18), average, count], rowCount: 18, algorithm: 'average' },
    'bar'
  ],
  ['a number for each pair of groups', { columns: [faculty, sex, average], rowCount: 18 }, 'grouped bar'],
  [
    'pairs of many groups',
    { columns: [faculty, column('job', 'VARCHAR', 8), average], rowCount: 72 },
    'heat map'
  ],
  [
    'a crosstab of few',
    { columns: [sex, column('job', 'VARCHAR', 3), count], rowCount: 6, algorithm: 'crosstab' },
    'heat map'
  ],
  [
    'bins',
    { columns: [column('from', 'DOUBLE', 9), column('to', 'DOUBLE', 9), count], rowCount: 9 },
    'histogram'
  ],
  ['a number over time', { columns: [column('day', 'DATE', 90), average], rowCount: 90 }, 'line'],
  ['several numbers at each time', { columns: [column('day', 'DATE', 9), average], rowCount: 90 }, 'scatter'],
  [
    'two numbers',
    { columns: [column('age', 'BIGINT', 40), column('wage', 'DOUBLE', 90)], rowCount: 90 },
    'scatter'
  ],
  ['one number', { columns: [column('age', 'BIGINT', 40)], rowCount: 90 }, 'histogram'],
  ['rows of groups', { columns: [sex, column('wage', 'DOUBLE', 90)], rowCount: 90 }, 'box plot'],
  ['names that repeat', { columns: [sex], rowCount: 90 }, 'bar'],
  ['one row', { columns: [average, count], rowCount: 1 }, 'table'],
  ['names that do not repeat', { columns: [column('name', 'VARCHAR', 90)], rowCount: 90 }, 'table'],
  [
    'numbers without a finite value',
    { columns: [column('x', 'DOUBLE', 1, { finite: 0 })], rowCount: 9 },
    'table'
  ],
  ['lists', { columns: [column('x', 'BIGINT[]', 4)], rowCount: 9 }, 'table'],
  ['nothing', { columns: [average], rowCount: 0 }, null]
]

const aColumn: fc.Arbitrary<ColumnFacts> = fc.record({
  name: fc.oneof(
    fc.string({ minLength: 1, maxLength: 20 }),
    fc.constantFrom('from', 'to', 'count', 'average', 'row', "it's", 'a.b[0]')
  ),
  type: fc.constantFrom(
    'VARCHAR',
    'DOUBLE',
    'BIGINT',
    'DATE',
    'TIMESTAMP WITH TIME ZONE',
    'BOOLEAN',
    'DECIMAL(18,3)',
    'BLOB',
    'BIGINT[]'
  ),
  distinct: fc.nat(20_000),
  nulls: fc.nat(3),
  finite: fc.nat(20_000),
  min: fc.double({ noNaN: true, noDefaultInfinity: true }),
  max: fc.double({ noNaN: true, noDefaultInfinity: true })
})

describe('the picture of a result', () => {
  for (const [what, shape, kind] of CASES)
    it(`of ${what} is ${kind === null ? 'none' : `a ${kind}`}`, () => {
      expect(chooseChart(shape)?.kind ?? null).to.equal(kind)
    })

  it('of 10,000 groups shows the highest, and says so', () => {
    const chart = chooseChart({ columns: [column('id', 'VARCHAR', 10_000), average], rowCount: 10_000 })
    expect(chart?.take.top).to.deep.equal([{ columns: ['id'], by: 'average', limit: 40 }])
    expect(chart?.notes).to.deep.equal(['the 40 highest of 10,000 groups of id'])
    expect(JSON.stringify(chart?.specification)).to.include('the 40 highest of 10,000 groups')
  })

  it('shows units where they are known', () => {
    const chart = chooseChart({
      columns: [faculty, { ...average, unit: 'salary scale' }],
      rowCount: 9,
      value: 'wage'
    })
    expect(JSON.stringify(chart?.specification)).to.include('average of wage (salary scale)')
  })

  it('leaves out values outside of bins, and says so', () => {
    const from = column('from', 'DOUBLE', 9, { nulls: 1 })
    const chart = chooseChart({ columns: [from, column('to', 'DOUBLE', 10), count], rowCount: 10 })
    expect(chart?.notes).to.deep.equal(['values outside the bins are not drawn'])
  })

  it('could be asked for as it is, whatever the columns', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(aColumn, { minLength: 1, maxLength: 8, selector: (one) => one.name }),
        fc.nat(2_000_000),
        fc.option(fc.constantFrom('average', 'crosstab', 'correlation', 'table'), { nil: undefined }),
        (columns, rowCount, algorithm) => {
          const shape = { columns, rowCount, ...(algorithm === undefined ? {} : { algorithm }) }
          const chart = chooseChart(shape)
          if (chart === null) return
          expect(specificationProblems(chart.specification)).to.deep.equal([])
          expect(chart.take.limit).to.be.at.most(5000)
          const fields = chart.take.columns.map((one) => one.field)
          expect(new Set(fields).size, fields.join()).to.equal(fields.length)
          expect(chooseChart(shape)).to.deep.equal(chart)
        }
      )
    )
  })
})
