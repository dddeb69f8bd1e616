import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { loadDatasetFile, loadTopology, parseSubmission } from '../../agent/config/index.ts'
import { checkAgreement, parseAgreement } from '../../policy/index.ts'
import { generate } from '../../scripts/demo-data/generate.ts'
import { HOLDERS } from '../../scripts/demo-data/sample.ts'

describe('The files of the demo', () => {
  let dir = ''
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'dynamos-demo-'))
    await generate(dir)
  })
  after(async () => await rm(dir, { recursive: true }))

  it('are a topology of four agents and two agreements', async () => {
    const topology = await loadTopology(join(dir, 'topology.yaml'))
    expect(topology.agents.map(({ name }) => name)).to.deep.equal(['SURF', 'VU', 'UVA', 'RUG'])
    expect(topology.agreements).to.have.length(2)
  })

  it('describe the same tables at each holder', async () => {
    const [first, ...others] = await Promise.all(
      HOLDERS.map(async (holder) => {
        const { id, tables } = await loadDatasetFile(join(dir, holder, 'dataset.yaml'))
        return {
          id,
          tables: tables.map(({ name, columns }) => ({
            name,
            columns: columns.map((column) => `${column.name} ${column.type} ${column.unit ?? ''}`)
          }))
        }
      })
    )
    for (const other of others) expect(other).to.deep.equal(first)
  })

  it('are agreements with which nothing is wrong', async () => {
    const { tables } = await loadDatasetFile(join(dir, 'VU', 'dataset.yaml'))
    for (const file of await readdir(join(dir, 'agreements'))) {
      const text = await readFile(join(dir, 'agreements', file), 'utf8')
      const draft = parseAgreement(text, file, (address) => ({ organisation: 'UVA', name: address }))
      const findings = checkAgreement(draft, {
        organisations: ['SURF', 'VU', 'UVA', 'RUG'],
        archetypes: ['computeToData', 'dataThroughTtp'],
        services: ['query', 'anonymize', 'aggregate', 'algorithm'],
        algorithms: ['average', 'table'],
        tables
      })
      expect(findings, file).to.deep.equal([])
    }
  })

  it('are two versions of one agreement that differ in archetypes alone', async () => {
    const [one, other] = await Promise.all(
      ['VU', 'VU-through-ttp'].map(async (name) => {
        const text = await readFile(join(dir, 'agreements', `${name}.yaml`), 'utf8')
        const {
          lines: _lines,
          columns: _columns,
          ...draft
        } = parseAgreement(text, name, (address) => ({
          organisation: 'UVA',
          name: address
        }))
        return { ...draft, terms: { ...draft.terms, archetypes: [], about: {} } }
      })
    )
    expect(one).to.deep.equal(other)
  })

  it('ask the same question of two and of three', async () => {
    const [two, three] = await Promise.all(
      ['wage-gap', 'wage-gap-everywhere'].map(async (name) =>
        parseSubmission(await readFile(join(dir, 'requests', `${name}.yaml`), 'utf8'))
      )
    )
    expect(two?.query).to.equal(three?.query)
    expect(two?.algorithm).to.deep.equal(three?.algorithm)
    expect(two?.providers).to.deep.equal(['VU', 'UVA'])
    expect(three?.require).to.equal('available')
  })
})
