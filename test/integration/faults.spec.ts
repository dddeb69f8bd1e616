import { expect } from 'chai'
import { Market } from './harness.ts'
import {
  averages,
  ENDLESS,
  JOINED,
  provider,
  SURF,
  UVA,
  wageAgreement,
  wageDataset,
  wageRequest,
  wages
} from './wages.ts'

const VU = wages(1, 60)
const RUG = wages(101, 60)
/** Some seconds, and then the same as JOINED. */
const SLOW = `${JOINED} WHERE NOT EXISTS (SELECT 1 FROM person a, person b, person c, person d, person e WHERE a.id + b.id + c.id + d.id + e.id < 0)`

describe('When something fails', function () {
  this.timeout(120_000)
  let market: Market

  before(async () => {
    market = await Market.open(
      [
        UVA,
        SURF,
        { ...SURF, name: 'SARA' },
        provider('VU', VU),
        provider('RUG', RUG),
        provider('TUD', wages(201, 60), {
          datasets: [wageDataset('short', wages(201, 60))],
          more: { hosting: { perJob: { seconds: 2, memory: '1GiB', disk: '1GiB' } } }
        })
      ],
      { apart: ['RUG', 'SARA'] }
    )
    await market.agent('TUD').sign(wageAgreement('TUD', { dataset: 'short' }))
    for (const name of ['VU', 'RUG'])
      await market.agent(name).sign(wageAgreement(name, { computeProviders: ['SURF', 'SARA'] }))
  })
  after(async () => await market?.closeClean())

  const uva = () => market.agent('UVA')
  const rug = () => market.agent('RUG')
  const running = async (request: Record<string, unknown>) => {
    const id = await uva().submit(wageRequest(request))
    await uva().until(id, (event) => event.status === 'running')
    return id
  }
  /** Everybody is as before, and a request goes through. */
  const allIsWell = async () => {
    await market.untilAllSee()
    const view = await uva().ask(wageRequest({ providers: ['VU', 'RUG'] }))
    expect(view.status, JSON.stringify([view.refusals, view.error])).to.equal('completed')
    expect(view.results?.[0]?.rows).to.deep.equal(averages(VU, RUG))
  }

  it('a query that never ends is killed by the limit of its hop', async () => {
    const view = await uva().ask(wageRequest({ datasets: ['short'], query: ENDLESS }))
    expect(view.status).to.equal('failed')
    expect(view.error).to.include({ code: 'job-timeout', hop: 'TUD' })
  })

  it('a request whose deadline passes is timed out, at every party', async () => {
    const view = await uva().ask(wageRequest({ providers: ['RUG'], query: ENDLESS, deadline: 'PT3S' }))
    expect(view.status).to.equal('timed-out')
    await allIsWell()
  })

  it('a request that is cancelled while it runs ends cancelled, and its jobs are killed', async () => {
    for (const archetype of ['computeToData', 'dataThroughTtp']) {
      const id = await running({ providers: ['RUG'], query: ENDLESS, archetype })
      await uva().cancel(id)
      const view = await uva().outcome(id)
      expect(view.status, archetype).to.equal('cancelled')
      expect(view.results).to.equal(undefined)
    }
    await allIsWell()
  })

  it('a request that is cancelled before it runs ends cancelled', async () => {
    const id = await uva().submit(wageRequest({ providers: ['VU', 'RUG'] }))
    await uva().cancel(id)
    expect((await uva().outcome(id)).status).to.equal('cancelled')
    await allIsWell()
  })

  it('a provider that is killed while it runs is left out where the others are enough', async () => {
    const id = await running({ query: SLOW, require: 'available' })
    await rug().signal('SIGKILL')
    const view = await uva().outcome(id)
    expect(view.status, JSON.stringify([view.refusals, view.error])).to.equal('completed')
    expect(view.results?.[0]).to.deep.include({ from: ['VU'], rows: averages(VU) })
    expect(view.missing).to.deep.equal(['RUG'])
    expect(view.notes.join()).to.match(/planned 2 times/)
  })

  it('a provider that is not there is missing, or refuses the request that requires it', async () => {
    const view = await uva().ask(wageRequest({ require: 'available' }))
    expect(view.status).to.equal('completed')
    expect(view.results?.[0]?.rows).to.deep.equal(averages(VU))
    const named = await uva().ask(wageRequest({ providers: ['VU', 'RUG'], require: 'available' }))
    expect(named).to.deep.include({ status: 'completed', missing: ['RUG'] })
    const refused = await uva().ask(wageRequest({ providers: ['VU', 'RUG'] }))
    expect(refused.status).to.equal('refused')
    expect(refused.refusals?.[0]).to.include({ hop: 'RUG', code: 'provider-missing' })
  })

  it('a provider that was killed starts again with nothing left of what it ran', async () => {
    await rug().spawn()
    expect(await rug().dataLeft()).to.deep.equal([])
    await allIsWell()
  })

  it('a provider that is killed while it runs fails the request that requires it, by name', async () => {
    const id = await running({ providers: ['VU', 'RUG'], query: SLOW })
    await rug().signal('SIGKILL')
    const view = await uva().outcome(id)
    expect(view.status).to.be.oneOf(['failed', 'refused'])
    expect(JSON.stringify([view.error, view.refusals]))
      .to.match(/party-lost|peer-unreachable/)
      .and.match(/RUG/)
    await rug().spawn()
    await allIsWell()
  })

  it('a provider that falls silent while it runs is named when the deadline passes', async () => {
    const id = await running({ providers: ['RUG'], query: SLOW, deadline: 'PT6S' })
    await rug().signal('SIGSTOP')
    const view = await uva().outcome(id)
    await rug().signal('SIGCONT')
    expect(view.status).to.equal('timed-out')
    expect(view.error?.hop).to.equal('RUG')
    await allIsWell()
  })

  it('a hop that never answers is named within its time, and the others are asked in the meantime', async () => {
    await rug().signal('SIGSTOP')
    const view = await uva().ask(wageRequest({ providers: ['VU', 'RUG'], require: 'available' }))
    const refused = await uva().ask(wageRequest({ providers: ['RUG'] }))
    await rug().signal('SIGCONT')
    expect(view.status).to.equal('completed')
    expect(view.missing).to.deep.equal(['RUG'])
    expect(refused.status).to.equal('refused')
    expect(refused.refusals?.[0]).to.include({ hop: 'RUG' })
    await allIsWell()
  })

  it('a compute provider that is killed while it runs is replaced by another one', async () => {
    const through = wageRequest({
      providers: ['VU', 'RUG'],
      archetype: 'dataThroughTtp',
      query: SLOW,
      optimise: { load: 1 }
    })
    const id = await uva().submit(through)
    await uva().until(id, (event) => event.status === 'running')
    const chosen = (await uva().view(id)).chain.at(-1)?.at ?? ''
    expect(chosen).to.be.oneOf(['SURF', 'SARA'])
    if (chosen === 'SARA') await market.agent('SARA').signal('SIGKILL')
    else await market.agent('SURF').stop(0)
    const view = await uva().outcome(id)
    expect(view.status, JSON.stringify([view.refusals, view.error, view.notes])).to.equal('completed')
    expect(view.results?.[0]?.rows).to.deep.equal(averages(VU, RUG))
    expect(view.chain.at(-1)?.at).to.be.oneOf(['SURF', 'SARA']).and.not.equal(chosen)
    await market.agent(chosen).start()
    await market.untilAllSee()
  })

  it('a compute provider that is not there is not planned with', async () => {
    await market.agent('SARA').stop()
    const view = await uva().ask(wageRequest({ providers: ['VU', 'RUG'], archetype: 'dataThroughTtp' }))
    expect(view.status).to.equal('completed')
    expect(view.chain.at(-1)?.at).to.equal('SURF')
  })
})
