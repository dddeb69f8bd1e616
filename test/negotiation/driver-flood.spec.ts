import { expect } from 'chai'
import { codeOf } from '../../protocol/errors/index.ts'
import { type Asked, aRequest, EVE, type Party, UVA, VU } from './documents.ts'
import { Driver } from './driver.ts'

const MOST = 64

describe('A peer that asks without end', () => {
  let driver: Driver
  beforeEach(async () => {
    driver = await Driver.open(VU)
  })
  afterEach(async () => {
    await driver.close()
  })

  async function ask(from: Party): Promise<Asked> {
    const asked = await aRequest({}, from)
    await driver.receive(from, { ...asked.wire, query: null })
    return asked
  }

  async function abort(from: Party, { request }: Asked): Promise<void> {
    await driver.receive(from, { kind: 'abort', request: request.id, contract: null, epoch: 1 })
  }

  const known = (all: readonly Asked[]): number =>
    all.filter(({ request }) => driver.exchanges.get(request.id) !== undefined).length

  it('holds no more documents here for taking back what it asked', async () => {
    const all: Asked[] = []
    for (let round = 0; round < MOST + 20; round++) {
      const asked = await ask(EVE)
      all.push(asked)
      await abort(EVE, asked)
    }
    expect(known(all)).to.equal(MOST)
    expect(driver.exchanges.get(all.at(-1)?.request.id ?? '')).to.not.equal(undefined)
  })

  it('keeps nobody else from asking', async () => {
    const mine = await ask(UVA)
    await abort(UVA, mine)
    for (let round = 0; round < MOST; round++) await ask(EVE)
    const failure = await ask(EVE).catch((error: unknown) => error)
    expect(codeOf(failure)).to.equal('busy')
    expect(known([mine, await ask(UVA)])).to.equal(2)
  })

  it('is told that it asks too much before anything is stored about it', async () => {
    let guarded = 0
    driver.guard = async () => {
      guarded += 1
    }
    const asking = Array.from({ length: MOST }, async () => await ask(EVE))
    await Promise.all(asking)
    await ask(EVE).catch(() => undefined)
    expect(guarded).to.equal(MOST)
  })

  it('gets no further by asking all at once', async () => {
    const all = await Promise.all(
      Array.from({ length: MOST + 20 }, async () => {
        const asked = await aRequest({}, EVE)
        await driver.receive(EVE, { ...asked.wire, query: null }).catch(() => undefined)
        return asked
      })
    )
    expect(known(all)).to.equal(MOST)
  })
})
