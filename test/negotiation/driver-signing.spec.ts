import { expect } from 'chai'
import { readLog } from '../../agent/audit/index.ts'
import { openDocument } from '../../protocol/documents/index.ts'
import { startedAtRecipient } from './conversations.ts'
import { aContract, aRequest, RUG, UVA } from './documents.ts'
import { Driver } from './driver.ts'

describe('A signature', () => {
  let driver: Driver

  beforeEach(async () => {
    driver = await Driver.open(RUG)
  })
  afterEach(async () => await driver.close())

  it('counts for nothing when the transaction it was made in fails', async () => {
    const { asked, contracted } = await startedAtRecipient(driver)
    const { dossier } = driver.exchange(asked.request.id)
    const before = driver.changes.length
    driver.failCommits = 1
    driver.shares.get(contracted.contract.id)?.resolve()
    await driver.until(() => driver.failCommits === 0)
    await driver.exchange(asked.request.id).take(UVA.peer, {
      kind: 'cancel',
      result: 'cancelled',
      code: 'cancelled',
      hop: null
    })
    expect(driver.changes.length).to.be.greaterThan(before)
    const outcome = dossier.outcomes.get(RUG.peer)
    expect(outcome?.payload.result).to.equal('cancelled')
    const [last] = (await readLog(driver.store, { limit: 1000 })).slice(-1)
    expect(outcome?.payload.log).to.deep.equal({ sequence: last?.sequence, head: last?.head })
    expect([...dossier.contract(contracted.contract.id).receipts.keys()]).to.deep.equal([])
  })

  it('is sent as the machine says it', async () => {
    const { asked, contracted } = await startedAtRecipient(driver)
    driver.failCommits = 1
    driver.shares.get(contracted.contract.id)?.resolve()
    await driver.until(() => driver.failCommits === 0)
    const answers = await driver.receive(UVA, {
      kind: 'cancel',
      request: asked.request.id,
      result: 'cancelled',
      code: 'cancelled',
      hop: null
    })
    const told = await Promise.all(
      answers.flatMap((one) => (one.kind === 'outcome' ? [openDocument('outcome', one.outcome)] : []))
    )
    expect(told.map((one) => one.payload.result)).to.deep.equal(['cancelled'])
  })

  it('of an acceptance that could not be stored is not given out', async () => {
    const asked = await aRequest({ recipients: ['RUG'] })
    await driver.receive(UVA, { ...asked.wire, query: null })
    const { contract, propose } = await aContract(asked.request, { offers: new Map(), recipient: RUG })
    // The reservation is stored, the acceptance is not.
    let commits = 0
    driver.dieWhen = async () => {
      commits += 1
      if (commits === 1) driver.failCommits = 1
      return false
    }
    const answers = await driver.receive(UVA, propose(RUG))
    expect(answers.map((one) => one.kind)).to.deep.equal(['decline'])
    const { acceptances, declines } = driver.exchange(asked.request.id).dossier.contract(contract.id)
    expect([...acceptances.keys()]).to.deep.equal([])
    expect([...declines.keys()]).to.deep.equal([RUG.peer])
  })
})
