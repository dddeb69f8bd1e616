import { expect } from 'chai'
import fc from 'fast-check'
import type { DatasetColumn } from '../../agent/config/index.ts'
import { describe as describeDataset, roundedRows } from '../../agent/datasets/describe.ts'
import { datasetDescription } from '../../protocol/documents/capability.ts'

function described(columns: DatasetColumn[], rows = 37) {
  return describeDataset({
    config: {
      file: '/d.yaml',
      id: 'd',
      title: 'D',
      visibility: 'members',
      tables: [{ name: 't', path: '/t.csv', format: 'csv', columns }]
    },
    tables: [{ name: 't', rows, columns: columns.map(({ name }) => ({ name, type: 'VARCHAR' })) }]
  })
}

describe('What others are told of a dataset', () => {
  it('has units, descriptions and what codes mean, never the codes in the file', () => {
    const [table] = described([
      {
        name: 'sex',
        from: 'f1',
        values: { '1': 'M', '2': 'V', '3': 'V' },
        sensitive: true,
        description: 'so'
      },
      { name: 'wage', unit: 'EUR', min: '0', max: '500000.5' }
    ]).tables
    expect(table?.columns).to.deep.equal([
      { name: 'sex', type: 'VARCHAR', values: ['M', 'V'], description: 'so', sensitive: true },
      { name: 'wage', type: 'VARCHAR', unit: 'EUR', min: '0', max: '500000.5' }
    ])
  })

  it('says of rows about how many', () => {
    expect([0, 1, 14, 15, 37, 99, 100, 104, 1234, 35_559].map(roundedRows)).to.deep.equal([
      0, 10, 10, 20, 40, 100, 100, 100, 1200, 36_000
    ])
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), (rows) => {
        const told = roundedRows(rows)
        expect(told % 10).to.equal(0)
        expect(Math.abs(told - rows)).to.be.at.most(Math.max(9, rows * 0.06))
      })
    )
  })

  it('has whole code tables or none, and always room for them', () => {
    const codes = (count: number, length: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [index, `${index}`.padEnd(length, '.')]))
    const sizes = fc.record({
      count: fc.integer({ min: 0, max: 300 }),
      length: fc.constantFrom(1, 60, 256, 257)
    })
    fc.assert(
      fc.property(fc.array(sizes, { maxLength: 40 }), (columns) => {
        const description = described(
          columns.map(({ count, length }, index) => ({ name: `c${index}`, values: codes(count, length) }))
        )
        expect(datasetDescription.safeParse(description).success).to.equal(true)
        expect(JSON.stringify(description).length).to.be.below(120_000)
        for (const [index, { values }] of (description.tables[0]?.columns ?? []).entries())
          if (values !== undefined) expect(values).to.have.length(columns[index]?.count ?? -1)
      }),
      { numRuns: 50 }
    )
  })
})
