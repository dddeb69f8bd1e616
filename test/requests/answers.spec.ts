import { expect } from 'chai'
import { answersTo } from '../../agent/requests/answers.ts'
import type { EndCode } from '../../protocol/negotiation/index.ts'
import { anAgent, answersOf, aRequest, HOLDERS, NOW, ROW, RUG, TUD, VU } from '../composition/market.ts'

const ASKED = HOLDERS.map(({ peer }) => peer)
const LOST: EndCode = 'party-lost'
const EVERY_ROW = Object.fromEntries(
  Object.values(ROW).map((row) => [row, { refuse: 'no-agreement' as const }])
)

describe('the answers that a plan may rest on', () => {
  it('are the offers that the negotiation holds, however many a hop made', async () => {
    const dossier = await aRequest()
    const [early] = await answersOf(dossier, [[VU]])
    const [late] = await answersOf(dossier, [[await anAgent('VU', NOW + 5)]])
    if (early === undefined || late === undefined) throw new Error('expected two offers')
    for (const one of [early, late]) {
      const offers = [{ hop: VU.peer, offer: one.offer.id }]
      const found = answersTo({ offers, without: [] }, ASKED, dossier)
      expect(found).to.deep.equal([one])
    }
  })

  it('are not what a hop offered in an earlier epoch and did not offer again', async () => {
    const dossier = await aRequest()
    const [first] = await answersOf(dossier, [[VU], [RUG]])
    if (first === undefined) throw new Error('expected an offer')
    const offers = [{ hop: VU.peer, offer: first.offer.id }]
    const found = answersTo({ offers, without: [] }, ASKED, dossier)
    expect(found.map(({ peer }) => peer)).to.deep.equal([VU.peer])
  })

  it('say why a hop refuses, and what one that dropped out had said', async () => {
    const dossier = await aRequest()
    await answersOf(dossier, [[VU, { rows: EVERY_ROW }], [RUG], [TUD]])
    const without = [{ hop: RUG.peer, code: LOST }]
    const found = answersTo({ offers: [], without }, ASKED, dossier)
    expect(found.map(({ peer }) => peer)).to.deep.equal([VU.peer, RUG.peer])
  })
})
