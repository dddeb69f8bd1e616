import { expect } from 'chai'
import { acceptedAtProvider, startedAtRecipient } from './conversations.ts'
import { RUG, UVA, VU } from './documents.ts'
import { Driver } from './driver.ts'

describe('The slot of a contract', () => {
  let driver: Driver
  afterEach(async () => {
    await driver.close()
  })

  it('that was accepted is held again after a restart', async () => {
    driver = await Driver.open(VU)
    const { contracted } = await acceptedAtProvider(driver)
    expect(driver.held).to.deep.equal([])
    await driver.crash()
    expect(driver.held).to.deep.equal([contracted.contract.id])
  })

  it('that was running is held until its share is known to have failed', async () => {
    driver = await Driver.open(RUG)
    const { contracted } = await startedAtRecipient(driver)
    await driver.crash()
    await driver.until(() => driver.released.length > 0)
    expect(driver.held).to.deep.equal([contracted.contract.id])
    expect(driver.released.map((one) => one.contract)).to.deep.equal([contracted.contract.id])
  })

  it('that was given back is not', async () => {
    driver = await Driver.open(VU)
    const { asked, contracted } = await acceptedAtProvider(driver)
    const { id } = contracted.contract
    await driver.receive(UVA, { kind: 'abort', request: asked.request.id, contract: id, epoch: 1 })
    await driver.crash()
    expect(driver.held).to.deep.equal([])
  })
})
