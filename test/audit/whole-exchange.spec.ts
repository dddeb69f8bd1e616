import { expect } from 'chai'
import { checkExport } from '../../agent/audit/index.ts'
import { bytesOf } from './tamperings.ts'

async function* piece(bytes: Uint8Array) {
  yield bytes
}
const decisionsOf = async (name: string) => (await checkExport(piece(bytesOf(name)))).decisions

describe('Decisions of real exchanges with every opening', () => {
  it('are all replayed, whatever was asked and whoever was', async () => {
    const decisions = await decisionsOf('three')
    expect(decisions.filter(({ standing }) => standing === 'attested')).to.deep.equal([])
    const asked = new Set(decisions.map(({ organisation, question }) => `${organisation} ${question}`))
    for (const one of [
      'VU offer',
      'VU accept',
      'VU start',
      'VU send',
      'VU release',
      'SURF host',
      'SURF accept',
      'SURF start',
      'SURF receive',
      'SURF send',
      'SURF release',
      'UVA accept',
      'UVA start',
      'UVA receive'
    ])
      expect(asked).to.include(one)
  })

  it('are replayed where rules that changed stopped what ran', async () => {
    const decisions = await decisionsOf('stopped')
    expect(decisions.filter(({ why }) => why !== null)).to.deep.equal([])
    expect(decisions.at(-1)).to.include({ question: 'continue', verdict: 'deny', standing: 'replayed' })
  })

  it('say why, where they are attested alone', async () => {
    const whys = new Set((await decisionsOf('vu')).map(({ standing, why }) => `${standing}: ${why}`))
    expect([...whys]).to.deep.equal([
      'attested: what it rested on is not in the file: it was not opened, or is kept no longer'
    ])
  })
})
