import { expect } from 'chai'
import { createRequestGuard, RequestRefused } from '../../agent/decisions/index.ts'
import type { Members } from '../../agent/membership/index.ts'
import { type Body, createSpeaker, type RequestGuard } from '../../agent/negotiation/index.ts'
import type { Signed } from '../../protocol/documents/index.ts'
import { codeOf } from '../../protocol/errors/index.ts'
import { keyOf, NOW, peerOf, TestMarketplace } from '../membership/builders.ts'
import { rejectionOf, stateFolder } from '../store/folder.ts'

const SKEW = 120_000
const LIFETIME = 60_000

const vu = await keyOf('VU')
const uva = await keyOf('UVA')
const stranger = await keyOf('stranger')
const QUERY = 'bafyreigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi'

interface Said {
  key?: typeof uva
  organisation?: string
  marketplace?: string
  /** When it was signed. */
  at?: number
  lifetime?: number
  body?: Partial<Body<'request'>>
}

describe('a request that arrives', () => {
  const state = stateFolder()
  let market: TestMarketplace
  let now: number
  let members: Members
  let guard: RequestGuard

  beforeEach(async () => {
    now = NOW
    market = await TestMarketplace.found()
    const own = await market.admit('VU', vu)
    const other = await market.admit('UVA', uva)
    members = await market.members(own, vu, () => now)
    await members.learn(other.membership, peerOf(uva))
    guard = createRequestGuard({ members, store: await state.open(), clock: { now: () => now } })
  })

  async function aRequest({
    key = uva,
    organisation = 'UVA',
    at = NOW,
    lifetime = LIFETIME,
    ...said
  }: Said = {}): Promise<Signed<'request'>> {
    const marketplace = said.marketplace ?? market.marketplace.charter.id
    const clock = { now: () => at }
    const speaker = createSpeaker({ key, peer: peerOf(key), organisation, marketplace, clock })
    return await speaker.sign(
      'request',
      {
        nonce: new Uint8Array(16).fill(1),
        organisation,
        user: { organisation, name: 'analyst@uva.nl' },
        purpose: 'research',
        datasets: ['wageGap'],
        providers: [peerOf(vu)],
        rows: [{ archetype: 'computeToData', infrastructure: null }],
        algorithm: 'table',
        options: { aggregate: false, anonymize: false, graph: false },
        recipients: ['UVA'],
        agreements: {},
        deadline: 1000,
        query: QUERY,
        ...said.body
      },
      lifetime
    )
  }

  async function refusalOf(request: Signed<'request'>, from = peerOf(uva)): Promise<string> {
    const error = await rejectionOf(guard(request, from))
    expect(error).to.be.instanceOf(RequestRefused)
    return codeOf(error)
  }

  it('is taken when all is as it says', async () => {
    await guard(await aRequest(), peerOf(uva))
  })

  it('is refused when it is of another marketplace', async () => {
    expect(await refusalOf(await aRequest({ marketplace: QUERY }))).to.equal('not-member')
  })

  it('is refused when another brings it than who signed it', async () => {
    expect(await refusalOf(await aRequest(), peerOf(vu))).to.equal('bad-signature')
    expect(await refusalOf(await aRequest({ key: stranger }))).to.equal('bad-signature')
  })

  it('is refused when its signer is no member', async () => {
    expect(await refusalOf(await aRequest({ key: stranger }), peerOf(stranger))).to.equal('not-member')
  })

  it('is refused when its signer is an agent of another organisation', async () => {
    const request = await aRequest({
      key: uva,
      organisation: 'VU',
      body: { user: { organisation: 'VU', name: 'x@vu.nl' } }
    })
    expect(await refusalOf(request)).to.equal('not-member')
  })

  it('is refused from the future, by more than clocks may differ, with both times', async () => {
    await guard(await aRequest({ at: NOW + SKEW }), peerOf(uva))
    const error = await rejectionOf(guard(await aRequest({ at: NOW + SKEW + 1 }), peerOf(uva)))
    expect(codeOf(error)).to.equal('clock-skew')
    expect(error.message).to.include(new Date(NOW).toISOString())
    expect(error.message).to.include(new Date(NOW + SKEW + 1).toISOString())
    // the last instant that a document can name is no date any more
    const beyond = await aRequest({ at: Number.MAX_SAFE_INTEGER - LIFETIME })
    expect(await refusalOf(beyond)).to.equal('clock-skew')
  })

  it('is refused once it has expired', async () => {
    const request = await aRequest()
    now = NOW + LIFETIME
    expect(await refusalOf(request)).to.equal('document-expired')
    now -= 1
    await guard(request, peerOf(uva))
  })

  it('is refused when it would last longer than an exchange and its approvals may, so that its nonce need not be kept for ever', async () => {
    const days = 31 * 86_400_000
    await guard(await aRequest({ lifetime: days }), peerOf(uva))
    for (const lifetime of [days + SKEW + 1, Number.MAX_SAFE_INTEGER - NOW])
      expect(await refusalOf(await aRequest({ lifetime }))).to.equal('malformed-document')
  })

  it('is refused for a user of whom its organisation does not speak', async () => {
    for (const user of [
      { organisation: 'UVA', name: 'analyst@rug.nl' },
      { organisation: 'UVA', name: 'analyst@uva.nl.evil.org' },
      { organisation: 'VU', name: 'analyst@uva.nl' },
      { organisation: 'VU', name: 'analyst@vu.nl' }
    ])
      expect(await refusalOf(await aRequest({ body: { user } })), user.name).to.equal(
        'consumer-not-permitted'
      )
  })

  it('is refused for a user of an organisation that lost the domain of its mail', async () => {
    await guard(await aRequest(), peerOf(uva))
    market.now = NOW + 1
    const { membership } = await market.admit('UVA', uva, { speaksFor: ['student.uva.nl'] })
    await members.learn(membership, peerOf(uva))
    expect(await refusalOf(await aRequest({ body: { nonce: new Uint8Array(16).fill(3) } }))).to.equal(
      'consumer-not-permitted'
    )
  })

  it('is refused with a nonce that was used before, as long as it could be taken', async () => {
    await guard(await aRequest(), peerOf(uva))
    const sameNonce = await aRequest({ body: { purpose: 'policy' } })
    expect(await refusalOf(sameNonce)).to.equal('request-replayed')
    await guard(await aRequest({ body: { nonce: new Uint8Array(16).fill(2) } }), peerOf(uva))
  })

  it('is taken as often as it is asked: what promised nothing may be forgotten here and asked again', async () => {
    const request = await aRequest()
    await Promise.all([guard(request, peerOf(uva)), guard(request, peerOf(uva))])
    await guard(request, peerOf(uva))
  })

  it('uses up no nonce when it is refused', async () => {
    await refusalOf(await aRequest({ at: NOW + SKEW + 1 }))
    await guard(await aRequest(), peerOf(uva))
  })
})
