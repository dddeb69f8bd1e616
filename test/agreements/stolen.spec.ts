import { expect } from 'chai'
import { expel, membershipOf } from '../../agent/membership/index.ts'
import { keyOf, NOW, peerOf } from '../membership/builders.ts'
import { offices } from './offices.ts'

const DAY = 86_400_000
const TEXT = `
agreement: wages
provider: VU
dataset: wageGap
consumers: [{organisation: UVA}]
purposes: [research]
archetypes: [computeToData]
recipients: [UVA]
tables: {person: {columns: [sex, wage]}}
algorithms: [average]
`

describe('an agreement whose steward’s key', () => {
  const market = offices(['VU', 'UVA'])

  async function inForce(): Promise<string> {
    const vu = market.get('VU')
    const { agreement } = await vu.agreements.propose(await vu.signed(TEXT))
    return agreement.id
  }

  /** VU hears that the key of UVA’s steward was stolen. */
  async function stolen(from: number | undefined): Promise<void> {
    const { members, agreements } = market.get('VU')
    const steward = peerOf(await keyOf('steward of UVA'))
    const { status } = await expel(market.marketplace(), [steward], {
      ...market.by(),
      ...(from === undefined ? {} : { stolenFrom: from })
    })
    await members.acceptStatus(status)
    await agreements.judgeSigners()
  }

  it('was stolen after it came into force stays in force', async () => {
    const id = await inForce()
    market.clock.at = NOW + DAY
    const { enforced } = market.get('VU')
    await stolen(NOW + 1)
    expect(market.get('VU').agreements.get(id)?.id).to.equal(id)
    expect(market.get('VU').enforced).to.equal(enforced)
  })

  it('was stolen before counts for nothing, also after a restart, until it is signed anew', async () => {
    market.clock.at = NOW + DAY
    const id = await inForce()
    const { enforced } = market.get('VU')
    await stolen(NOW)
    expect(market.get('VU').agreements.get(id)).to.equal(undefined)
    expect(market.get('VU').agreements.inForce()).to.deep.equal([])
    expect((await market.get('VU').agreements.all()).map(({ state }) => state)).to.deep.equal(['proposed'])
    expect(market.get('VU').enforced).to.equal(enforced + 1)
    const next = await market.restarted('VU')
    expect(next.agreements.inForce()).to.deep.equal([])
  })

  it('is only trusted no longer stays in force, and signs nothing new', async () => {
    const id = await inForce()
    await stolen(undefined)
    const vu = market.get('VU')
    expect(vu.agreements.get(id)?.id).to.equal(id)
    market.clock.at = NOW + 1
    const { pending } = await vu.agreements.propose(await vu.signed(`${TEXT}timezone: UTC\n`))
    expect(pending.map(({ organisation }) => organisation)).to.deep.equal(['UVA'])
  })

  it('was replaced stays in force, and stays signed in everybody’s eyes', async () => {
    const id = await inForce()
    market.clock.at = NOW + DAY
    const { members, agreements } = market.get('VU')
    const membership = await market.admitAgain('UVA', { stewards: [peerOf(await keyOf('next'))] })
    await members.learn(membership, peerOf(await keyOf('UVA')))
    const agreement = agreements.get(id)
    if (agreement === undefined) throw new Error('expected it in force')
    expect(agreements.signedBy(agreement)).to.deep.equal(['VU', 'UVA'])
    expect(membershipOf(market.marketplace(), 'UVA')?.payload.stewards).to.have.length(1)
    const vu = market.get('VU')
    const next = await vu.signed(TEXT.replace('average', 'histogram'))
    const { pending } = await vu.agreements.propose(next)
    expect(pending.map(({ organisation }) => organisation)).to.deep.equal(['UVA'])
  })
})
