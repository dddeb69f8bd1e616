import { expect } from 'chai'
import {
  createCedarEngine,
  decideAsProvider,
  type PolicyEngine,
  rememberingClauses
} from '../../policy/index.ts'
import { refusal } from '../../protocol/documents/index.ts'
import { anAgreement, providerFacts } from './builders.ts'

const NIGHT =
  '@id("night")\n@message("not at night")\nforbid (principal, action, resource) when { context.hour < 6 };'

describe('Rules that stand in an agreement', () => {
  let engine: PolicyEngine
  before(async () => {
    engine = await createCedarEngine()
  })
  const at = (hour: number, cedar: string, using: PolicyEngine = engine) => {
    const agreement = anAgreement({ cedar })
    return decideAsProvider(using, providerFacts({ now: Date.UTC(2026, 5, 1, hour) }, [agreement]), [
      agreement
    ])
  }

  it('forbid what its clauses permit, named with their message', () => {
    expect(at(12, NIGHT)).to.include({ verdict: 'permit' })
    expect(at(12, NIGHT).clauses).to.include('wage-gap#cedar')
    const verdict = at(3, NIGHT)
    if (verdict.verdict === 'permit') throw new Error('expected a denial')
    expect(verdict.clauses).to.deep.equal(['wage-gap#cedar.night'])
    expect(refusal.parse(verdict.refusal)).to.deep.equal({
      code: 'policy-forbids',
      clause: 'wage-gap#cedar.night',
      reason: 'agreement wage-gap: its own rules forbid it: "night": not at night',
      acceptable: null,
      position: null
    })
  })

  it('bind together with those of the organisation', async () => {
    const text = '@id("own") forbid (principal, action, resource) when { context.hour < 5 };'
    const both = await createCedarEngine([{ file: 'own.cedar', text }])
    expect(at(3, NIGHT, both).clauses).to.deep.equal(['wage-gap#cedar.night', 'policy#own'])
    expect(at(5, NIGHT, both).clauses).to.deep.equal(['wage-gap#cedar.night'])
  })

  it('lift no clause, and are silent where one is broken', () => {
    const agreement = anAgreement({ cedar: NIGHT, purposes: [] })
    const facts = providerFacts({ now: Date.UTC(2026, 5, 1, 3) }, [agreement])
    expect(decideAsProvider(engine, facts, [agreement]).clauses).to.deep.equal(['wage-gap#purposes'])
  })

  it('are of one agreement alone: another may still permit', () => {
    const agreements = [
      anAgreement({ cedar: NIGHT }, { id: 'bafya', name: 'one' }),
      anAgreement({}, { id: 'bafyb', name: 'two' })
    ]
    const facts = providerFacts({ now: Date.UTC(2026, 5, 1, 3) }, agreements)
    expect(decideAsProvider(engine, facts, agreements)).to.have.nested.property('agreement.name', 'two')
  })

  for (const [what, cedar] of [
    ['a permit', 'permit (principal, action, resource);'],
    ['a mistake', 'forbid (principal, action, resource) when { context.hours < 6 };'],
    ['no Cedar', 'never at night']
  ])
    it(`refuse everything as not enforceable when there is ${what}`, () => {
      const verdict = at(12, cedar ?? '')
      expect(verdict).to.have.nested.property('refusal.code', 'clause-not-enforceable')
      expect(verdict).to.have.nested.property('refusal.clause', 'wage-gap#cedar')
    })

  it('deny when they cannot be evaluated', () => {
    expect(
      at(12, 'forbid (principal, action, resource) when { context.hour + 9223372036854775807 < 0 };')
    ).to.have.nested.property('refusal.code', 'policy-forbids')
  })

  it('are asked each time where clauses are remembered', () => {
    const remembering = rememberingClauses(engine)
    expect(at(12, NIGHT, remembering).verdict).to.equal('permit')
    expect(at(3, NIGHT, remembering).verdict).to.equal('deny')
  })

  it('are decided by under any of a thousand agreements', () => {
    const agreements = Array.from({ length: 1000 }, (_, index) =>
      anAgreement(
        {
          cedar: `@id("r${index}") forbid (principal, action, resource) when { context.purpose == "p${index}" };`
        },
        { id: `bafy${String(index).padStart(4, '0')}`, name: `a${index}`, dataset: `d${index}` }
      )
    )
    for (const index of [0, 500, 999]) {
      const facts = { ...providerFacts({ dataset: `d${index}` }, agreements) }
      expect(decideAsProvider(engine, facts, agreements)).to.have.nested.property(
        'agreement.name',
        `a${index}`
      )
    }
  })
})
