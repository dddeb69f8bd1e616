import { expect } from 'chai'
import { event } from '../network/harness.ts'
import { thrownBy } from '../streams/loopback.ts'
import { type Agent, Bazaar } from './harness.ts'

function names(found: readonly { organisation: string }[]): string[] {
  return found.map(({ organisation }) => organisation).sort()
}

/** Until the agent is connected to so many others. */
async function connectedTo(agent: Agent, count: number): Promise<void> {
  while (agent.network.readyPeers().length < count) await event(agent.network, 'peer:ready')
}

describe('discovery', () => {
  let bazaar: Bazaar
  beforeEach(async () => {
    bazaar = await Bazaar.open()
  })
  afterEach(async () => {
    await bazaar.stop()
  })

  async function fiveAgents(): Promise<Record<'surf' | 'vu' | 'uva' | 'rug' | 'asker', Agent>> {
    const surf = await bazaar.start('SURF', { roles: ['computeProvider'] })
    const init = { bootstrap: surf.network.addresses }
    const [vu, uva, rug] = await Promise.all(
      ['VU', 'UVA', 'RUG'].map(
        async (name) =>
          await bazaar.start(name, { datasets: ['wageGap', `only${name}`], roles: ['dataProvider'] }, init)
      )
    )
    const asker = await bazaar.start('Asker', {}, init)
    if (vu === undefined || uva === undefined || rug === undefined) throw new Error('not started')
    await connectedTo(asker, 1)
    return { surf, vu, uva, rug, asker }
  }

  it('finds every provider of a dataset and every compute provider, knowing one bootstrap address', async () => {
    const { vu, uva, rug, asker } = await fiveAgents()
    for (const one of [vu, uva, rug]) await one.discovery.announce()
    expect(names(await asker.discovery.findDataset('wageGap'))).to.deep.equal(['RUG', 'UVA', 'VU'])
    expect(names(await asker.discovery.findDataset('onlyRUG'))).to.deep.equal(['RUG'])
    expect(names(await asker.discovery.findComputeProviders())).to.deep.equal(['SURF'])
    expect(names(await asker.discovery.findMembers())).to.deep.equal(['Asker', 'RUG', 'SURF', 'UVA', 'VU'])
    expect(names(await asker.discovery.capabilities())).to.deep.equal(['Asker', 'RUG', 'SURF', 'UVA', 'VU'])
    expect(names(await vu.discovery.findDataset('wageGap'))).to.deep.equal(['RUG', 'UVA', 'VU'])
  })

  it('answers that nobody provides a dataset', async () => {
    const { asker } = await fiveAgents()
    expect(await asker.discovery.findDataset('nobodyHasThis')).to.deep.equal([])
  })

  it('answers at once when it is alone and knows nobody', async () => {
    const alone = await bazaar.start('Alone', { datasets: ['mine'] })
    expect(await alone.discovery.findDataset('other')).to.deep.equal([])
    expect(names(await alone.discovery.findDataset('mine'))).to.deep.equal(['Alone'])
  })

  it('answers when its bootstrap agent is not there', async () => {
    const lost = await bazaar.start('Lost', {}, { bootstrap: ['/ip4/127.0.0.1/tcp/1'] })
    expect(await lost.discovery.findDataset('other')).to.deep.equal([])
  })

  it('does not offer a provider that left', async () => {
    const { uva, rug, asker } = await fiveAgents()
    await Promise.all([uva, rug].map(async ({ discovery }) => await discovery.announce()))
    expect(names(await asker.discovery.findDataset('onlyRUG'))).to.deep.equal(['RUG'])
    const gone = event<{ peer: string }>(asker.network, 'peer:gone', ({ peer }) => peer === rug.peer)
    await bazaar.leave(rug)
    await gone
    expect(await asker.discovery.findDataset('onlyRUG')).to.deep.equal([])
    expect(names(await asker.discovery.findDataset('wageGap'))).to.not.include('RUG')
  })

  it('finds a dataset that was added at the next request, also where its absence was remembered', async () => {
    const { vu, asker } = await fiveAgents()
    await asker.discovery.findMembers()
    expect(await asker.discovery.findDataset('fresh')).to.deep.equal([])
    const heard = event<{ capability: number }>(
      asker.network,
      'peer:changed',
      ({ capability }) => capability === 2
    )
    await vu.change({ datasets: ['fresh'] })
    await heard
    expect(names(await asker.discovery.findDataset('fresh'))).to.deep.equal(['VU'])
    expect(names(await asker.discovery.findDataset('onlyVU'))).to.deep.equal([])
  })

  it('shows a dataset of parties to the parties only, and hides it exactly like an absent one', async () => {
    const { surf, uva, asker } = await fiveAgents()
    const amc = await bazaar.start(
      'AMC',
      { datasets: ['open'], hidden: { secret: ['Asker'] } },
      { bootstrap: surf.network.addresses }
    )
    await connectedTo(amc, 1)
    await amc.discovery.announce()
    expect(names(await asker.discovery.findDataset('open'))).to.deep.equal(['AMC'])
    expect(names(await asker.discovery.findDataset('secret'))).to.deep.equal(['AMC'])
    expect(await uva.discovery.findDataset('secret')).to.deep.equal([])
    expect((await uva.discovery.describe(amc.peer)).payload.datasets.map(({ id }) => id)).to.deep.equal([
      'open'
    ])
    expect(names(await amc.discovery.findDataset('secret'))).to.deep.equal(['AMC'])
  })

  it('does not describe what the last word hides, whatever the capability says', async () => {
    const { asker, vu } = await fiveAgents()
    await asker.network.dial(vu.peer, vu.network.addresses)
    await vu.change({ datasets: ['fine'] })
    expect((await asker.discovery.describe(vu.peer)).payload.datasets).to.have.length(1)
    expect(
      await thrownBy(asker.discovery.describe('12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf'))
    ).to.have.property('code', 'peer-unreachable')
  })
})
