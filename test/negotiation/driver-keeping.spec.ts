import { expect } from 'chai'
import { Dossier } from '../../agent/negotiation/index.ts'
import type { WireKind } from '../../protocol/messages/index.ts'
import { acceptedAtProvider, startedAtRecipient, startedAtRequester } from './conversations.ts'
import { aContract, anAcceptance, aRequest, aSignedReceipt, RUG, UVA, VU } from './documents.ts'
import { Driver } from './driver.ts'

describe('What an agent keeps', () => {
  let driver: Driver

  afterEach(async () => await driver.close())

  const kept = async (request: string, kind: WireKind): Promise<number> => {
    const entries = await driver.store.documents.ofRequest(request)
    return entries.filter(({ bytes }) => Dossier.parse(bytes).kind === kind).length
  }

  it('of starts is one acceptance of each party, however often and in what order they come', async () => {
    driver = await Driver.open(VU)
    const { asked, contracted, start } = await acceptedAtProvider(driver)
    if (start.kind !== 'start') throw new Error('expected a start')
    const again = await anAcceptance(contracted.contract, RUG, { startBy: 19_000 })
    const [own] = start.acceptances
    if (own === undefined) throw new Error('expected an acceptance')
    await driver.receive(RUG, { ...start, acceptances: [own, own] })
    for (const acceptances of [start.acceptances, start.acceptances.toReversed(), [own, again.bytes]])
      await driver.receive(RUG, { ...start, acceptances })
    await driver.until(() => driver.shares.has(contracted.contract.id))
    driver.shares.get(contracted.contract.id)?.resolve()
    await driver.until(async () => (await kept(asked.request.id, 'receipt')) > 0)
    expect(await kept(asked.request.id, 'start')).to.equal(0)
    expect(await kept(asked.request.id, 'acceptance')).to.equal(2)
  })

  it('of acceptances is the first of each party', async () => {
    driver = await Driver.open(UVA)
    const { request, contract } = await startedAtRequester(driver)
    const { contract: signed } = driver.exchange(request).dossier.contract(contract)
    for (const startBy of [1000, 2000, 3000])
      await driver.receive(VU, {
        kind: 'acceptance',
        acceptance: (await anAcceptance(signed, VU, { startBy })).bytes
      })
    driver.shares.get(contract)?.resolve()
    await driver.until(() => driver.exchange(request).ended)
    expect(await kept(request, 'acceptance')).to.equal(2)
  })

  it('includes a receipt that comes after the end', async () => {
    driver = await Driver.open(UVA)
    const { request, contract } = await startedAtRequester(driver)
    const { contract: signed } = driver.exchange(request).dossier.contract(contract)
    driver.shares.get(contract)?.resolve()
    await driver.until(() => driver.exchange(request).ended)
    const before = await kept(request, 'receipt')
    await driver.receive(VU, await aSignedReceipt(signed, VU))
    expect(await kept(request, 'receipt')).to.equal(before + 1)
  })

  it('includes the receipts of the chain alone', async () => {
    driver = await Driver.open(RUG)
    const { asked, contracted } = await startedAtRecipient(driver)
    const { contract } = contracted
    const { receipts } = driver.exchange(asked.request.id).dossier.contract(contract.id)
    const refused = async (overrides: Parameters<typeof aSignedReceipt>[2], by = VU): Promise<boolean> =>
      await driver.receive(by, await aSignedReceipt(contract, by, overrides)).then(
        () => false,
        () => true
      )
    expect(await refused({ step: 0, service: 'another' })).to.equal(true)
    expect(await refused({ step: 1, service: 'query' })).to.equal(true)
    expect(await refused({ step: 7 }, RUG)).to.equal(true)
    expect(await refused({ round: 1 })).to.equal(true)
    expect(receipts.size).to.equal(0)
    expect(await refused({})).to.equal(false)
    expect(receipts.size).to.equal(1)
  })

  it('includes a receipt for each output of a step', async () => {
    driver = await Driver.open(RUG)
    const asked = await aRequest({ recipients: ['RUG'] })
    await driver.receive(UVA, { ...asked.wire, query: null })
    const flows = [0, 1].map((flow) => ({ flow, from: VU.peer, to: RUG.peer, step: 1 }))
    const contracted = await aContract(asked.request, { offers: new Map(), recipient: RUG, flows })
    await driver.receive(UVA, contracted.propose(RUG))
    const { receipts } = driver.exchange(asked.request.id).dossier.contract(contracted.contract.id)
    for (const round of [0, 1]) {
      await driver.receive(VU, await aSignedReceipt(contracted.contract, VU, { round }))
    }
    expect([...receipts.values()].map((one) => one.payload.round)).to.deep.equal([0, 1])
  })
})
