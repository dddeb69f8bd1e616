import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { checkExport } from '../../agent/audit/check/index.ts'

const bytesOf = (name: string) => readFileSync(new URL(`../fixtures/audit/${name}.audit`, import.meta.url))

async function* piece(bytes: Uint8Array) {
  yield bytes
}

describe('A check of an audit export', () => {
  for (const name of ['uva', 'vu', 'vu-open', 'surf', 'rug', 'joined'])
    it(`confirms what agents wrote: ${name}`, async () => {
      const { finding, verdict } = await checkExport(piece(bytesOf(name)))
      expect(finding).to.equal(null)
      expect(verdict).to.equal('confirmed')
    })

  it('says what is not in the file, and does not fail for it', async () => {
    const { missing, parties } = await checkExport(piece(bytesOf('vu')))
    expect(missing).to.include('the export of SURF')
    expect(parties.filter(({ exported }) => exported).map(({ organisation }) => organisation)).to.deep.equal([
      'VU'
    ])
  })

  it('tells both ends of each flow where both are in the file', async () => {
    const { flows, outcomes, asked } = await checkExport(piece(bytesOf('joined')))
    expect(flows).to.have.length(3)
    for (const { sent, received, parts } of flows) expect([sent, received, parts]).not.to.include(null)
    expect(outcomes.map(({ result }) => result)).to.deep.equal(['completed'])
    expect(asked?.organisation).to.equal('UVA')
  })

  it('cannot read what is no export', async () => {
    const { verdict } = await checkExport(piece(new TextEncoder().encode('no export')))
    expect(verdict).to.equal('unreadable')
  })
})
