import { expect } from 'chai'
import { forgetOld } from '../../agent/decisions/index.ts'
import { anAgreement, DAY, NOW } from '../policy/builders.ts'
import { stateFolder } from '../store/folder.ts'

describe('what is forgotten', () => {
  const state = stateFolder()
  const nonce = new Uint8Array(16)
  const clock = { now: () => NOW }

  it('are nonces of requests that are over, and no others', async () => {
    const store = await state.open()
    await store.nonces.claim('over', nonce, 'a', NOW - 1)
    await store.nonces.claim('open', nonce, 'a', NOW)
    await forgetOld({ store, agreements: { inForce: () => [] }, clock, keep: 1e9 })
    expect(await store.nonces.claim('over', nonce, 'b', NOW)).to.equal(true)
    expect(await store.nonces.claim('open', nonce, 'b', NOW)).to.equal(false)
  })

  it('are uses of data outside every window', async () => {
    const store = await state.open()
    const at = (days: number) => ({
      dataset: 'd',
      requester: 'UVA',
      usedFor: `${days}`,
      at: NOW - days * DAY
    })
    for (const days of [10, 500, 1500]) await store.quota.reserve(at(days), { requests: 10, per: DAY * 9999 })
    const agreement = anAgreement({ limits: { requests: 1, per: 1000 * DAY } })
    await forgetOld({ store, agreements: { inForce: () => [agreement] }, clock, keep: 1e9 })
    expect(await store.quota.count('d', 'UVA', 0)).to.equal(2)
    await forgetOld({ store, agreements: { inForce: () => [] }, clock, keep: 1e9 })
    expect(await store.quota.count('d', 'UVA', 0)).to.equal(1)
  })
})
