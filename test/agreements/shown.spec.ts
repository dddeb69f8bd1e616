import { expect } from 'chai'
import { addSignature, type Payload, signDocument } from '../../protocol/documents/index.ts'
import { codeOf } from '../../protocol/errors/index.ts'
import { offices } from './offices.ts'

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
const DAY = 86_400_000
const MINUTE = 60_000

describe('an agreement that is shown to a party', () => {
  const market = offices(['VU', 'UVA'])

  /** The provider's, signed by its steward, with something changed in it. */
  const proposed = async (change: Partial<Payload<'agreement'>> = {}) => {
    const vu = market.get('VU')
    const { payload } = await vu.agreements.draft(TEXT)
    return await addSignature(await signDocument('agreement', { ...payload, ...change }, vu.key), vu.steward)
  }
  const show = async (change: Partial<Payload<'agreement'>>, to = market.get('UVA')) =>
    await to.agreements.shown({ agreement: (await proposed(change)).bytes }, market.get('VU').peer)
  const codeOfShowing = async (...said: Parameters<typeof show>): Promise<string> =>
    await show(...said).then(() => 'taken', codeOf)

  it('may have ended: so does what it supersedes', async () => {
    await show({})
    market.clock.at += MINUTE
    const ended = await proposed({ expires: market.clock.now() })
    await market.get('UVA').agreements.shown({ agreement: ended.bytes }, market.get('VU').peer)
    expect(market.get('UVA').agreements.inForce()).to.have.length(1)
    expect(market.get('UVA').agreements.get(ended.id)).to.not.equal(undefined)
  })

  it('is not taken from the future, which would keep every later version out', async () => {
    expect(await codeOfShowing({ issuedAt: market.clock.now() + 3 * MINUTE })).to.equal('clock-skew')
    expect(
      await codeOfShowing({ issuedAt: Number.MAX_SAFE_INTEGER, expires: Number.MAX_SAFE_INTEGER })
    ).to.equal('clock-skew')
    expect(await codeOfShowing({ issuedAt: market.clock.now() + MINUTE })).to.equal('taken')
  })

  it('is left to a human when it names what is not known here', async () => {
    const { payload } = await proposed()
    const reply = await show({ terms: { ...payload.terms, algorithms: ['averagee'] } })
    expect(reply.agreement).to.equal(null)
    expect(reply.pending?.reason).to.match(/averagee.*average/)
    expect(market.get('UVA').agreements.inForce()).to.deep.equal([])
    expect(await market.get('UVA').agreements.all()).to.have.length(1)
  })

  it('takes the place of an earlier version that still waits', async () => {
    const uva = await market.withoutSteward('UVA')
    for (let version = 0; version < 3; version++) {
      market.clock.at += MINUTE
      await show({}, uva)
    }
    expect((await uva.agreements.all()).map((one) => one.state)).to.deep.equal([
      'proposed',
      'superseded',
      'superseded'
    ])
  })

  it('waits only with so many others of its provider', async () => {
    const uva = await market.withoutSteward('UVA')
    for (let name = 0; name < 64; name++)
      expect(await codeOfShowing({ name: `a${name}` }, uva)).to.equal('taken')
    expect(await codeOfShowing({ name: 'more' }, uva)).to.equal('busy')
    const again = await proposed({ name: 'a1' })
    expect(await uva.store.agreements.get(again.id)).to.not.equal(undefined)
    expect(await codeOfShowing({ name: 'a1' }, uva)).to.equal('taken')
    market.clock.at += 2 * DAY
    expect(await codeOfShowing({ name: 'more' }, uva)).to.equal('busy')
  })

  it('is one of so many a day, signed or not', async () => {
    for (let version = 0; version < 64; version++) {
      market.clock.at += 1000
      expect(await codeOfShowing({})).to.equal('taken')
    }
    market.clock.at += 1000
    expect(await codeOfShowing({})).to.equal('busy')
    market.clock.at += DAY
    expect(await codeOfShowing({})).to.equal('taken')
  })
})
