import { expect } from 'chai'
import {
  type AgreementView,
  agreementView,
  type StandingOfferView,
  standingOfferList,
  standingOfferView
} from '../../agent/api/index.ts'
import { AgentSaysNo } from '../../agent/client/index.ts'
import { rejectionOf } from '../store/folder.ts'
import { Market, type TestAgent } from './harness.ts'
import { provider, SURF, UVA, wageAgreement, wageRequest, wages } from './wages.ts'

const VU = wages(1, 60)

describe('Standing offers between running agents', function () {
  this.timeout(120_000)
  let market: Market

  before(async () => {
    const rug = { name: 'RUG', users: ['analyst@rug.nl'] }
    market = await Market.prepare([SURF, UVA, rug, provider('VU', VU)])
    for (const { name } of market.agents) await market.agent(name).start()
    await market.untilAllSee()
  })
  after(async () => await market?.closeClean())

  const uva = () => market.agent('UVA')
  const vu = () => market.agent('VU')
  const anOffer = (more: object) => {
    const clauses = wageAgreement('VU', { agreement: 'open', standing: { takers: '*' }, ...more })
    return Object.fromEntries(Object.entries(clauses).filter(([clause]) => clause !== 'consumers'))
  }
  const publish = async (more: object = {}): Promise<StandingOfferView> =>
    await vu().client.post(
      '/api/v1/standing-offers',
      { json: { text: JSON.stringify(anOffer(more)) } },
      standingOfferView
    )
  const take = async (agent: TestAgent, name = 'open'): Promise<AgreementView> =>
    await agent.client.post('/api/v1/standing-offers/take', { json: { name, from: 'VU' } }, agreementView)
  const codeOf = async (promise: Promise<unknown>) => {
    const error = await rejectionOf(promise)
    expect(error).to.be.instanceOf(AgentSaysNo)
    return error instanceof AgentSaysNo ? error.code : ''
  }

  it('are found and taken by members, and requests run under what was taken, until it is revoked', async () => {
    await publish()
    const { offers, unreached } = await uva().client.get('/api/v1/standing-offers', standingOfferList)
    expect(offers.map(({ name, provider: from, state }) => [name, from, state])).to.deep.equal([
      ['open', 'VU', 'published']
    ])
    expect(unreached).to.deep.equal([])
    const [found] = offers
    expect(found).not.to.have.any.keys('takenBy', 'takers', 'max')
    const shown = await uva().client.get('/api/v1/standing-offers/open?from=VU', standingOfferView)
    expect(shown.plain?.join('\n')).to.include('any member may take it')

    expect((await uva().ask(wageRequest())).status).to.equal('refused')
    const taken = await take(uva())
    expect(taken).to.deep.include({ name: 'open.UVA', state: 'in-force', standing: 'open' })
    expect(taken.signedBy).to.deep.equal(['VU', 'UVA'])
    expect((await uva().ask(wageRequest())).status).to.equal('completed')
    const own = await vu().client.get('/api/v1/standing-offers/open', standingOfferView)
    expect(own.takenBy).to.deep.equal(['UVA'])

    await vu().client.post(
      '/api/v1/agreements/open.UVA/revoke',
      { json: { reason: 'misused' } },
      agreementView
    )
    expect((await uva().ask(wageRequest())).status).to.equal('refused')
    expect((await take(uva())).state).to.equal('proposed')
  })

  it('outlast a restart of their provider, and are taken by nobody once withdrawn', async () => {
    await publish({ agreement: 'lasting' })
    await vu().stop()
    await vu().start()
    await market.untilAllSee()
    expect((await take(market.agent('RUG'), 'lasting')).state).to.equal('in-force')
    await vu().client.post('/api/v1/standing-offers/lasting/withdraw', { json: {} }, standingOfferView)
    expect(await codeOf(take(uva(), 'lasting'))).to.equal('not-found')
    expect((await market.agent('RUG').agreements()).map(({ state }) => state)).to.include('in-force')
  })

  it('are shown to whom they are for', async () => {
    await publish({ agreement: 'closed', standing: { takers: ['RUG'] } })
    const listed = async (agent: TestAgent) =>
      (await agent.client.get('/api/v1/standing-offers?from=VU', standingOfferList)).offers.map(
        ({ name }) => name
      )
    expect(await listed(market.agent('RUG'))).to.include('closed')
    expect(await listed(uva())).not.to.include('closed')
    expect(await codeOf(take(uva(), 'closed'))).to.equal('not-found')
  })
})
