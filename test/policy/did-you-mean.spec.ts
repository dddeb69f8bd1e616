import { expect } from 'chai'
import fc from 'fast-check'
import {
  createCedarEngine,
  decideAsHost,
  decideAsProvider,
  type PolicyEngine,
  type ProviderFacts
} from '../../policy/index.ts'
import type { Terms } from '../../protocol/documents/index.ts'
import { anAgreement, hostFacts, providerFacts } from './builders.ts'

/** Names near to each other, so that nearly every one has a suggestion. */
const name = fc
  .tuple(fc.constantFrom('research', 'average', 'computeToData', 'SURF'), fc.constantFrom('', 's', 'x', 'es'))
  .map((parts) => parts.join(''))
const names = fc.uniqueArray(name, { minLength: 1, maxLength: 4 })

const suggestionIn = (reason: string): string | undefined => /did you mean "([^"]*)"\?/.exec(reason)?.[1]

describe('what a refusal suggests', () => {
  let engine: PolicyEngine
  before(async () => {
    engine = await createCedarEngine()
  })

  function refusalOf(facts: Partial<ProviderFacts>, terms: Partial<Terms>, wished?: string) {
    const agreement = anAgreement(terms)
    const verdict = decideAsProvider(engine, providerFacts(facts, [agreement]), [agreement], wished)
    return verdict.verdict === 'deny' ? verdict.refusal : undefined
  }

  for (const [what, clause] of [
    ['purpose', 'purposes'],
    ['archetype', 'archetypes'],
    ['algorithm', 'algorithms']
  ] as const)
    it(`of a ${what} is one that the agreement permits`, () => {
      fc.assert(
        fc.property(name, names, (asked, agreed) => {
          const refusal = refusalOf({ [what]: asked }, { [clause]: agreed })
          const suggested = suggestionIn(refusal?.reason ?? '')
          expect(agreed.includes(asked)).to.equal(refusal === undefined)
          if (suggested !== undefined) expect(agreed).to.include(suggested)
        }),
        { numRuns: 40 }
      )
    })

  it('is the nearest', () => {
    expect(refusalOf({ purpose: 'reserch' }, { purposes: ['statistics', 'research'] })?.reason).to.equal(
      `agreement ${anAgreement().payload.name}: purpose "reserch" is not among those agreed: statistics, research; did you mean "research"?`
    )
    expect(refusalOf({ recipients: ['UvA'] }, { recipients: ['UVA', 'RUG'] })?.reason).to.match(
      /UvA may not receive results; .*did you mean "UVA"\?$/
    )
    expect(refusalOf({ purpose: 'marketing' }, { purposes: ['research'] })?.reason).not.to.include(
      'did you mean'
    )
  })

  it('names the agreement that was probably wished for', () => {
    const { name: own } = anAgreement().payload
    expect(refusalOf({}, {}, `${own}x`)).to.deep.include({
      code: 'no-agreement',
      clause: null,
      acceptable: null
    })
    expect(suggestionIn(refusalOf({}, {}, `${own}x`)?.reason ?? '')).to.equal(own)
  })

  it('is nothing for who is no party: neither terms nor names of agreements', () => {
    fc.assert(
      fc.property(name, names, fc.option(name, { nil: undefined }), (asked, agreed, wished) => {
        const requester = { organisation: 'Stranger', name: 'somebody' }
        const terms = { purposes: agreed, archetypes: agreed, algorithms: agreed, recipients: agreed }
        const facts = { requester, purpose: asked, archetype: asked, algorithm: asked, recipients: [asked] }
        const refusal = refusalOf(facts, terms, wished)
        expect(refusal?.reason).to.equal('no agreement with VU permits this')
        expect(refusal?.acceptable).to.equal(null)
      }),
      { numRuns: 40 }
    )
  })

  it('of an algorithm is one that the compute provider runs for others, which everybody may know', () => {
    fc.assert(
      fc.property(name, names, (algorithm, algorithms) => {
        const hosting = { for: '*' as const, algorithms, perJob: { memory: 1, seconds: 1, disk: 1 } }
        const verdict = decideAsHost(engine, hostFacts({ algorithm }), hosting)
        if (verdict.verdict === 'permit') return
        const suggested = suggestionIn(verdict.refusal.reason)
        if (suggested !== undefined) expect(algorithms).to.include(suggested)
      }),
      { numRuns: 40 }
    )
  })
})
