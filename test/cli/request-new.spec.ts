import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import type { DatasetView } from '../../agent/api/index.ts'
import { requestFile } from '../../agent/cli/commands/request/new.ts'
import { parseSubmission } from '../../agent/config/index.ts'
import { fakeAgents } from './fake-agent.ts'
import { runs } from './fake-terminal.ts'

function aDataset(changes: Partial<DatasetView> = {}): DatasetView {
  return {
    id: 'wages',
    title: 'Wages',
    providers: [
      { organisation: 'VU', peerId: '12D3', agreements: ['wages-vu'] },
      { organisation: 'RUG', peerId: '12D4', agreements: [] }
    ],
    tables: [
      {
        name: 'person',
        rows: 10,
        columns: [{ name: 'wage', type: 'DOUBLE', unit: 'EUR' }]
      }
    ],
    differences: [],
    example: {
      query: 'SELECT wage FROM person',
      purpose: 'research',
      algorithm: { name: 'average', value: 'wage' }
    },
    ...changes
  }
}

describe('request new', () => {
  const agents = fakeAgents()

  it('writes a request that can be submitted as it stands, and never over a file that is there', async () => {
    const options = [
      ...(await agents.listen({ dataset: async () => aDataset() })),
      '--out',
      join(agents.folder, 'new.yaml')
    ]
    expect((await runs(['request', 'new', '--dataset', 'wages', ...options])).code).to.equal(0)
    const written = parseSubmission(await readFile(join(agents.folder, 'new.yaml'), 'utf8'))
    expect(written).to.deep.include({
      purpose: 'research',
      datasets: ['wages'],
      providers: ['VU'],
      algorithm: { name: 'average', parameters: { value: 'wage' } }
    })
    expect(written.query.trim()).to.equal('SELECT wage FROM person')
    const again = await runs(['request', 'new', '--dataset', 'wages', ...options])
    expect(again.code).to.equal(2)
    expect(again.err).to.include('is there already')
  })

  it('names the tables of each dataset, and asks those who hold all of them', () => {
    const other = aDataset({
      id: 'leave',
      providers: [{ organisation: 'RUG', peerId: '12D4', agreements: ['leave-rug'] }]
    })
    const text = requestFile([aDataset(), other])
    expect(text).to.include('#   wages.person: wage DOUBLE (EUR)').and.include('#   leave.person: wage')
    expect(text).to.include('# Have all of them: RUG\n').and.include('dataset.table')
    const written = parseSubmission(text)
    expect(written.datasets).to.deep.equal(['wages', 'leave'])
    expect(written.query.trim(), 'both have a table of that name').to.equal('SELECT wage FROM wages.person')
    expect(written.providers, 'RUG has no agreement about wages').to.equal(undefined)
    const quoted = requestFile([aDataset({ id: 'wages-2026' }), aDataset()])
    expect(parseSubmission(quoted).query.trim()).to.equal('SELECT wage FROM "wages-2026".person')
    expect(parseSubmission(quoted).providers).to.deep.equal(['VU'])
  })

  it('says what others call their things, whatever that is, and nothing else', () => {
    const word = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
    fc.assert(
      fc.property(word, word, (table, column) => {
        const query = `SELECT ${JSON.stringify(column)} FROM ${JSON.stringify(table)}`
        const text = requestFile([
          aDataset({
            tables: [{ name: table, rows: 1, columns: [{ name: column, type: 'BIGINT', unit: table }] }],
            example: { query, purpose: 'research' }
          })
        ])
        const written = parseSubmission(text)
        expect(written.query.trimEnd()).to.equal(query)
        expect(written.purpose).to.equal('research')
        expect(written.providers).to.deep.equal(['VU'])
      })
    )
  })
})
