import { expect } from 'chai'
import fc from 'fast-check'
import {
  AgreementMalformed,
  checkAgreement,
  describeOffer,
  mayTake,
  type Offered,
  parseAgreement,
  takenName,
  takenTerms,
  writeOffer
} from '../../policy/index.ts'
import { fields } from '../../protocol/documents/index.ts'
import { anOrganisation, anyAgreement } from './any-terms.ts'

const parse = (text: string) => parseAgreement(text, 'a.yaml', () => undefined)
const aText = (standing: string) => `agreement: open
provider: VU
dataset: wages
${standing}
purposes: [research]
archetypes: [computeToData]
tables: "*"
algorithms: [average]
valid: {until: 2027-01-01}
`
const problemsOf = (text: string) => {
  try {
    parse(text)
    return []
  } catch (error) {
    if (error instanceof AgreementMalformed)
      return error.findings.map(({ clause, line, message }) => `${clause}:${line ?? ''} ${message}`)
    throw error
  }
}

/** Letters and digits: what a name of an agreement is made of. */
const anOfferName = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$/)
const anyOffer: fc.Arbitrary<Offered> = fc
  .record({
    agreed: anyAgreement,
    takers: fc.oneof(
      fc.constant('*' as const),
      fc.uniqueArray(anOrganisation, { minLength: 1, maxLength: 5 })
    ),
    max: fc.integer({ min: 1, max: 1000 }),
    expires: fc.integer({ min: 0, max: 4_000_000_000_000 })
  })
  .map(({ agreed: { name, provider, dataset, terms }, ...more }) => ({
    name,
    provider,
    dataset,
    terms: { ...terms, consumers: [] },
    ...more
  }))

describe('a standing offer as a file', () => {
  it('stands in place of consumers', () => {
    const { standing, terms } = parse(aText('standing: {takers: [UVA, RUG], max: 3, until: 2026-06-01}'))
    expect(standing).to.deep.equal({ takers: ['UVA', 'RUG'], max: 3, until: Date.parse('2026-06-01') })
    expect(terms.consumers).to.deep.equal([])
    expect(parse(aText('standing: {takers: "*"}')).standing).to.deep.equal({ takers: '*', max: 1000 })
  })

  for (const [standing, problem] of [
    ['purposes2: []', 'consumers'],
    ['standing: {takers: "*"}\nconsumers: [{organisation: UVA}]', 'either consumers, or `standing`'],
    ['standing: {}', 'standing.takers'],
    ['standing: true', 'expected a standing offer'],
    ['standing: {takers: []}', 'standing.takers'],
    ['standing: {takers: [UVA, UVA]}', 'each name once'],
    ['standing: {takers: "*", max: 0}', '1 to 1000'],
    ['standing: {takers: "*", max: 1001}', '1 to 1000'],
    ['standing: {takers: "*", until: soon}', 'expected a date'],
    ['standing: {taker: "*"}', 'takers']
  ] as const)
    it(`is refused as ${JSON.stringify(standing)}`, () => {
      expect(problemsOf(aText(standing.startsWith('purposes2') ? '' : standing)).join('\n')).to.include(
        problem
      )
    })

  it('that nobody else would find wrong has no warning about consumers', () => {
    expect(checkAgreement(parse(aText('standing: {takers: "*"}')), { now: 0 })).to.deep.equal([])
    const unknown = checkAgreement(parse(aText('standing: {takers: [UVa]}')), {
      organisations: ['VU', 'UVA']
    })
    expect(unknown.map(({ clause, level }) => [clause, level])).to.deep.equal([
      ['standing.takers.0', 'warning']
    ])
    expect(unknown[0]?.message).to.include('did you mean "UVA"')
  })

  it('is written as it was read, whoever may take it', () => {
    const { terms } = parse(aText('standing: {takers: "*"}'))
    fc.assert(
      fc.property(anyOffer, (any) => {
        const offer = { ...any, terms }
        const { name, provider, dataset, terms: read, standing } = parse(writeOffer(offer))
        expect({ name, provider, dataset, terms: read }).to.deep.equal({
          name: offer.name,
          provider: offer.provider,
          dataset: offer.dataset,
          terms
        })
        expect(standing).to.deep.equal({ takers: offer.takers, max: offer.max, until: offer.expires })
      })
    )
  })
})

describe('what is taken of a standing offer', () => {
  it('has the terms of the offer and one consumer, whoever takes it', () => {
    fc.assert(
      fc.property(anyOffer, anOrganisation, ({ terms }, taker) => {
        const { consumers, ...taken } = takenTerms(terms, taker)
        const { consumers: none, ...offered } = terms
        expect(consumers).to.deep.equal([{ organisation: taker }])
        expect(none).to.deep.equal([])
        expect(taken).to.deep.equal(offered)
      })
    )
  })

  it('has a name of its own for each organisation, which may be a name', () => {
    fc.assert(
      fc.property(anOfferName, anOrganisation, anOrganisation, (offer, one, other) => {
        const nameFor = (taker: string) =>
          takenName(offer, taker, Buffer.from(taker).toString('hex').padEnd(32, '0').slice(0, 32))
        expect(fields.name.safeParse(nameFor(one)).success).to.equal(true)
        if (one !== other) expect(nameFor(one)).not.to.equal(nameFor(other))
      })
    )
  })

  it('is for those that the offer names, never for its provider', () => {
    fc.assert(
      fc.property(anyOffer, anOrganisation, (offer, taker) => {
        const named = offer.takers === '*' || offer.takers.includes(taker)
        expect(mayTake(offer, taker)).to.equal(named && taker !== offer.provider)
        expect(mayTake(offer, offer.provider)).to.equal(false)
      })
    )
  })

  it('is told in words with who may take it, how many and until when', () => {
    const draft = parse(aText('standing: {takers: [UVA, RUG], max: 3}'))
    const words = describeOffer({
      ...draft,
      takers: ['UVA', 'RUG'],
      max: 3,
      expires: Date.parse('2026-06-01')
    })
    expect(words[0]).to.equal('A standing offer: UVA and RUG may take it, 3 at most, before 2026-06-01.')
    expect(words[1]).to.equal(
      'open: VU lets everybody at the organisation that takes it ask about the dataset wages.'
    )
  })
})
