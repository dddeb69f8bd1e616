import { expect } from 'chai'
import { z } from 'zod'
import { type AgreementView, agreementDiff, agreementView } from '../../agent/api/index.ts'
import { AgentSaysNo } from '../../agent/client/index.ts'
import { rejectionOf } from '../store/folder.ts'
import { Market, type TestAgent } from './harness.ts'
import { provider, SURF, UVA, wageAgreement, wageRequest, wages } from './wages.ts'

const VU = wages(1, 60)

describe('Agreements between running agents', function () {
  this.timeout(120_000)
  let market: Market

  before(async () => {
    const rule = {
      from: 'VU',
      dataset: 'wages',
      purposes: ['research'],
      archetypes: '*',
      algorithms: '*',
      tables: '*',
      computeProviders: '*',
      recipients: '*'
    }
    market = await Market.prepare([SURF, { ...UVA, more: { autoSign: [rule] } }, provider('VU', VU)])
    // In a lab agreements are signed by themselves; here people sign.
    market.agent('UVA').config.autoApprove = 'none'
    for (const { name } of market.agents) await market.agent(name).start()
    await market.untilAllSee()
  })
  after(async () => await market?.closeClean())

  const uva = () => market.agent('UVA')
  const vu = () => market.agent('VU')
  const propose = async (agent: TestAgent, agreement: object, counters?: string): Promise<AgreementView> =>
    await agent.client.post(
      '/api/v1/agreements/propose',
      { json: { text: JSON.stringify(agreement), ...(counters === undefined ? {} : { counters }) } },
      agreementView
    )
  const show = async (agent: TestAgent, name: string): Promise<AgreementView> =>
    await agent.client.get(`/api/v1/agreements/${name}`, agreementView)
  const act = async (agent: TestAgent, path: string, json: object): Promise<AgreementView> =>
    await agent.client.post(`/api/v1/agreements${path}`, { json }, agreementView)
  const until = async (agent: TestAgent, name: string, state: string): Promise<AgreementView> => {
    for (;;) {
      const view = (await agent.agreements()).find((one) => one.name === name || one.id === name)
      if (view?.state === state) return view
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  it('are signed by an agent where they keep to its rule, and wait for people where they do not', async () => {
    expect((await vu().sign(wageAgreement('VU', { agreement: 'kept' }))).state).to.equal('in-force')
    expect((await show(uva(), 'kept')).state).to.equal('in-force')
    const wider = await vu().sign(wageAgreement('VU', { agreement: 'wider', purposes: ['marketing'] }))
    expect(wider.state).to.equal('proposed')
    expect(wider.signedBy).to.deep.equal(['VU'])
    expect(await show(uva(), 'wider')).to.deep.include({ state: 'proposed', proposedBy: 'VU' })
  })

  it('are proposed by who wants to ask, countered, compared and refused', async () => {
    const first = await propose(uva(), wageAgreement('VU', { agreement: 'asked', purposes: ['x'] }))
    expect(first).to.deep.include({ state: 'proposed', proposedBy: 'UVA', signedBy: [] })
    const seen = await show(vu(), 'asked')
    expect(seen.text).to.include('agreement: asked')
    expect(seen.plain).to.include('Purposes: x.')
    const answer = await propose(vu(), wageAgreement('VU', { agreement: 'asked', purposes: ['y'] }), 'asked')
    expect(answer.counters).to.equal(first.id)
    expect((await show(uva(), first.id)).state).to.equal('countered')
    const diff = await uva().client.get('/api/v1/agreements/asked/diff', agreementDiff)
    expect(diff).to.deep.include({ before: first.id, after: answer.id })
    expect(diff.clauses).to.deep.equal([{ clause: 'purposes', before: '[x]', after: '[y]' }])
    await act(uva(), '/asked/refuse', { reason: 'then not' })
    const refused = await show(vu(), answer.id)
    expect(refused.state).to.equal('refused')
    expect(refused.refusals).to.deep.equal([{ organisation: 'UVA', reason: 'then not' }])
    const late = await rejectionOf(act(vu(), '', { name: 'asked' }))
    expect(late).to.be.instanceOf(AgentSaysNo)
    expect(late).to.have.property('code', 'already-ended')
  })

  it('reach a party that was away once it is back', async () => {
    await uva().stop()
    const view = await propose(vu(), wageAgreement('VU', { agreement: 'later', purposes: ['x'] }))
    expect(view.undelivered?.map(({ organisation }) => organisation)).to.deep.equal(['UVA'])
    await uva().start()
    await until(uva(), 'later', 'proposed')
  })

  it('end when they are revoked: nothing new runs under them', async () => {
    const { id } = await vu().sign(wageAgreement('VU', { agreement: 'kept' }))
    const asked = () => uva().ask(wageRequest({ providers: ['VU'], agreements: { VU: 'kept' } }))
    expect((await asked()).status).to.equal('completed')
    const revoked = await act(vu(), '/kept/revoke', { reason: 'the study is over' })
    expect(revoked.state).to.equal('revoked')
    const heard = await until(uva(), id, 'revoked')
    expect(heard.revocation).to.deep.include({ organisation: 'VU', reason: 'the study is over' })
    const view = await asked()
    expect(view.status).to.equal('refused')
    expect(view.refusals?.map(({ code }) => code)).to.include('no-agreement')
  })

  it('are what HTTP says they are, and what it refuses', async () => {
    const refusal = async (path: string, json: object) =>
      await rejectionOf(vu().client.post(`/api/v1/agreements${path}`, { json }, z.unknown()))
    expect(await refusal('/nothing/refuse', { reason: 'x' })).to.have.property('code', 'not-found')
    expect(await refusal('/nothing/revoke', { reason: 'x' })).to.have.property('code', 'not-found')
    expect(await refusal('/kept/refuse', { reason: ' ' })).to.have.property('code', 'bad-request')
    expect(await refusal('/kept/revoke', { reason: 'x', signed: 'AAAA' })).to.have.property(
      'code',
      'bad-request'
    )
    expect(await refusal('/propose', { text: 'purpsoes: [a]' })).to.have.property(
      'code',
      'agreement-malformed'
    )
    expect((await refusal('/propose', { text: 'purpsoes: [a]' })).message).to.include(
      'did you mean "purposes"'
    )
  })
})
