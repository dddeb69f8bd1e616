import { expect } from 'chai'
import { objectionToAccepted } from '../../agent/decisions/result-terms.ts'
import { openDocument, type ResultTerms } from '../../protocol/documents/index.ts'
import type { WireMessage } from '../../protocol/messages/index.ts'
import { aContract, anAcceptance, aRequest, NOW, type Party, RUG, UVA, VU } from './documents.ts'
import { Driver } from './driver.ts'

/** Those of the contract. */
const SAME: ResultTerms = {
  recipients: '*',
  purposes: '*',
  until: null,
  services: [],
  forbid: [],
  maxRows: null,
  onward: 'none'
}
const OTHER: Record<string, ResultTerms | null> = {
  'no terms': null,
  'fewer rows': { ...SAME, maxRows: 10 },
  'an earlier end': { ...SAME, until: NOW + 1 },
  'fewer recipients': { ...SAME, recipients: ['RUG'] },
  'fewer purposes': { ...SAME, purposes: ['research'] },
  'a service forbidden': { ...SAME, forbid: ['graph'] },
  'larger groups': { ...SAME, minGroupSize: 10 },
  'the last word': { ...SAME, releaseAsk: true },
  'another recipient': { ...SAME, recipients: ['VU'] },
  'another purpose': { ...SAME, purposes: ['press'] },
  'a service that is not in the chain': { ...SAME, services: ['anonymize'] },
  'an end that has passed': { ...SAME, until: NOW - 1 }
}

describe('The terms of a result under which parties accept', () => {
  let driver: Driver

  afterEach(async () => await driver.close())

  /** VU's data, RUG's result; each is an agent of its own, which judges what the other signed. */
  const startedAt = async (
    self: Party,
    terms: Record<'VU' | 'RUG', ResultTerms | null>,
    ofContract = SAME
  ) => {
    driver = await Driver.open(self)
    driver.resultTerms = self === RUG ? terms.RUG : terms.VU
    driver.mayStart = async (dossier, id) => objectionToAccepted(dossier.contract(id), driver.clock.now())
    const asked = await aRequest({ recipients: ['RUG'] })
    await driver.receive(UVA, { ...asked.wire, query: self === RUG ? null : asked.query })
    const exchange = driver.exchange(asked.request.id)
    const offers = new Map([...exchange.dossier.offers.keys()].map((id) => [self.peer, id]))
    const contracted = await aContract(asked.request, {
      offers: self === RUG ? new Map() : offers,
      recipient: RUG,
      terms: ofContract
    })
    const { contract } = contracted
    await driver.receive(UVA, contracted.propose(self))
    const own = exchange.dossier.contract(contract.id).acceptances.get(self.peer)
    if (own === undefined) throw new Error('it was not accepted')
    const other =
      self === RUG
        ? await anAcceptance(contract, VU, { resultTerms: terms.VU })
        : await anAcceptance(contract, RUG, { resultTerms: terms.RUG })
    const start = {
      kind: 'start' as const,
      contract: contract.bytes,
      acceptances: [own.bytes, other.bytes]
    }
    const replies = await driver.receive(UVA, start)
    return { contract: contract.id, replies }
  }

  /** What it says about it: codes, and whom it blames; an outcome says so by organisation, a failure by peer. */
  const told = async (replies: readonly WireMessage[]) =>
    await Promise.all(
      [...replies, ...driver.posts.map((post) => post.message)].flatMap((message) => {
        if (message.kind === 'failure' || message.kind === 'rejected')
          return [Promise.resolve({ code: message.code, hop: 'hop' in message ? message.hop : null })]
        if (message.kind !== 'outcome') return []
        return [
          openDocument('outcome', message.outcome).then(({ payload }) => ({
            code: payload.code,
            hop: payload.hop
          }))
        ]
      })
    )

  for (const [what, terms] of Object.entries(OTHER))
    it(`start nothing at the recipient when a data provider signed ${what}, and it is blamed`, async () => {
      const { contract, replies } = await startedAt(RUG, { VU: terms, RUG: null })
      const words = await told(replies)
      expect(words).to.deep.include({ code: 'result-terms-differ', hop: 'VU' })
      expect(driver.shares.has(contract)).to.equal(false)
    })

  it('start nothing at the data provider when a party that gives no data signed some', async () => {
    const { contract, replies } = await startedAt(VU, { VU: SAME, RUG: SAME })
    const words = await told(replies)
    expect(words).to.deep.include({ code: 'result-terms-differ', hop: RUG.peer })
    expect(driver.shares.has(contract)).to.equal(false)
  })

  for (const [what, ofContract] of Object.entries({
    'the same': SAME,
    wider: { ...SAME, maxRows: 10, forbid: ['graph'] }
  }))
    it(`start it at both when they are ${what}`, async () => {
      for (const self of [RUG, VU]) {
        const { contract } = await startedAt(self, { VU: SAME, RUG: null }, ofContract)
        await driver.until(() => driver.shares.has(contract))
        if (self === RUG) await driver.close()
      }
    })
})
