import { expect } from 'chai'
import { acceptedAtRecipient, resultsIn, startedAtRecipient, startedAtRequester } from './conversations.ts'
import { aRequest, EVE, RUG, UVA, VU } from './documents.ts'
import { Driver } from './driver.ts'

describe('An agent that comes up again', () => {
  let driver: Driver

  afterEach(async () => await driver.close())

  const stageOf = async (request: string, role: 'hop' | 'coordinator') => {
    const row = await driver.store.exchanges.get(request, role)
    return JSON.parse(new TextDecoder().decode(row?.state)).stage
  }

  it('ends its request when its own recipient had ended and the rest of it had not heard', async () => {
    driver = await Driver.open(UVA)
    const { request, contract } = await startedAtRequester(driver)
    driver.dieWhen = async () => (await stageOf(request, 'hop')).phase === 'ended'
    driver.shares.get(contract)?.resolve()
    await driver.until(() => driver.dead)
    expect((await stageOf(request, 'coordinator')).phase).to.equal('running')
    await driver.crash()
    await driver.until(async () => (await stageOf(request, 'coordinator')).phase === 'ended')
    expect((await stageOf(request, 'coordinator')).outcome.result).to.equal('completed')
  })

  it('had not gone on trying to store what came after it had stopped', async () => {
    driver = await Driver.open(RUG)
    const { contracted } = await startedAtRecipient(driver)
    let drained = false
    const stopping = driver.exchanges.drain(driver.clock.now()).then(() => {
      drained = true
    })
    await driver.until(() => {
      driver.clock.pass(1000)
      return drained
    })
    await stopping
    await driver.store.close()
    driver.shares.get(contracted.contract.id)?.resolve()
    await driver.until(() => driver.errors > 0)
    for (let turns = 0; turns < 100; turns += 1) {
      driver.clock.pass(10_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(driver.errors).to.be.at.most(2)
  })

  it('tells whoever asks again how it had ended', async () => {
    driver = await Driver.open(RUG)
    const { asked, contracted, start } = await startedAtRecipient(driver)
    const request = asked.request.id
    driver.dieWhen = async () => (await stageOf(request, 'hop')).phase === 'ended'
    driver.shares.get(contracted.contract.id)?.resolve()
    await driver.until(() => driver.dead)
    await driver.crash()
    const cancel = {
      kind: 'cancel' as const,
      request,
      result: 'failed' as const,
      code: 'timeout' as const,
      hop: null
    }
    for (const again of [start, cancel, contracted.propose(RUG), { ...asked.wire, query: null }]) {
      const answers = await driver.receive(UVA, again)
      expect(await resultsIn(answers), again.kind).to.deep.equal(['completed'])
      expect(answers.map((one) => one.kind)).to.include('receipt')
    }
  })

  it('tells it when it has forgotten the exchange since', async () => {
    driver = await Driver.open(RUG)
    const { asked, contracted, start } = await startedAtRecipient(driver)
    driver.shares.get(contracted.contract.id)?.resolve()
    await driver.until(() => driver.exchange(asked.request.id).ended)
    driver.exchanges.prune()
    expect(await resultsIn(await driver.receive(UVA, start))).to.deep.equal(['completed'])
  })

  it('tells it to no stranger', async () => {
    driver = await Driver.open(RUG)
    const { asked, contracted, start } = await startedAtRecipient(driver)
    driver.shares.get(contracted.contract.id)?.resolve()
    await driver.until(() => driver.exchange(asked.request.id).ended)
    driver.exchanges.prune()
    const answered = await driver.receive(EVE, start).then(
      (answers) => answers.map((one) => one.kind),
      (error: unknown) => error
    )
    expect(answered).to.be.instanceOf(Error)
  })

  it('takes up an exchange that has ended when its people have not been told', async () => {
    driver = await Driver.open(UVA)
    const { request, contract } = await startedAtRequester(driver)
    const row = { user: 'analyst', status: 'discovering', submission: {}, view: {}, at: 1 }
    await driver.store.requests.create({ id: request, ...row })
    driver.shares.get(contract)?.resolve()
    await driver.until(() => driver.exchange(request).ended)
    await driver.crash()
    expect(driver.exchange(request).coordinator?.stage.phase).to.equal('ended')
    await driver.store.requests.update(request, { ...row, status: 'completed', final: true })
    await driver.crash()
    expect(driver.exchanges.get(request)).to.equal(undefined)
  })

  it('lets what comes in wait until it goes on', async () => {
    driver = await Driver.open(RUG)
    const { asked, contracted, start } = await acceptedAtRecipient(driver)
    await driver.crashAndReload()
    const exchange = driver.exchange(asked.request.id)
    const answers = driver.receive(UVA, start)
    const other = await aRequest({ recipients: ['RUG'] })
    await driver.receive(UVA, { ...other.wire, query: null })
    const meanwhile = driver.exchange(other.request.id)
    expect(driver.shares.size).to.equal(0)
    driver.exchanges.resume()
    expect((await answers).at(-1)?.kind).to.equal('started')
    expect([...driver.shares.keys()]).to.deep.equal([contracted.contract.id])
    expect(driver.exchange(asked.request.id)).to.equal(exchange)
    expect(driver.exchange(other.request.id)).to.equal(meanwhile)
  })

  it('fails a share that was done, which could not be told any more', async () => {
    driver = await Driver.open(RUG)
    const { asked, contracted } = await startedAtRecipient(driver)
    driver.failCommits = 1
    driver.shares.get(contracted.contract.id)?.resolve()
    await driver.until(() => driver.failCommits === 0)
    const [row] = await driver.store.work.of(contracted.contract.id)
    expect(row?.status).to.equal('done')
    await driver.crash()
    await driver.until(async () => (await stageOf(asked.request.id, 'hop')).phase === 'ended')
    const { outcome } = await stageOf(asked.request.id, 'hop')
    expect([outcome.result, outcome.code]).to.deep.equal(['failed', 'restarted'])
  })

  it('fails a share that ran when it crashed, even if it crashes again before it has said so', async () => {
    driver = await Driver.open(RUG)
    const { asked } = await startedAtRecipient(driver)
    await driver.crashAndReload()
    await driver.crash()
    await driver.until(async () => (await stageOf(asked.request.id, 'hop')).phase === 'ended')
    const { outcome } = await stageOf(asked.request.id, 'hop')
    expect([outcome.result, outcome.code]).to.deep.equal(['failed', 'restarted'])
  })

  it('knows that somebody only wanted to know', async () => {
    driver = await Driver.open(UVA)
    const asked = await aRequest()
    const dossier = await asked.dossier(UVA.peer)
    dossier.explains = true
    driver.answer = async () => await new Promise(() => undefined)
    await driver.exchanges.coordinate(dossier, [VU.peer], 600_000)
    await driver.crash()
    expect(driver.exchange(asked.request.id).dossier.explains).to.equal(true)
  })

  it('takes the word of its asker alone for what a request is for', async () => {
    driver = await Driver.open(VU)
    const asked = await aRequest()
    await driver.receive(UVA, { ...asked.wire, explain: true })
    await driver.receive(EVE, asked.wire).catch(() => undefined)
    expect(driver.exchange(asked.request.id).dossier.explains).to.equal(true)
  })
})
