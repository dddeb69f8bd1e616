import { expect } from 'chai'
import fc from 'fast-check'
import {
  createCedarEngine,
  decideAsHost,
  decideAsProvider,
  decideAsRecipient,
  type PolicyEngine,
  rememberingClauses
} from '../../policy/index.ts'
import { anAgreement, hostFacts, providerFacts, recipientFacts } from './builders.ts'

/** An engine that counts how often it is asked. */
function counted(engine: PolicyEngine): PolicyEngine & { asked: number } {
  const counting = {
    name: engine.name,
    source: engine.source,
    policy: engine.policy,
    warnings: engine.warnings,
    rules: engine.rules,
    objections: (rules: string) => engine.objections(rules),
    rulesIn: (rules: string) => engine.rulesIn(rules),
    examine: engine.examine.bind(engine),
    fixedRulesAlone: engine.fixedRulesAlone,
    asked: 0,
    evaluate: (evaluation: Parameters<PolicyEngine['evaluate']>[0]) => {
      counting.asked += 1
      return engine.evaluate(evaluation)
    }
  }
  return counting
}

const few = (...names: string[]) => fc.constantFrom(...names)
const facts = fc.record({
  question: fc.constantFrom('offer' as const, 'accept' as const),
  now: fc.constantFrom(Date.UTC(2025, 0, 1), Date.UTC(2026, 5, 1), Date.UTC(2028, 0, 1)),
  purpose: few('research', 'marketing'),
  archetype: few('computeToData', 'dataThroughTtp', 'other'),
  infrastructure: fc.constantFrom('SURF', 'SARA', null),
  recipients: fc.constantFrom(['UVA'], ['RUG'], []),
  algorithm: few('average', 'table'),
  services: fc.constantFrom(['query'], ['query', 'graph']),
  uses: fc.constantFrom(
    [{ table: 'Personen', columns: ['Geslacht'] }],
    [{ table: 'Personen', columns: ['Secret'] }],
    [{ table: 'Nobody', columns: [] }]
  )
})

describe('decisions that are taken together', () => {
  let engine: PolicyEngine
  before(async () => {
    engine = await createCedarEngine()
  })

  it('are what they are when each is taken alone', () => {
    fc.assert(
      fc.property(fc.array(facts, { minLength: 2, maxLength: 12 }), (several) => {
        const agreements = [
          anAgreement(),
          anAgreement({ archetypes: ['computeToData'], recipients: ['RUG'] }, { id: 'bafyother' })
        ]
        const remembering = rememberingClauses(engine)
        for (const one of several) {
          const asked = providerFacts(one, agreements)
          expect(decideAsProvider(remembering, asked, agreements)).to.deep.equal(
            decideAsProvider(engine, asked, agreements)
          )
        }
      }),
      { numRuns: 60 }
    )
  })

  it('ask once about each archetype and each compute provider, not about each combination', () => {
    const counting = counted(engine)
    const remembering = rememberingClauses(counting)
    const agreement = anAgreement({ archetypes: '*', computeProviders: '*' })
    for (let row = 0; row < 64; row += 1) {
      const one = { archetype: `a${row % 8}`, infrastructure: `h${Math.floor(row / 8)}` }
      decideAsProvider(remembering, providerFacts(one, [agreement]), [agreement])
    }
    expect(counting.asked).to.equal(15)
  })

  it('of hosts and recipients are one, whatever the archetype', () => {
    const counting = counted(engine)
    const remembering = rememberingClauses(counting)
    const hosting = { for: ['UVA'], algorithms: '*' as const, perJob: { memory: 1, seconds: 1, disk: 1 } }
    for (const archetype of ['one', 'two', 'three']) {
      expect(decideAsHost(remembering, hostFacts({ archetype }), hosting)).to.deep.equal(
        decideAsHost(engine, hostFacts({ archetype }), hosting)
      )
      expect(decideAsRecipient(remembering, recipientFacts({ archetype }))).to.deep.equal(
        decideAsRecipient(engine, recipientFacts({ archetype }))
      )
    }
    expect(counting.asked).to.equal(2)
  })

  it('ask each time where an organisation has rules of its own, which may read anything', async () => {
    const own = counted(
      await createCedarEngine([
        {
          file: 'own.cedar',
          text: 'forbid (principal, action, resource) when { context.archetype == "a1" && context.infrastructure.contains("h1") };'
        }
      ])
    )
    const remembering = rememberingClauses(own)
    const agreement = anAgreement({ archetypes: '*', computeProviders: '*' })
    const verdicts = ['a0 h0', 'a0 h1', 'a1 h0', 'a1 h1'].map((row) => {
      const [archetype = '', infrastructure = ''] = row.split(' ')
      return decideAsProvider(remembering, providerFacts({ archetype, infrastructure }, [agreement]), [
        agreement
      ]).verdict
    })
    expect(verdicts).to.deep.equal(['permit', 'permit', 'permit', 'deny'])
    expect(own.asked).to.equal(4)
  })

  it('ask again after an answer that was not whole', () => {
    let asked = 0
    const failing: PolicyEngine = {
      name: 'failing',
      source: { engine: 'failing 1', files: [] },
      policy: 'p',
      warnings: [],
      rules: [],
      objections: () => [],
      rulesIn: () => [],
      examine: () => {
        throw new Error('nobody examines here')
      },
      fixedRulesAlone: true,
      evaluate: () => {
        asked += 1
        return {
          broken: ['purposes'],
          forbidding: [],
          agreed: [],
          undetermined: null,
          policy: 'p',
          incomplete: true
        }
      }
    }
    const remembering = rememberingClauses(failing)
    const agreement = anAgreement()
    for (let time = 0; time < 2; time += 1)
      decideAsProvider(remembering, providerFacts({}, [agreement]), [agreement])
    expect(asked).to.equal(2)
  })
})
