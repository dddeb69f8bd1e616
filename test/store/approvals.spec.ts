import { expect } from 'chai'
import { MIGRATIONS } from '../../agent/store/index.ts'
import { stateFolder } from './folder.ts'

const DAY = 86_400_000

function asked(request: string, changes: { agreement?: string; organisation?: string; until?: number } = {}) {
  return {
    request,
    agreement: 'bafyagreement',
    organisation: 'UVA',
    user: 'analyst@uva.nl',
    purpose: 'research',
    datasets: ['wages'],
    algorithm: 'average',
    sql: 'SELECT 1',
    parameters: { value: 'wage' },
    askedAt: 0,
    until: DAY,
    ...changes
  }
}

const of = (request: string) => ({ request, agreement: 'bafyagreement' })

describe('what people were asked to approve', () => {
  const state = stateFolder()

  it('is kept once for a request and an agreement, and anew once it was withdrawn', async () => {
    const { approvals } = await state.open()
    expect(await approvals.ask(asked('r'), 9)).to.equal('asked')
    expect(await approvals.ask(asked('r', { until: 9 * DAY }), 9)).to.equal('known')
    expect((await approvals.of('r')).map((one) => one.until)).to.deep.equal([DAY])
    expect(await approvals.withdraw('r', DAY), 'it ran out').to.equal(false)
    expect(await approvals.withdraw('r', 1)).to.equal(true)
    expect(await approvals.ask(asked('r'), 9)).to.equal('asked')
    await approvals.refuse(of('r'), 'steward', 'no', 1)
    expect(await approvals.ask(asked('r'), 9)).to.equal('known')
    expect(await approvals.ask(asked('r', { agreement: 'other' }), 9)).to.equal('asked')
    const both = (await approvals.of('r')).map(({ agreement, state }) => ({ agreement, state }))
    expect(both).to.deep.equal([
      { agreement: 'bafyagreement', state: 'refused' },
      { agreement: 'other', state: 'pending' }
    ])
    expect(await approvals.withdraw('r', 1, ['other']), 'somebody still has to').to.equal(false)
    expect(await approvals.withdraw('r', 1, ['bafyagreement'])).to.equal(true)
  })

  it('is decided once, and in time; an approval can be taken back', async () => {
    const { approvals } = await state.open()
    await approvals.ask(asked('r'), 9)
    expect(await approvals.approve(of('r'), 'steward', DAY), 'too late').to.equal(false)
    expect(await approvals.approve(of('r'), 'steward', 1)).to.equal(true)
    expect(await approvals.approve(of('r'), 'other', 2)).to.equal(false)
    expect(await approvals.withdraw('r', 2)).to.equal(false)
    expect(await approvals.refuse(of('r'), 'other', 'changed my mind', 2 * DAY)).to.equal(true)
    expect(await approvals.refuse(of('r'), 'other', 'again', 3)).to.equal(false)
    expect(await approvals.approve(of('r'), 'steward', 3)).to.equal(false)
    expect((await approvals.of('r'))[0]).to.include({
      state: 'refused',
      reason: 'changed my mind',
      decidedBy: 'other'
    })
  })

  it('waits in the order in which it runs out, and not for longer', async () => {
    const { approvals } = await state.open()
    for (const [request, until] of [
      ['late', 3],
      ['soon', 2],
      ['over', 1]
    ] as const)
      await approvals.ask(asked(request, { until }), 9)
    expect((await approvals.pending(1)).map((one) => one.request)).to.deep.equal(['soon', 'late'])
    const [first] = await approvals.pending(1)
    expect(first?.datasets).to.deep.equal(['wages'])
    expect(first?.parameters).to.deep.equal({ value: 'wage' })
  })

  it('is only so much of one organisation', async () => {
    const { approvals } = await state.open()
    for (const request of ['r1', 'r2']) await approvals.ask(asked(request), 2)
    expect(await approvals.ask(asked('r3'), 2)).to.equal('too-many')
    expect(await approvals.ask(asked('r3', { organisation: 'RUG' }), 2)).to.equal('asked')
    await approvals.approve(of('r1'), 'steward', 1)
    expect(await approvals.ask(asked('r4'), 2)).to.equal('asked')
  })

  it('covers others of its kind while it stands', async () => {
    const { approvals } = await state.open()
    const other = asked('other')
    await approvals.ask(asked('r'), 9)
    expect(await approvals.given(other), 'asked').to.equal(false)
    await approvals.approve(of('r'), 'steward', 1)
    expect(await approvals.given(other)).to.equal(true)
    for (const changed of [
      { agreement: 'a' },
      { organisation: 'RUG' },
      { user: 'x' },
      { purpose: 'x' },
      { algorithm: 'x' }
    ])
      expect(await approvals.given({ ...other, ...changed }), JSON.stringify(changed)).to.equal(false)
    await approvals.refuse(of('r'), 'steward', 'no', 2)
    expect(await approvals.given(other)).to.equal(false)
  })

  it('is forgotten some time after it ran out, unless it was approved and still counts', async () => {
    const store = await state.open()
    const { approvals, agreements } = store
    const agreement = {
      id: 'bafyagreement',
      name: 'a',
      provider: 'VU',
      dataset: 'wages',
      bytes: new Uint8Array(1)
    }
    await agreements.put({ ...agreement, state: 'draft', at: 0 })
    await agreements.enforce('bafyagreement', 0)
    await approvals.ask(asked('pending'), 9)
    await approvals.ask(asked('given'), 9)
    await approvals.approve(of('given'), 'steward', 1)
    expect(await approvals.prune(DAY)).to.equal(0)
    expect(await approvals.prune(2 * DAY)).to.equal(1)
    await agreements.setState('bafyagreement', 'superseded', 3)
    expect(await approvals.prune(2 * DAY)).to.equal(1)
  })

  it('can be kept by a state that an older version wrote', async () => {
    await (await state.open({ migrations: MIGRATIONS.slice(0, 5) })).close()
    const { approvals } = await state.open()
    expect(await approvals.ask(asked('r'), 9)).to.equal('asked')
  })

  it('stays as it was when a state that knew one agreement for each request is opened', async () => {
    const older = await state.open({ migrations: MIGRATIONS.slice(0, 6) })
    await older.approvals.ask(asked('r'), 9)
    await older.approvals.approve(of('r'), 'steward', 1)
    await older.close()
    const { approvals } = await state.open()
    expect((await approvals.of('r'))[0]).to.include({ state: 'approved', decidedBy: 'steward' })
    expect(await approvals.ask(asked('r', { agreement: 'other' }), 9)).to.equal('asked')
  })
})
