import { expect } from 'chai'
import { z } from 'zod'
import { FINAL_STATUS, requestSummary } from '../../agent/api/index.ts'
import { readLog } from '../../agent/audit/index.ts'
import { Market } from './harness.ts'
import { averages, JOINED, provider, SURF, UVA, wageAgreement, wageRequest, wages } from './wages.ts'

const VU = wages(1, 60)
const RUG = wages(101, 60)
/** A second or more, and then the same as JOINED. */
const SLOW = `${JOINED} WHERE NOT EXISTS (SELECT 1 FROM person a, person b, person c, person d, person e WHERE a.id + b.id + c.id + d.id + e.id < 0)`

describe('An agent that starts again', function () {
  this.timeout(120_000)
  let market: Market

  before(async () => {
    market = await Market.open([SURF, UVA, provider('VU', VU), provider('RUG', RUG)], {
      apart: ['UVA', 'RUG']
    })
    for (const name of ['VU', 'RUG']) await market.agent(name).sign(wageAgreement(name))
  })
  after(async () => await market?.closeClean())

  const uva = () => market.agent('UVA')
  const rug = () => market.agent('RUG')
  const both = (changes: Record<string, unknown> = {}) =>
    wageRequest({ providers: ['VU', 'RUG'], ...changes })
  const reborn = async (name: string) => {
    await market.agent(name).signal('SIGKILL')
    await market.agent(name).spawn()
  }

  it('still has its requests, their results and its agreements', async () => {
    const before = await uva().ask(both())
    expect(before.status).to.equal('completed')
    const refused = await uva().ask(both({ purpose: 'marketing' }))
    const agreements = await uva().agreements()
    await reborn('UVA')
    const listed = await uva().client.get('/api/v1/requests', z.array(requestSummary))
    expect(listed.map((one) => [one.request, one.status])).to.have.deep.members([
      [before.request, 'completed'],
      [refused.request, 'refused']
    ])
    const after = await uva().view(before.request)
    expect(after.results).to.deep.equal(before.results)
    expect(after.decisions).to.deep.equal(before.decisions)
    expect(after.contract).to.equal(before.contract)
    expect((await uva().view(refused.request)).refusals).to.deep.equal(refused.refusals)
    expect(await uva().agreements()).to.deep.equal(agreements)
    await market.untilAllSee()
    expect((await uva().ask(both())).results?.[0]?.rows).to.deep.equal(averages(VU, RUG))
  })

  it('ends what it had asked for and was running, with a reason, and never runs it again', async () => {
    const id = await uva().submit(both({ query: SLOW }))
    await uva().until(id, (event) => event.status === 'running')
    await reborn('UVA')
    const view = await uva().outcome(id)
    expect(view.status).to.be.oneOf(['failed', 'completed'])
    if (view.status === 'failed') expect(view.error?.code).to.equal('restarted')
    await market.untilAllSee()
    expect((await uva().ask(both())).status).to.equal('completed')
  })

  it('ends what it had asked for and nobody had promised yet', async () => {
    await rug().signal('SIGSTOP')
    const id = await uva().submit(both())
    await reborn('UVA')
    await rug().signal('SIGCONT')
    const view = await uva().outcome(id)
    expect(view.status).to.be.oneOf(FINAL_STATUS)
    expect(view.status).not.to.equal('completed')
    await market.untilAllSee()
    expect((await uva().ask(both())).status).to.equal('completed')
  })

  it('says as a provider that its share is lost, so that the request ends or goes on without it', async () => {
    const id = await uva().submit(both({ query: SLOW, require: 'available' }))
    await uva().until(id, (event) => event.status === 'running')
    await reborn('RUG')
    const view = await uva().outcome(id)
    expect(view.status, JSON.stringify([view.error, view.refusals])).to.equal('completed')
    expect(view.missing).to.deep.equal(['RUG'])
    await market.untilAllSee()
    expect((await uva().ask(both())).results?.[0]?.rows).to.deep.equal(averages(VU, RUG))
  })

  it('finishes what runs when it is stopped in order', async () => {
    const id = await uva().submit(both({ query: SLOW }))
    await uva().until(id, (event) => event.status === 'running')
    await rug().stop()
    const view = await uva().outcome(id)
    await rug().spawn()
    await market.untilAllSee()
    expect(view.status, JSON.stringify(view.error)).to.equal('completed')
    expect(view.results?.[0]?.rows).to.deep.equal(averages(VU, RUG))
  })

  it('does not start beside itself', async () => {
    const error = await uva()
      .start()
      .then(
        () => expect.fail('it started'),
        (thrown: Error) => thrown
      )
    expect(error.name).to.equal('DirectoryInUse')
    expect((await uva().ask(both())).status).to.equal('completed')
  })

  it('logs what it decided about an offer that led to nothing', async () => {
    const refused = await uva().ask(both({ purpose: 'marketing' }))
    const vu = market.agent('VU')
    await vu.stop()
    const entries = await vu.withStore(async (store) => await readLog(store, { limit: 10_000 }))
    const about = entries.filter(({ entry }) => entry.request === refused.request)
    expect(about.map(({ entry }) => entry.kind)).to.include('decision')
    expect(JSON.stringify(about)).to.match(/purpose-not-permitted/)
    await vu.start()
  })
})
