import { expect } from 'chai'
import { readLog } from '../../agent/audit/index.ts'
import { openDocument } from '../../protocol/documents/index.ts'
import { codeOf } from '../../protocol/errors/index.ts'
import type { WireMessage } from '../../protocol/messages/index.ts'
import { acceptedAtRecipient, startedAtRecipient } from './conversations.ts'
import { aContract, anAcceptance, aRequest, NOW, RUG, UVA, VU } from './documents.ts'
import { Driver } from './driver.ts'

describe('What happens in an exchange', () => {
  let driver: Driver

  beforeEach(async () => {
    driver = await Driver.open(RUG)
  })
  afterEach(async () => await driver.close())

  const kinds = async () => (await readLog(driver.store, { limit: 1000 })).map(({ entry }) => entry.kind)

  it('is in the log in its order, each step before what follows from it', async () => {
    await startedAtRecipient(driver)
    const found = (await kinds()).filter((kind) => kind !== 'decision')
    expect(found).to.deep.equal(['request', 'offer', 'contract', 'acceptance', 'start', 'job-started'])
  })

  it('does not begin when it cannot be logged', async () => {
    const { contracted, start } = await acceptedAtRecipient(driver)
    const before = await kinds()
    driver.failCommits = 1
    await driver.receive(UVA, start)
    expect(driver.failCommits).to.equal(0)
    expect(driver.shares.has(contracted.contract.id)).to.equal(false)
    expect(await kinds()).to.deep.equal(before)
  })

  it('lets nothing leave when the decision to send it cannot be logged, and logs it once it can', async () => {
    const { asked, contracted } = await startedAtRecipient(driver)
    const { id: contract } = contracted.contract
    const gate = driver.gates.get(contract)
    const before = (await kinds()).length
    driver.exchange(asked.request.id).dossier.decided({
      time: NOW,
      kind: 'decision',
      request: asked.request.id,
      contract,
      fields: { question: 'send', verdict: 'permit', clauses: [], policy: 'a' }
    })
    driver.failCommits = 1
    const left = await gate?.leaving().then(
      () => 'left',
      (error: unknown) => codeOf(error)
    )
    expect(left).to.equal('storage-full')
    expect(await kinds()).to.have.length(before)
    await gate?.leaving()
    expect((await kinds()).slice(before)).to.deep.equal(['decision'])
  })

  /** RUG takes a result and is then told that all is off; of its writes, the one after `written` others finds the disk full. */
  async function wordsWith(written: number): Promise<WireMessage[]> {
    const said: WireMessage[] = []
    const hear = async (message: WireMessage) =>
      said.push(...(await driver.receive(UVA, message).catch(() => [])))
    let commits = 0
    const fill = () => {
      if (commits === written) driver.failCommits = 1
    }
    driver.dieWhen = async () => {
      commits += 1
      fill()
      return false
    }
    fill()
    const asked = await aRequest({ recipients: ['RUG'] })
    await hear({ ...asked.wire, query: null })
    const { contract, propose } = await aContract(asked.request, { offers: new Map(), recipient: RUG })
    await hear(propose(RUG))
    const own = said.flatMap((one) => (one.kind === 'acceptance' ? [one.acceptance] : []))
    const others = await anAcceptance(contract, VU)
    await hear({ kind: 'start', contract: contract.bytes, acceptances: [...own, others.bytes] })
    const share = driver.shares.get(contract.id)
    share?.resolve()
    if (share !== undefined)
      await driver.until(async () => (await driver.store.work.of(contract.id))[0]?.status !== 'running')
    const { id: request } = asked.request
    await hear({ kind: 'cancel', request, result: 'cancelled', code: 'cancelled', hop: null })
    return [...said, ...driver.posts.map(({ message }) => message)]
  }

  it('is on disk before any word of it leaves, whichever write finds the disk full', async () => {
    const left = new Set<string>()
    for (let written = 0; written < 10; written++) {
      await driver.close()
      driver = await Driver.open(RUG)
      const words = await wordsWith(written)
      const entries = await readLog(driver.store, { limit: 1000 })
      for (const word of words) {
        if (word.kind === 'decline') expect(entries.map(({ entry }) => entry.kind)).to.include('decline')
        const signed =
          word.kind === 'acceptance'
            ? await openDocument('acceptance', word.acceptance)
            : word.kind === 'receipt'
              ? await openDocument('receipt', word.receipt)
              : word.kind === 'outcome'
                ? await openDocument('outcome', word.outcome)
                : null
        if (signed === null || !signed.signers.includes(RUG.peer)) continue
        left.add(signed.type)
        const { sequence, head } = signed.payload.log
        const line = entries.find((one) => one.sequence === sequence)
        expect([line?.head, line?.entry.kind]).to.deep.equal([head, signed.type])
      }
    }
    expect([...left].sort()).to.deep.equal(['acceptance', 'outcome', 'receipt'])
  })

  it('proves that another agent keeps two logs, once it has signed two heads for one place', async () => {
    const asked = await aRequest({ recipients: ['RUG'] })
    await driver.receive(UVA, { ...asked.wire, query: null })
    const { contract, propose } = await aContract(asked.request, { offers: new Map(), recipient: RUG })
    await driver.receive(UVA, propose(RUG))
    for (const head of ['a', 'b']) {
      const acceptance = await anAcceptance(contract, VU, { log: { sequence: 3, head: head.repeat(64) } })
      await driver.receive(VU, { kind: 'acceptance', acceptance: acceptance.bytes }).catch(() => undefined)
    }
    await driver.exchange(asked.request.id).log.write()
    const found = await driver.store.peerPositions.contradictions()
    expect(found.map(({ peer, sequence, type }) => [peer, sequence, type])).to.deep.equal([
      [VU.peer, 3, 'acceptance'],
      [VU.peer, 3, 'acceptance']
    ])
  })
})
