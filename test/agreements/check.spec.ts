import { expect } from 'chai'
import { offices } from './offices.ts'

const TEXT = `agreement: wages
provider: VU
dataset: wageGap
consumers: [{organisation: UVA}]
purposes: [research]
archetypes: [computeToData]
tables: {person: {columns: [sex, wage]}}
algorithms: [average]
`

describe('an agreement that an agent checks', () => {
  const market = offices(['VU', 'UVA'])

  const check = (text: string) => {
    const { agreements } = market.get('VU')
    return agreements
      .check(agreements.parse(text))
      .map(({ level, clause, line, column, message }) => `${line}:${column}: ${level}: ${clause}: ${message}`)
  }

  it('is compared with what the archetypes here say of who holds data', () => {
    expect(check(TEXT.replace('computeToData', 'dataThroughTtp')).join('\n')).to.match(
      /^6:14: warning: archetypes\.0: in dataThroughTtp another than VU holds the data/m
    )
    expect(check(`${TEXT}computeProviders: [UVA]\n`).join('\n')).to.match(
      /^9:1: warning: computeProviders: it never binds/m
    )
  })

  it('is compared with the memberships: a user whose organisation has lost the mail domain', () => {
    const user = '{user: {organisation: UVA, name: analyst@lost.example}}'
    expect(check(TEXT.replace('{organisation: UVA}', user)).join('\n')).to.match(
      /^4:13: warning: consumers\.0: UVA speaks for no "analyst@lost\.example"/m
    )
  })

  it('is compared with the others in force about the dataset', async () => {
    const vu = market.get('VU')
    const text = TEXT
    await vu.agreements.propose(await vu.signed(text.replace('[sex, wage]', '[sex]')))
    expect(vu.agreements.inForce()).to.have.length(1)
    expect(check(text)).to.deep.equal([])
    const half = text.replace('agreement: wages', 'agreement: half').replace('[sex, wage]', '[wage]')
    expect(check(half).join('\n')).to.match(
      /^7:1: warning: tables: only this permits tables person\.wage, only wages permits tables person\.sex/m
    )
  })
})
