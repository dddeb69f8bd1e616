import { expect } from 'chai'
import { z } from 'zod'
import { requestSummary } from '../../agent/api/index.ts'
import { rejectionOf } from '../store/folder.ts'
import { Market, type TestAgent } from './harness.ts'
import { averages, provider, SURF, UVA, wageAgreement, wageRequest, wages } from './wages.ts'

const VU = wages(1, 30)
const ALL = ['UVA', 'KNMI', 'TNO', 'CBS']

describe('A result for an organisation that did not ask', function () {
  this.timeout(180_000)
  let market: Market

  before(async () => {
    market = await Market.open(
      [
        SURF,
        UVA,
        provider('VU', VU),
        {
          name: 'KNMI',
          users: ['reader@knmi.nl'],
          more: { receive: { for: ['UVA'], purposes: ['research'] } }
        },
        { name: 'TNO', users: ['reader@tno.nl'] },
        { name: 'CBS', users: ['reader@cbs.nl'], more: { receive: { for: ['VU'], purposes: '*' } } }
      ],
      {
        // In a lab everything is approved by itself, the results of others too; here these say what they take.
        prepared: async ({ agents }) => {
          for (const { name, config } of agents)
            if (['KNMI', 'TNO', 'CBS'].includes(name)) config.autoApprove = 'none'
        }
      }
    )
    const purposes = ['research', 'press']
    await market.agent('VU').sign(wageAgreement('VU', { purposes, recipients: ALL }))
  })
  after(async () => await market?.closeClean())

  const ask = async (recipient: string, changes: Record<string, unknown> = {}) =>
    await market.agent('UVA').ask(wageRequest({ recipients: [recipient], providers: ['VU'], ...changes }))
  const listed = async (agent: TestAgent) =>
    await agent.client.get('/api/v1/requests', z.array(requestSummary))
  const resultAt = async (agent: TestAgent, id: string) =>
    await agent.client.get(`/api/v1/requests/${id}/result`, z.looseObject({ rows: z.array(z.unknown()) }))

  for (const archetype of ['computeToData', 'dataThroughTtp'])
    it(`reaches its people where it takes that (${archetype}), and the asker hears that it is there and no row`, async () => {
      const view = await ask('KNMI', { archetype })
      expect(view.status, JSON.stringify([view.refusals, view.error])).to.equal('completed')
      expect(view.results ?? []).to.deep.equal([])
      const knmi = market.agent('KNMI')
      expect((await listed(knmi)).map(({ request }) => request)).to.include(view.request)
      expect((await resultAt(knmi, view.request)).rows).to.deep.equal(averages(VU))
      const none = await rejectionOf(resultAt(market.agent('UVA'), view.request))
      expect(JSON.stringify(none)).not.to.contain('gender')
    })

  const declined = async (recipient: string, changes: Record<string, unknown> = {}) => {
    const view = await ask(recipient, changes)
    expect(view.status, JSON.stringify(view)).to.equal('refused')
    const refusal = view.refusals?.find(({ hop }) => hop === recipient)
    expect(refusal, JSON.stringify(view.refusals)).to.include({ code: 'recipient-declines' })
    return refusal?.reason
  }

  it('is declined by an organisation that takes none, and the asker reads whose and why', async () => {
    expect(await declined('TNO')).to.equal(
      'TNO did not ask for this, and takes no results of UVA for research'
    )
    expect(await listed(market.agent('TNO'))).to.deep.equal([])
  })

  it('is declined for another purpose than those it takes', async () => {
    expect(await declined('KNMI', { purpose: 'press' })).to.contain('for press')
  })

  it('is declined when it is of another organisation than those it takes', async () => {
    expect(await declined('CBS')).to.contain('of UVA')
  })
})
