import { expect } from 'chai'
import { z } from 'zod'
import { type ApprovalView, approvalView } from '../../agent/api/index.ts'
import { entriesOfRequest } from '../../agent/audit/index.ts'
import { rejectionOf } from '../store/folder.ts'
import { Market } from './harness.ts'
import { averages, provider, SURF, UVA, wageAgreement, wageRequest, wages } from './wages.ts'

const VU = wages(1, 60)
const RUG = wages(101, 60)
const STEWARD = 'steward@vu.nl'

describe('A request that somebody has to approve', function () {
  this.timeout(120_000)
  let market: Market

  before(async () => {
    market = await Market.open([SURF, UVA, provider('VU', VU), provider('RUG', RUG)], {
      apart: ['UVA', 'VU']
    })
    await market.agent('RUG').sign(wageAgreement('RUG'))
    await agreed({ when: 'always' })
  })
  after(async () => await market?.closeClean())

  const uva = () => market.agent('UVA')
  const vu = () => market.agent('VU')
  const agreed = async (clause: Record<string, unknown>) =>
    await vu().sign(wageAgreement('VU', { approval: { by: [STEWARD], within: 'P3D', ...clause } }))
  const both = (changes: Record<string, unknown> = {}) =>
    wageRequest({ providers: ['VU', 'RUG'], ...changes })
  const waiting = async () => await vu().client.get('/api/v1/approvals', z.array(approvalView))
  const decide = async (
    request: string,
    how: 'approve' | 'refuse',
    body: object = {}
  ): Promise<ApprovalView> =>
    await vu().client.post(`/api/v1/approvals/${request}/${how}`, { json: body }, approvalView)
  const submitted = async (changes: Record<string, unknown> = {}) => {
    const id = await uva().submit(both(changes))
    const last = await uva().until(id, (event) => event.status === 'waiting' || event.phase === 'end')
    expect(last.status).to.equal('waiting')
    return id
  }
  const reborn = async (name: string) => {
    await market.agent(name).signal('SIGKILL')
    await market.agent(name).spawn()
    await market.untilAllSee()
  }

  it('waits, names who, and runs once it is approved', async () => {
    const id = await submitted()
    const view = await uva().view(id)
    expect(view.waiting).to.have.length(1)
    expect(view.waiting?.[0]).to.deep.include({ hop: 'VU', by: [STEWARD] })
    const [asked, ...others] = await waiting()
    expect(others).to.deep.equal([])
    expect(asked).to.deep.include({
      request: id,
      agreement: 'wages-vu',
      organisation: 'UVA',
      user: 'analyst@uva.nl',
      purpose: 'research',
      query: both().query,
      by: [STEWARD]
    })
    expect((await decide(id, 'approve')).state).to.equal('approved')
    const done = await uva().outcome(id)
    expect(done.status).to.equal('completed')
    expect(done.waiting).to.equal(undefined)
    expect(done.results?.[0]?.rows).to.deep.equal(averages(VU, RUG))
    const clauses = done.decisions.filter((one) => one.hop === 'VU').flatMap((one) => one.clauses)
    expect(clauses).to.include('wages-vu#approval')
    expect(await waiting()).to.deep.equal([])
  })

  it('is refused in the words of whoever refused it', async () => {
    const id = await submitted()
    await decide(id, 'refuse', { reason: 'ask the ethics board first' })
    const view = await uva().outcome(id)
    expect(view.status).to.equal('refused')
    const refusal = view.refusals?.find((one) => one.hop === 'VU')
    expect(refusal).to.include({ code: 'approval-refused', clause: 'wages-vu#approval' })
    expect(refusal?.reason).to.include('ask the ethics board first')
    const late = await rejectionOf(decide(id, 'approve'))
    expect(late.message).to.include('refused')
  })

  it('is not asked about any more once its asker has taken it back', async () => {
    const id = await submitted()
    await uva().cancel(id)
    expect((await uva().outcome(id)).status).to.equal('cancelled')
    while ((await waiting()).length > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(await rejectionOf(decide(id, 'approve'))).to.be.instanceOf(Error)
  })

  it('waits over restarts of both sides', async () => {
    const id = await submitted()
    await reborn('VU')
    expect((await waiting()).map((one) => one.request)).to.deep.equal([id])
    await reborn('UVA')
    expect((await uva().view(id)).status).to.equal('waiting')
    await decide(id, 'approve')
    const view = await uva().outcome(id)
    expect(view.status, JSON.stringify(view)).to.equal('completed')
    expect(view.results?.[0]?.rows).to.deep.equal(averages(VU, RUG))
  })

  it('is explained without asking anybody', async () => {
    const view = await uva().explain(both())
    expect(view.status).to.equal('completed')
    expect(view.notes.join('\n')).to.include(`${STEWARD} has to approve it first`)
    expect(await waiting()).to.deep.equal([])
  })

  it('is approved by nobody whom the agreement does not name', async () => {
    await vu().sign(wageAgreement('VU', { approval: { by: ['dpo@vu.nl'], when: 'always', within: 'P3D' } }))
    const id = await submitted()
    expect(await waiting()).to.deep.equal([])
    const error = await rejectionOf(decide(id, 'approve'))
    expect(error).to.have.property('code', 'not-an-approver')
    await uva().cancel(id)
    await uva().outcome(id)
  })

  it('ends when nobody decides in time', async () => {
    await agreed({ when: 'always', within: 'PT2S' })
    const id = await submitted()
    const view = await uva().outcome(id)
    expect(view.status).to.equal('refused')
    expect(view.refusals?.find((one) => one.hop === 'VU')).to.include({ code: 'approval-expired' })
  })

  it('is approved once for all of its kind, where the agreement asks for the first time only', async () => {
    await agreed({ when: 'firstTime' })
    const id = await submitted()
    await decide(id, 'approve')
    expect((await uva().outcome(id)).status).to.equal('completed')
    expect((await uva().ask(both())).status).to.equal('completed')
    const other = await submitted({ algorithm: 'table' })
    await decide(other, 'refuse', { reason: 'no tables' })
    expect((await uva().outcome(other)).status).to.equal('refused')
    await decide(id, 'refuse', { reason: 'not any more' })
    const again = await submitted()
    await uva().cancel(again)
    await uva().outcome(again)
  })

  it('is told in the log: asked, and who said what', async () => {
    const id = await submitted({ query: 'SELECT j.wage, p.gender FROM person p JOIN job j USING (id)' })
    await decide(id, 'approve')
    await uva().outcome(id)
    await vu().stop()
    const entries = await vu().withStore(async (store) => await entriesOfRequest(store, id))
    await vu().spawn()
    await market.untilAllSee()
    const said = entries.filter(({ entry }) => entry.kind === 'approval').map(({ entry }) => entry.fields)
    expect(said).to.deep.equal([
      { state: 'asked', agreement: 'wages-vu' },
      { state: 'approved', agreement: 'wages-vu', by: STEWARD }
    ])
  })
})
