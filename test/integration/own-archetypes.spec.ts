import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { checkedAgreement } from '../../agent/api/index.ts'
import { Market } from './harness.ts'
import { averages, provider, SURF, UVA, wageAgreement, wageRequest, wages } from './wages.ts'

const VU = wages(1, 30)
const BUILT_IN = fileURLToPath(new URL('../../services/archetypes/dataThroughTtp.yaml', import.meta.url))
const FILE = 'through-a-station.yaml'
const AGREED = wageAgreement('VU', { archetypes: ['throughAStation'] })

describe('An archetype of the agents’ own folders', function () {
  this.timeout(120_000)
  let market: Market

  before(async () => {
    const text = (await readFile(BUILT_IN, 'utf8')).replace('dataThroughTtp', 'throughAStation')
    const archetypes = { [FILE]: text }
    market = await Market.open([
      { ...SURF, archetypes },
      { ...UVA, archetypes },
      provider('VU', VU, { archetypes }),
      { name: 'RUG', users: ['somebody@rug.nl'] }
    ])
  })
  after(async () => await market?.closeClean())

  const ask = async () =>
    await market.agent('UVA').ask(wageRequest({ providers: ['VU'], archetype: 'throughAStation' }))

  it('may be named in an agreement, and requests run by it', async () => {
    expect((await market.agent('VU').sign(AGREED)).state).to.equal('in-force')
    const view = await ask()
    expect(view.status, JSON.stringify([view.refusals, view.error])).to.equal('completed')
    expect(view.archetype).to.equal('throughAStation')
    expect(view.results?.[0]?.rows).to.deep.equal(averages(VU))
  })

  it('is a name that agents without that file do not know', async () => {
    const json = { text: JSON.stringify({ ...AGREED, provider: 'RUG' }) }
    const { findings } = await market
      .agent('RUG')
      .client.post('/api/v1/agreements/check', { json }, checkedAgreement)
    expect(findings.find(({ clause }) => clause === 'archetypes.0')?.message).to.match(
      /unknown archetype "throughAStation"/
    )
  })

  it('is what it was when it was signed: another file under its name is refused', async () => {
    const vu = market.agent('VU')
    const file = join(vu.config.archetypes, FILE)
    await vu.stop()
    await writeFile(file, `${await readFile(file, 'utf8')}# changed\n`)
    await vu.start()
    await market.untilAllSee()
    const view = await ask()
    expect(view.status).to.equal('refused')
    expect(view.refusals?.map(({ hop, code }) => [hop, code])).to.deep.include(['VU', 'archetype-differs'])
    await vu.sign(AGREED)
    expect((await ask()).status).to.equal('completed')
  })
})
