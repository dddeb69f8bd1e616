import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type RequestView, requestView } from '../../agent/api/index.ts'
import { closeOrphans } from '../../agent/requests/orphans.ts'
import { openStore, type Store } from '../../agent/store/index.ts'

const VIEW: RequestView = {
  request: 'one',
  contract: null,
  status: 'discovering',
  archetype: null,
  missing: [],
  notes: [],
  chain: [],
  decisions: [],
  candidates: [],
  artifacts: [],
  receipts: [],
  timing: {},
  submitted: '2026-01-01T00:00:00.000Z',
  user: 'analyst@uva.nl'
}

describe('A request that the agent went down with', () => {
  let folder: string
  let store: Store

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dynamos-orphans-'))
    store = await openStore(join(folder, 'state.sqlite'))
    await store.requests.create({
      id: 'one',
      user: VIEW.user,
      status: 'discovering',
      submission: {},
      view: VIEW,
      at: 1
    })
  })

  afterEach(async () => {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })

  const close = async (goesOn: boolean): Promise<RequestView> => {
    await closeOrphans({
      store,
      results: { read: async () => undefined },
      clock: { now: () => 2 },
      goesOn: () => goesOn
    })
    return requestView.parse((await store.requests.get('one'))?.view)
  }

  it('ends as failed, with the reason, when nothing goes on with it', async () => {
    const view = await close(false)
    expect(view.status).to.equal('failed')
    expect(view.error?.code).to.equal('restarted')
    expect((await store.requests.get('one'))?.final).to.equal(true)
  })

  it('is left to the exchange that goes on with it', async () => {
    expect((await close(true)).status).to.equal('discovering')
    expect((await store.requests.get('one'))?.final).to.equal(false)
  })

  it('keeps an end that was written in the view but not yet in the row', async () => {
    for (const status of ['refused', 'completed'] as const) {
      const row = { user: VIEW.user, status, submission: {}, at: 1 }
      await store.requests.create({ ...row, id: status, view: { ...VIEW, request: status, status } })
    }
    await close(false)
    for (const status of ['refused', 'completed']) {
      const row = await store.requests.get(status)
      expect([row?.status, row?.final]).to.deep.equal([status, true])
      expect(requestView.parse(row?.view)).to.not.have.property('error')
    }
  })
})
