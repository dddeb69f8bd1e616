import { expect } from 'chai'
import { type Release, resultOf } from '../../agent/exchange/released.ts'
import { Releases, type ReleasesComponents } from '../../agent/exchange/releases.ts'
import { type Body, ShareFailed, StoppedByPolicy } from '../../agent/negotiation/index.ts'
import type { Store } from '../../agent/store/index.ts'
import type { Refusal } from '../../protocol/documents/index.ts'
import { DynamosError } from '../../protocol/errors/index.ts'
import { EVE, type Party, RUG, UVA, VU } from '../negotiation/documents.ts'
import { FakeClock } from '../negotiation/driver.ts'
import { rejectionOf, stateFolder } from '../store/folder.ts'
import { type Agreed, agreed, aRelease, PARTS } from './results-released.ts'

const quiet = () => undefined
const never = async () => await new Promise<never>(quiet)
const FORBIDDEN: Refusal = {
  code: 'policy-forbids',
  clause: 'vu-press#1',
  reason: 'the press office decides',
  acceptable: null,
  position: null
}

describe('Releases between agents', () => {
  const folder = stateFolder()
  let clock: FakeClock
  let store: Store
  let it1: Agreed
  let result: string
  const asked = () => ({ signal: new AbortController().signal, endsAt: clock.now() + 60_000 })

  beforeEach(async () => {
    clock = new FakeClock()
    store = await folder.open()
    it1 = await agreed()
    result = await resultOf(PARTS)
  })

  /** At an agent, with everything that others say in the test's hands. */
  const at = (self: Party, says: Partial<ReleasesComponents> = {}): Releases =>
    new Releases({
      self,
      speaker: self.speaker,
      store,
      clock,
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      decisions: { lastWord: async () => null },
      runningDossier: (contract) => (contract === it1.contract.id ? it1.dossier : undefined),
      logDecisions: async () => undefined,
      askRelease: never,
      askReleased: never,
      ...says
    })
  const answering = (release: Release) => ({
    askRelease: async () => ({ release: release.bytes })
  })
  const obtaining = async (releases: Releases) =>
    await releases.obtain(it1.dossier, it1.contract.id, it1.flow, ['VU'], PARTS, asked())
  const verifying = async (...given: Release[]) =>
    await at(RUG, { askReleased: async () => ({ releases: given.map(({ bytes }) => bytes) }) }).verify(
      it1.dossier,
      it1.contract.id,
      it1.flow,
      ['VU'],
      PARTS,
      asked().signal
    )
  const failureOf = async (work: Promise<unknown>) => {
    const error = await rejectionOf(work)
    if (error instanceof ShareFailed) return error.failure
    throw error
  }

  const wrong: Record<string, () => Promise<[Partial<Body<'release'>>, Party?]>> = {
    'other content': async () => [{ result: await resultOf([{ digest: 'one' }, { digest: 'tampered' }]) }],
    'another contract': async () => [{ contract: (await agreed()).contract.id }],
    'another flow': async () => [{ flow: 7 }],
    'another recipient': async () => [{ to: UVA.peer }],
    'another signer': async () => [{ organisation: 'VU' }, EVE]
  }
  for (const [what, changes] of Object.entries(wrong))
    it(`of ${what} are none, to the sender, which blames the provider, and to the recipient, which blames the sender`, async () => {
      const release = await aRelease(it1, result, ...(await changes()))
      expect(await failureOf(obtaining(at(EVE, answering(release))))).to.include({
        code: 'release-missing',
        hop: VU.peer
      })
      expect(await failureOf(verifying(release))).to.include({ code: 'release-missing', hop: EVE.peer })
      expect(await store.documents.ofRequest(it1.dossier.request.id)).to.deep.equal([])
    })

  it('that are refusals stop the sender by the name of the provider, and are none to the recipient', async () => {
    const refusal = await aRelease(it1, result, { refused: 'release-refused' })
    const stopped = await rejectionOf(obtaining(at(EVE, answering(refusal))))
    expect(stopped).to.be.instanceOf(StoppedByPolicy)
    expect(await failureOf(verifying(refusal))).to.include({ code: 'release-missing', hop: EVE.peer })
    expect(await failureOf(verifying(refusal, await aRelease(it1, result)))).to.include({
      code: 'release-missing'
    })
  })

  it('that are there let it go, and are kept', async () => {
    const release = await aRelease(it1, result)
    await verifying(await aRelease(it1, result, { flow: 7 }), release)
    await obtaining(at(EVE, answering(release)))
    const kept = await store.documents.ofRequest(it1.dossier.request.id)
    expect(kept.map(({ id, type }) => [id, type])).to.deep.equal([[release.id, 'release']])
  })

  it('are not asked for where nobody wants the last word', async () => {
    it1 = await agreed(null)
    await obtaining(at(EVE))
    await at(RUG).verify(it1.dossier, it1.contract.id, it1.flow, ['VU'], PARTS, asked().signal)
  })

  it('of a provider that says nothing are waited for 30 s, and not longer than half of what is left', async () => {
    for (const [endsIn, within] of [
      [600_000, 30_000],
      [16_000, 8000],
      [3000, 1500]
    ] as const) {
      const told = Promise.withResolvers<void>()
      const askRelease = async (_peer: string, _question: unknown, { signal }: { signal: AbortSignal }) => {
        told.resolve()
        return await new Promise<never>((_, reject) => {
          signal.addEventListener('abort', () => reject(new DynamosError('internal', 'hung up')))
        })
      }
      let over = false
      const failing = failureOf(
        at(EVE, { askRelease }).obtain(it1.dossier, it1.contract.id, it1.flow, ['VU'], PARTS, {
          ...asked(),
          endsAt: clock.now() + endsIn
        })
      ).finally(() => {
        over = true
      })
      await told.promise
      clock.pass(within - 1)
      await new Promise((resolve) => setImmediate(resolve))
      expect(over).to.equal(false)
      clock.pass(1)
      expect(await failing).to.include({ code: 'peer-silent', hop: VU.peer })
    }
  })

  it('are asked for again where the provider could not be reached', async () => {
    const release = await aRelease(it1, result)
    let times = 0
    const tried = Promise.withResolvers<void>()
    const askRelease = async () => {
      times += 1
      if (times > 1) return { release: release.bytes }
      tried.resolve()
      throw new DynamosError('peer-unreachable', 'away')
    }
    const obtained = obtaining(at(EVE, { askRelease }))
    await tried.promise
    await new Promise((resolve) => setImmediate(resolve))
    clock.pass(500)
    await obtained
    expect(times).to.equal(2)
  })

  it('are not asked for again where the provider signed one of other content', async () => {
    const askRelease = async () => {
      throw new DynamosError('release-refused', 'expected the result that was asked about before')
    }
    expect(await failureOf(obtaining(at(EVE, { askRelease })))).to.include({
      code: 'release-missing',
      hop: VU.peer
    })
  })

  it('are signed once for a flow: the same again for the same content, none for other', async () => {
    const vu = at(VU)
    const question = { contract: it1.contract.id, flow: 0, result }
    const [one, other] = await Promise.all([
      vu.answer(question, EVE.peer),
      vu.answer({ ...question, result: await resultOf([]) }, EVE.peer).catch((error: unknown) => error)
    ])
    expect(other).to.include({ code: 'release-refused' })
    expect(await vu.answer(question, EVE.peer)).to.deep.equal(one)
    await obtaining(at(EVE, { askRelease: async () => one }))
  })

  it('are refused to whoever does not send that flow, and tell nothing of the rule that forbids one', async () => {
    const question = { contract: it1.contract.id, flow: 0, result }
    for (const [to, changes] of [
      [RUG, {}],
      [EVE, { flow: 1 }],
      [EVE, { contract: it1.dossier.request.id }]
    ] as const)
      expect(await rejectionOf(at(VU).answer({ ...question, ...changes }, to.peer))).to.include({
        code: 'flow-not-in-contract'
      })
    const { release } = await at(VU, { decisions: { lastWord: async () => FORBIDDEN } }).answer(
      question,
      EVE.peer
    )
    const told = Buffer.from(JSON.stringify(release)).toString() + Buffer.from(release.payload).toString()
    expect(told).to.contain('release-refused')
    expect(told).not.to.contain('press')
  })
})
