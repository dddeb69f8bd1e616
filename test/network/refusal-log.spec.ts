import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect } from 'chai'
import { readLog } from '../../agent/audit/index.ts'
import { RefusalLog } from '../../agent/daemon/refusal-log.ts'
import { systemClock } from '../../agent/network/index.ts'
import { openStore, type Store } from '../../agent/store/index.ts'

const ignore = () => undefined
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore }

describe('The record of whom the network refused', () => {
  let folder = ''
  let store: Store
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'refused-'))
    store = await openStore(join(folder, 'state.sqlite'), { synchronous: 'NORMAL' })
  })
  afterEach(async () => {
    await store.close()
    await rm(folder, { recursive: true })
  })

  it('has what a member proved against itself, however many strangers come before', async () => {
    const refusals = new RefusalLog({ store, clock: systemClock, log })
    for (let stranger = 0; stranger < 1000; stranger++)
      refusals.note({ peer: `stranger ${stranger}`, protocol: '/dynamos/hello/1', code: 'not-member' })
    refusals.note({ peer: 'member', protocol: '/dynamos/describe/1', code: 'malformed-document', proof: [] })
    const peers = async () =>
      (await readLog(store, { limit: 500 })).flatMap(({ entry }) =>
        entry.kind === 'refusal' ? [entry.fields.peer] : []
      )
    while ((await peers()).length < 200) await setTimeout(20)
    await setTimeout(100)
    expect(await peers()).to.include('member')
  })
})
