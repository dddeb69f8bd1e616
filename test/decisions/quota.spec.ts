import { expect } from 'chai'
import { reserveQuota } from '../../agent/decisions/quota.ts'
import type { Store } from '../../agent/store/index.ts'
import { stateFolder } from '../store/folder.ts'

const HOUR = 3_600_000
const AGREEMENTS = {
  ending: () => undefined,
  get: (id: string) =>
    ({
      wages: { payload: { terms: { limits: { requests: 50, per: HOUR } } } },
      leave: { payload: { terms: { limits: { requests: 30, per: HOUR } } } },
      open: { payload: { terms: {} } }
    })[id]
}
const useOf = (number: number, requester = 'UVA/analyst') => ({
  requester,
  usedFor: `request-${number}`,
  at: 1000 + number
})

describe('a quota', () => {
  const state = stateFolder()

  const reserve = async (
    store: Store,
    number: number,
    granting = [{ dataset: 'wages', agreement: 'wages' }]
  ): Promise<string | null> =>
    (await reserveQuota({ agreements: AGREEMENTS, store }, useOf(number), granting))?.code ?? null
  const all = async (count: number, ask: (number: number) => Promise<string | null>) =>
    await Promise.all(Array.from({ length: count }, async (_, number) => await ask(number)))
  const permitted = (answers: readonly (string | null)[]) => answers.filter((one) => one === null).length

  it('of 50 lets exactly 50 of 100 run that ask at once', async () => {
    const store = await state.open()
    const answers = await all(100, async (number) => await reserve(store, number))
    expect(permitted(answers)).to.equal(50)
    expect(answers.filter((one) => one === 'quota-exceeded')).to.have.length(50)
    expect(await store.quota.count('wages', 'UVA/analyst', 0)).to.equal(50)
  })

  it('counts a request once, however often its contracts are accepted at once', async () => {
    const store = await state.open()
    const answers = await all(100, async (number) => await reserve(store, number % 50))
    expect(permitted(answers)).to.equal(100)
    expect(await store.quota.count('wages', 'UVA/analyst', 0)).to.equal(50)
  })

  it('is as large as before once what came to nothing was given back, also while others ask', async () => {
    const store = await state.open()
    await all(50, async (number) => await reserve(store, number))
    const [answers] = await Promise.all([
      all(100, async (number) => await reserve(store, 100 + number)),
      all(20, async (number) => {
        await store.quota.release({ dataset: 'wages', ...useOf(number) })
        return null
      })
    ])
    expect(permitted(answers)).to.be.at.most(20)
    const later = await all(100, async (number) => await reserve(store, 300 + number))
    expect(permitted(answers) + permitted(later)).to.equal(20)
    expect(await store.quota.count('wages', 'UVA/analyst', 0)).to.equal(50)
  })

  it('of several datasets is used of all or of none', async () => {
    const store = await state.open()
    const both = [
      { dataset: 'wages', agreement: 'wages' },
      { dataset: 'leave', agreement: 'leave' }
    ]
    const answers = await all(100, async (number) => await reserve(store, number, both))
    expect(permitted(answers)).to.equal(30)
    expect(await store.quota.count('wages', 'UVA/analyst', 0)).to.equal(30)
    expect(await store.quota.count('leave', 'UVA/analyst', 0)).to.equal(30)
  })

  it('that no agreement sets lets all run', async () => {
    const store = await state.open()
    const open = [{ dataset: 'wages', agreement: 'open' }]
    expect(permitted(await all(100, async (number) => await reserve(store, number, open)))).to.equal(100)
  })
})
