import { expect } from 'chai'
import fc from 'fast-check'
import { pseudonymKey, sealShares } from '../../agent/exchange/index.ts'
import type { Signed } from '../../protocol/documents/index.ts'
import { codeOf } from '../../protocol/errors/index.ts'
import {
  type Agent,
  agreementIdOf,
  anAgent,
  aRequest,
  NOW,
  RUG,
  SURF,
  TUD,
  UVA,
  VU
} from '../composition/market.ts'

const CONTRACT = agreementIdOf('contract')
const OTHER_CONTRACT = agreementIdOf('another')
const PROVIDERS = [VU, RUG, TUD]
const peers = (agents: readonly Agent[]): string[] => agents.map((one) => one.peer)

function shareOf(agent: Agent): Uint8Array {
  return new Uint8Array(32).fill(agent.organisation.charCodeAt(0))
}

async function anAcceptance(
  agent: Agent,
  { share = shareOf(agent), to = peers(PROVIDERS) }: { share?: Uint8Array; to?: string[] } = {}
): Promise<Signed<'acceptance'>> {
  return await agent.speaker.sign(
    'acceptance',
    {
      contract: CONTRACT,
      request: (await aRequest()).request.id,
      epoch: 1,
      organisation: agent.organisation,
      startBy: 1000,
      statusNumber: 0,
      resultTerms: null,
      shares: sealShares(share, to),
      log: { sequence: 0, head: '0'.repeat(64) }
    },
    60_000
  )
}

const acceptancesOf = async (agents: readonly Agent[] = PROVIDERS) =>
  await Promise.all(agents.map(async (agent) => await anAcceptance(agent)))
const keyAt = (agent: Agent, acceptances: readonly Signed<'acceptance'>[], contract = CONTRACT) =>
  pseudonymKey(contract, acceptances, peers(PROVIDERS), agent)

function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('expected an error')
}

describe('the key of pseudonyms', () => {
  it('is the same at all data providers, 32 bytes in hex', async () => {
    const acceptances = await acceptancesOf()
    const keys = PROVIDERS.map((agent) => keyAt(agent, acceptances))
    expect(new Set(keys).size).to.equal(1)
    expect(keys[0]).to.match(/^[0-9a-f]{64}$/)
  })

  it('is another for another contract, whatever the shares', async () => {
    const acceptances = await acceptancesOf()
    expect(keyAt(VU, acceptances, OTHER_CONTRACT)).not.to.equal(keyAt(VU, acceptances))
  })

  it('is another as soon as one share is', async () => {
    const acceptances = await acceptancesOf()
    const share = shareOf(TUD)
    share[31] = 0
    const changed = [...acceptances.slice(0, 2), await anAcceptance(TUD, { share })]
    expect(keyAt(VU, changed)).not.to.equal(keyAt(VU, acceptances))
  })

  it('does not depend on the order in which acceptances came', async () => {
    const acceptances = await acceptancesOf()
    const expected = keyAt(VU, acceptances)
    fc.assert(
      fc.property(
        fc.shuffledSubarray(acceptances, { minLength: 3 }),
        fc.constantFrom(...PROVIDERS),
        (shuffled, at) => {
          expect(keyAt(at, shuffled)).to.equal(expected)
        }
      )
    )
  })

  it('is not changed by parties that hold no data, nor by what they send as shares', async () => {
    const acceptances = await acceptancesOf()
    const host = await anAcceptance(SURF, { share: new Uint8Array(32) })
    expect(keyAt(VU, [host, ...acceptances])).to.equal(keyAt(VU, acceptances))
  })

  it('cannot be had by a party that got no share', async () => {
    const acceptances = await acceptancesOf()
    for (const agent of [SURF, UVA])
      expect(codeOf(thrownBy(() => keyAt(agent, acceptances)))).to.equal('contract-invalid')
  })

  it('cannot be had from shares that were sealed to another', async () => {
    const acceptances = await acceptancesOf()
    const thief = { peer: VU.peer, key: SURF.key }
    const error = thrownBy(() => pseudonymKey(CONTRACT, acceptances, peers(PROVIDERS), thief))
    expect(codeOf(error)).to.equal('malformed-document')
  })

  it('is not made without the share of a provider, which is named', async () => {
    const acceptances = await acceptancesOf([VU, RUG])
    const without = await anAcceptance(TUD, { to: peers([RUG, TUD]) })
    const error = thrownBy(() => keyAt(VU, [...acceptances, without]))
    expect(codeOf(error)).to.equal('contract-invalid')
    expect(`${error}`).to.include('TUD')
  })

  it('is not made without the acceptance of a provider: another would have another key', async () => {
    const acceptances = await acceptancesOf([VU, RUG])
    expect(codeOf(thrownBy(() => keyAt(VU, acceptances)))).to.equal('contract-invalid')
  })

  it('is the same when two agents of one organisation hold data', async () => {
    const second = await anAgent('VU', NOW, 'second agent of VU')
    const to = peers([VU, second])
    const acceptances = [
      await anAcceptance(VU, { to }),
      await anAcceptance(second, { to, share: new Uint8Array(32).fill(1) })
    ]
    const backwards = [...acceptances].reverse()
    expect(pseudonymKey(CONTRACT, backwards, to, second)).to.equal(
      pseudonymKey(CONTRACT, acceptances, to, VU)
    )
  })

  it('stays hidden from whoever reads the acceptances', async () => {
    const acceptances = await acceptancesOf()
    for (const { bytes, payload } of acceptances) {
      const share = Buffer.from(new Uint8Array(32).fill(payload.organisation.charCodeAt(0)))
      expect(Buffer.from(bytes.payload).includes(share)).to.equal(false)
    }
  })
})
