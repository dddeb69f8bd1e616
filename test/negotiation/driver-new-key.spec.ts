import { expect } from 'chai'
import { startedAtRecipient, startedAtRequester } from './conversations.ts'
import { aParty, RUG, UVA } from './documents.ts'
import { Driver } from './driver.ts'

describe('An agent that comes up again with a new key', () => {
  let driver: Driver

  afterEach(async () => await driver.close())

  it('has nothing left of what it promised under the one before', async () => {
    driver = await Driver.open(RUG)
    const { asked } = await startedAtRecipient(driver)
    const request = asked.request.id
    await driver.crash(await aParty('RUG, new key'))
    expect(driver.exchanges.get(request)).to.equal(undefined)
    const row = await driver.store.exchanges.get(request, 'hop')
    const { reservations } = JSON.parse(new TextDecoder().decode(row?.state))
    expect(reservations.map(({ state }: { state: string }) => state)).to.deep.equal(['spent'])
    expect(driver.released.map(({ spent }) => spent)).to.deep.equal([true])
    expect(await driver.store.exchanges.open()).to.deep.equal([])
    expect([driver.warnings, driver.errors]).to.deep.equal([1, 0])
  })

  it('coordinates no request that the one before had signed', async () => {
    driver = await Driver.open(UVA)
    const { request } = await startedAtRequester(driver)
    await driver.crash(await aParty('UVA, new key'))
    const sent = driver.posts.length
    expect(driver.exchanges.get(request)).to.equal(undefined)
    expect(await driver.store.exchanges.open()).to.deep.equal([])
    expect(driver.posts).to.have.length(sent)
  })
})
