import { expect } from 'chai'
import { offices, aText as textOf } from './offices.ts'

const aText = (changes: Record<string, string> = {}) =>
  textOf({ agreement: 'wages', consumers: '[{organisation: UVA}]', ...changes })
const RULE = {
  from: 'VU',
  dataset: 'wageGap',
  purposes: ['research', 'policy'],
  archetypes: '*',
  algorithms: ['average'],
  tables: { person: { columns: ['sex', 'wage'] } }
}

describe('a rule by which an agent signs', () => {
  const market = offices(['VU', 'UVA', 'RUG'])
  const { get } = market
  beforeEach(async () => {
    await market.withoutSteward('VU')
    await market.withoutSteward('RUG')
  })
  const stateAfter = async (changes: Record<string, string> = {}) => {
    const { agreement } = await get('VU').agreements.proposals.propose(aText(changes))
    await get('VU').signs(agreement.id)
    return await get('VU').stateOf(agreement.id)
  }

  it('has what is no wider signed without a human', async () => {
    await market.withRules('UVA', [RULE])
    expect(await stateAfter()).to.equal('in-force')
  })

  for (const [clause, value] of Object.entries({
    purposes: '[research, marketing]',
    algorithms: '"*"',
    tables: '"*"',
    recipients: '[RUG]',
    computeProviders: '[RUG]',
    revocation: '{notice: P1D}'
  }))
    it(`leaves what is wider by ${clause} to a human`, async () => {
      await market.withRules('UVA', [RULE])
      expect(await stateAfter({ [clause]: value })).to.equal('proposed')
    })

  it('signs nothing of another proposer, about another dataset, or of another kind', async () => {
    for (const change of [{ from: 'RUG' }, { dataset: 'other' }, { archetypes: [] }, { tables: {} }]) {
      await market.withRules('UVA', [{ ...RULE, ...change }])
      expect(await stateAfter(), JSON.stringify(change)).to.equal('proposed')
      market.clock.at += 1000
    }
  })

  it('opens own data to those that it names, and to nobody else', async () => {
    const rule = { ...RULE, from: 'UVA' }
    await market.withRules('VU', [rule])
    const uva = get('UVA').agreements.proposals
    const { agreement } = await uva.propose(aText())
    expect(get('UVA').agreements.signedBy(agreement)).to.deep.equal(['VU'])
    const wider = await uva.propose(
      aText({ agreement: 'more', consumers: '[{organisation: UVA}, {organisation: RUG}]' })
    )
    expect(get('UVA').agreements.signedBy(wider.agreement)).to.deep.equal([])
    await market.withRules('VU', [{ ...rule, consumers: [{ organisation: 'UVA' }, { organisation: 'RUG' }] }])
    await uva.deliver()
    const again = await uva.propose(
      aText({ agreement: 'again', consumers: '[{organisation: UVA}, {organisation: RUG}]' })
    )
    expect(get('UVA').agreements.signedBy(again.agreement)).to.deep.equal(['VU'])
  })

  it('gives up nothing that was agreed', async () => {
    await market.withRules('UVA', [RULE])
    expect(await stateAfter({ purposes: '[research, policy]' })).to.equal('in-force')
    market.clock.at += 1000
    expect(await stateAfter({ purposes: '[]' })).to.equal('proposed')
    market.clock.at += 1000
    expect(await stateAfter({ purposes: '[policy, research]' })).to.equal('in-force')
  })

  it('lets nobody replace what was agreed with others', async () => {
    await market.withRules('VU', [
      { ...RULE, from: 'RUG' },
      { ...RULE, from: 'UVA' }
    ])
    const first = (await get('UVA').agreements.proposals.propose(aText())).agreement
    await get('UVA').signs(first.id)
    expect(await get('VU').stateOf(first.id)).to.equal('in-force')
    market.clock.at += 1000
    const rug = await get('RUG').agreements.proposals.propose(aText({ consumers: '[{organisation: RUG}]' }))
    await get('RUG').signs(rug.agreement.id)
    expect(await get('VU').stateOf(rug.agreement.id)).to.equal('proposed')
    expect(await get('VU').stateOf(first.id)).to.equal('in-force')
  })

  it('is not how an agent that signs everything opens its own data', async () => {
    await market.withRules('UVA', [RULE])
    const vu = await market.withSteward('VU')
    const { agreement } = await get('UVA').agreements.proposals.propose(aText())
    expect(vu.agreements.signedBy(agreement)).to.deep.equal([])
  })
})
