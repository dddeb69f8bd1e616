import { expect } from 'chai'
import { viewAgreement } from '../../agent/agreements/index.ts'
import { verifyLog } from '../../agent/audit/index.ts'
import { signDocument } from '../../protocol/documents/index.ts'
import { codeOf } from '../../protocol/errors/index.ts'
import { rejectionOf } from '../store/folder.ts'
import { offices } from './offices.ts'

const aText = (consumers: readonly string[], purpose = 'research') => `
agreement: wages
provider: VU
dataset: wageGap
consumers: [${consumers.map((name) => `{organisation: ${name}}`).join(', ')}]
purposes: [${purpose}]
archetypes: [computeToData]
tables: {person: {columns: [sex, wage]}}
algorithms: [average]
`

describe('a party that a newer version leaves out', () => {
  const market = offices(['VU', 'UVA', 'RUG'])
  const { get } = market
  beforeEach(async () => {
    for (const name of ['VU', 'UVA', 'RUG']) await market.withoutSteward(name)
  })
  const settle = async () => {
    for (const name of ['VU', 'UVA']) await get(name).agreements.proposals.idle()
  }
  const inForce = async () => {
    const { agreement } = await get('VU').agreements.proposals.propose(aText(['UVA', 'RUG']))
    for (const name of ['VU', 'UVA', 'RUG']) await get(name).signs('wages')
    expect(await get('RUG').stateOf(agreement.id)).to.equal('in-force')
    return agreement
  }
  const newVersion = async () => {
    market.clock.at += 1000
    const { agreement } = await get('VU').agreements.proposals.propose(aText(['UVA'], 'policy'))
    for (const name of ['VU', 'UVA']) await get(name).signs(agreement.id)
    await settle()
    return agreement
  }

  it('hears that what was in force was replaced, and by whom, but not by what', async () => {
    const old = await inForce()
    const replacing = await newVersion()
    expect(await get('RUG').stateOf(old.id)).to.equal('superseded')
    expect(get('RUG').agreements.get(old.id)).to.equal(undefined)
    expect(get('RUG').agreements.ending(old.id)?.why).to.equal('superseded')
    expect(await get('RUG').stateOf(replacing.id)).to.equal(undefined)
    const [one] = await get('RUG').agreements.all()
    if (one === undefined) throw new Error('expected the old one')
    const records = await get('RUG').agreements.proposals.records()
    expect(viewAgreement({ ...one, signedBy: [] }, market.clock.at, records).replacedBy).to.equal('VU')
    expect((await verifyLog(get('RUG').store)).intact).to.equal(true)
  })

  it('hears it when it is back, after a restart of the provider, and still knows after its own', async () => {
    const old = await inForce()
    get('VU').silent.add('RUG')
    await newVersion()
    expect(await get('RUG').stateOf(old.id)).to.equal('in-force')
    const vu = await market.restarted('VU')
    await vu.agreements.proposals.deliver('RUG')
    expect(await get('RUG').stateOf(old.id)).to.equal('superseded')
    expect((await vu.store.agreementLife.undelivered('RUG')).length).to.equal(0)
    const rug = await market.restarted('RUG')
    expect(rug.agreements.inForce()).to.deep.equal([])
    expect(rug.agreements.ending(old.id)?.why).to.equal('superseded')
  })

  it('hears that a proposal was answered, or proposed anew, without it', async () => {
    const { agreement } = await get('VU').agreements.proposals.propose(aText(['UVA', 'RUG']))
    market.clock.at += 1000
    const { agreement: answer } = await get('UVA').agreements.proposals.counter('wages', aText(['UVA']))
    await settle()
    expect(await get('RUG').stateOf(agreement.id)).to.equal('superseded')
    expect(await get('RUG').stateOf(answer.id)).to.equal(undefined)
  })

  it('believes no other consumer that what is in force was replaced, nor a stranger anything', async () => {
    const old = await inForce()
    const notice = async (by: string, organisation = by) =>
      await signDocument(
        'agreement-replaced',
        {
          type: 'agreement-replaced',
          version: 1,
          marketplace: get(by).members.marketplace,
          issuer: get(by).peer,
          issuedAt: market.clock.at,
          expires: market.clock.at + 1000,
          agreement: old.id,
          organisation
        },
        get(by).key
      )
    const heard = async (by: string, organisation?: string) => {
      const { bytes } = await notice(by, organisation)
      return codeOf(await rejectionOf(get('RUG').agreements.proposals.noticed({ replaced: bytes })))
    }
    expect(await heard('UVA')).to.equal('agreement-malformed')
    expect(await heard('UVA', 'VU')).to.equal('bad-signature')
    expect(await get('RUG').stateOf(old.id)).to.equal('in-force')
  })
})
