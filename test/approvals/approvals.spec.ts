import { expect } from 'chai'
import { Approvals, MAX_PENDING } from '../../agent/approvals/index.ts'
import { entriesOfRequest } from '../../agent/audit/index.ts'
import type { Store } from '../../agent/store/index.ts'
import type { Terms } from '../../protocol/documents/index.ts'
import { codeOf } from '../../protocol/errors/index.ts'
import { aRequest, RUG, UVA } from '../negotiation/documents.ts'
import { anAgreement } from '../policy/builders.ts'
import { rejectionOf, stateFolder } from '../store/folder.ts'

const HOUR = 3_600_000
const STEWARD = 'steward@vu.nl'

type Clause = NonNullable<Terms['approval']>

describe('approvals of one organisation', () => {
  const state = stateFolder()
  let store: Store
  let now: number
  let decided: string[]
  let over: Set<string>

  beforeEach(async () => {
    store = await state.open()
    now = Date.UTC(2026, 5, 1, 12)
    decided = []
    over = new Set()
  })

  const under = (clause: Partial<Clause> = {}) => {
    const approval: Clause = { by: [STEWARD], when: 'always', within: HOUR / 2, ...clause }
    const agreement = anAgreement({ approval })
    const approvals = new Approvals({
      store,
      agreements: { get: (id) => (id === agreement.id ? agreement : undefined) },
      clock: { now: () => now },
      speaksFor: (user) => user.endsWith('@vu.nl'),
      isOpen: (request) => !over.has(request),
      decided: (request) => decided.push(request)
    })
    const asks = async (by = UVA, changes: Parameters<typeof aRequest>[0] = {}) => {
      const dossier = await (await aRequest(changes, by)).dossier('VU')
      const awaited = await approvals.ask(dossier, [agreement])
      const stands = async () => (await approvals.of(dossier.request, [agreement]))[agreement.id]?.state
      return { id: dossier.request.id, dossier, awaited, stands }
    }
    return { approvals, agreement, asks }
  }

  it('wait for as long as the agreement says, and no longer than the request lasts', async () => {
    expect((await under().asks()).awaited).to.deep.equal({ until: now + HOUR / 2, by: [STEWARD] })
    const { awaited, dossier } = await under({ within: 9 * HOUR }).asks()
    expect(awaited?.until).to.equal(dossier.request.payload.expires)
  })

  it('are asked for once, and stand as they were decided', async () => {
    const { approvals, agreement, asks } = under()
    const { id, dossier, awaited, stands } = await asks()
    expect(await stands()).to.equal('pending')
    now += 1000
    expect(await approvals.ask(dossier, [agreement])).to.deep.equal(awaited)
    expect(await approvals.approve(id, STEWARD)).to.include({ state: 'approved', request: id })
    expect(decided).to.deep.equal([id])
    expect(await stands()).to.equal('approved')
    await approvals.refuse(id, STEWARD, 'changed my mind')
    expect(await approvals.of(dossier.request, [agreement])).to.deep.equal({
      [agreement.id]: { state: 'refused', reason: 'changed my mind' }
    })
    const fields = (await entriesOfRequest(store, id)).map(({ entry }) => entry.fields)
    expect(fields).to.deep.equal([
      { state: 'asked', agreement: 'wage-gap' },
      { state: 'approved', agreement: 'wage-gap', by: STEWARD },
      { state: 'refused', agreement: 'wage-gap', by: STEWARD }
    ])
  })

  it('cover the request that was approved, and no other', async () => {
    const { approvals, asks } = under()
    const { id } = await asks()
    await approvals.approve(id, STEWARD)
    expect(await (await asks()).stands()).to.equal('pending')
  })

  it('cover others of the same kind where the first time is enough, even such as wait', async () => {
    const { approvals, asks } = under({ when: 'firstTime' })
    const first = await asks()
    const second = await asks()
    const other = await asks(UVA, { purpose: 'policy' })
    await approvals.approve(first.id, STEWARD)
    expect(await second.stands()).to.equal('approved')
    expect(await other.stands()).to.equal('pending')
    const beside = await asks(UVA, { datasets: ['wageGap', 'leave'] })
    expect(await beside.stands(), 'joined with what nobody was shown').to.equal('pending')
    await approvals.approve(beside.id, STEWARD)
    expect(await (await asks(UVA, { datasets: ['leave', 'wageGap'] })).stands()).to.equal('approved')
    await approvals.refuse(first.id, STEWARD, 'no')
    expect(await second.stands()).to.equal('pending')
  })

  it('are asked for under each agreement, and given under all that this user may decide by', async () => {
    const { agreement: one } = under()
    const approval: Clause = { by: ['dpo@vu.nl', STEWARD], when: 'always', within: HOUR / 4 }
    const two = anAgreement({ approval, valid: { from: 1, until: now + HOUR } })
    const alone: Clause = { by: ['board@vu.nl'], when: 'always', within: HOUR }
    const three = anAgreement({ approval: alone, valid: { from: 2, until: now + HOUR } })
    const all = [one, two, three]
    const approvals = new Approvals({
      store,
      agreements: { get: (id) => all.find((agreement) => agreement.id === id) },
      clock: { now: () => now },
      speaksFor: () => true,
      isOpen: () => true,
      decided: (request) => decided.push(request)
    })
    const dossier = await (await aRequest({}, UVA)).dossier('VU')
    const stands = async () => {
      const found = await approvals.of(dossier.request, all)
      return all.map(({ id }) => found[id]?.state)
    }
    const awaited = await approvals.ask(dossier, all)
    expect(awaited).to.deep.equal({ until: now + HOUR / 4, by: [STEWARD, 'dpo@vu.nl', 'board@vu.nl'] })
    expect(await approvals.list(STEWARD)).to.have.length(2)
    expect((await approvals.approve(dossier.request.id, STEWARD)).also).to.have.length(1)
    expect(await stands()).to.deep.equal(['approved', 'approved', 'pending'])
    expect(codeOf(await rejectionOf(approvals.approve(dossier.request.id, STEWARD)))).to.equal(
      'already-ended'
    )
    expect(await approvals.ask(dossier, [three])).to.deep.equal({ until: now + HOUR, by: ['board@vu.nl'] })
    await approvals.approve(dossier.request.id, 'board@vu.nl')
    expect(await stands()).to.deep.equal(['approved', 'approved', 'approved'])
    expect(decided).to.have.length(2)
  })

  it('run out', async () => {
    const { approvals, asks } = under()
    const { id, stands } = await asks()
    now += HOUR / 2
    expect(await stands()).to.equal('expired')
    expect(await approvals.list(STEWARD)).to.deep.equal([])
    for (const late of [approvals.approve(id, STEWARD), approvals.refuse(id, STEWARD, 'no')])
      expect(codeOf(await rejectionOf(late))).to.equal('already-ended')
    await approvals.withdraw(id)
    expect(await stands(), 'and are not given a second time').to.equal('expired')
  })

  it('are shown to those who may decide alone, and decided by nobody else', async () => {
    const { approvals, asks } = under({ by: ['dpo@vu.nl', STEWARD] })
    const { id } = await asks()
    expect(await approvals.list('analyst@vu.nl')).to.deep.equal([])
    expect((await approvals.list('DPO@vu.nl')).map((one) => one.query)).to.deep.equal([
      'SELECT wage FROM person'
    ])
    for (const decision of [approvals.approve(id, 'x@vu.nl'), approvals.refuse(id, 'x@vu.nl', 'no')])
      expect(codeOf(await rejectionOf(decision))).to.equal('not-an-approver')
    expect(codeOf(await rejectionOf(approvals.approve('bafynone', STEWARD)))).to.equal('not-found')
  })

  it('are the steward’s token’s where the agent speaks for nobody and the agreement names its steward', async () => {
    await under().asks()
    expect(await under().approvals.list('steward')).to.deep.equal([])
    const own = under()
    await own.asks()
    expect(await own.approvals.list('steward')).to.have.length(1)
    for (const by of [['dpo@vu.nl'], ['steward@uva.nl']]) {
      const other = under({ by })
      await other.asks()
      expect(await other.approvals.list('steward')).to.deep.equal([])
    }
  })

  it('are asked for only so often by one organisation at a time', async () => {
    const { approvals, asks } = under()
    const first = await asks()
    for (let asked = 1; asked < MAX_PENDING; asked += 1) await asks()
    expect((await asks()).awaited).to.equal(null)
    expect((await asks(RUG)).awaited).not.to.equal(null)
    await approvals.withdraw(first.id)
    expect((await asks()).awaited).not.to.equal(null)
  })

  it('are let go of when the request is over, also when that was missed', async () => {
    const { approvals, asks } = under()
    const one = await asks()
    const other = await asks()
    over.add(one.id)
    expect(codeOf(await rejectionOf(approvals.approve(one.id, STEWARD)))).to.equal('already-ended')
    over.add(other.id)
    await approvals.sweep()
    expect(await approvals.list(STEWARD)).to.deep.equal([])
    expect(await other.stands()).to.equal('missing')
  })
})
