import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import fc from 'fast-check'
import { agreementAttributes, agreementContext } from '../../policy/engine/agreement-entity.ts'
import { callOf } from '../../policy/engine/cedar.ts'
import {
  type AgreementInForce,
  clausesOf,
  columnKey,
  createCedarEngine,
  decideAsHost,
  decideAsProvider,
  decideAsRecipient,
  decideFlow,
  discoveryFacts,
  type Evaluation,
  type PolicyEngine,
  type ProviderFacts,
  type ProviderVerdict,
  QUESTIONS,
  REQUESTER,
  RulesMalformed,
  SCHEMA,
  unenforceableClauses
} from '../../policy/index.ts'
import { refusal, resultTerms, type Terms } from '../../protocol/documents/index.ts'
import {
  anAgreement,
  DAY,
  flowFacts,
  hostFacts,
  NOW,
  providerFacts,
  RESULT_TERMS,
  recipientFacts
} from './builders.ts'

type Broken = [string, string, Partial<ProviderFacts>, Partial<Terms>]

const PERSONEN = { Personen: { columns: ['Unieknr', 'Geslacht'] } }

/** Clause, code, facts that break it, terms that break it. */
const BROKEN: Broken[] = [
  ['valid.from', 'agreement-not-yet-valid', { now: Date.UTC(2025, 11, 31) }, { valid: { from: NOW + 1 } }],
  ['valid.until', 'agreement-expired', { now: Date.UTC(2027, 0, 1) }, { valid: { until: NOW } }],
  [
    'consumers',
    'consumer-not-permitted',
    { requester: { organisation: 'UVA', name: 'boss' } },
    { consumers: [{ organisation: 'RUG' }] }
  ],
  ['purposes', 'purpose-not-permitted', { purpose: 'marketing' }, { purposes: [] }],
  [
    'archetypes',
    'archetype-not-permitted',
    { archetype: 'dataToConsumer' },
    { archetypes: ['computeToData'] }
  ],
  [
    'computeProviders',
    'compute-provider-not-permitted',
    { infrastructure: 'Cloud' },
    { computeProviders: [] }
  ],
  ['recipients', 'recipient-not-permitted', { recipients: ['UVA', 'RUG'] }, { recipients: ['RUG'] }],
  ['algorithms', 'algorithm-not-permitted', { algorithm: 'histogram' }, { algorithms: [] }],
  [
    'columns',
    'column-not-permitted',
    { uses: [{ table: 'Personen', columns: ['Gebdat'] }] },
    { tables: { ...PERSONEN, Aanstellingen: { columns: [] } } }
  ],
  [
    'services.forbid',
    'service-forbidden',
    { services: ['anonymize', 'graph'] },
    { services: { require: [], forbid: ['aggregate'] } }
  ],
  [
    'services.require',
    'service-required',
    { services: ['query'] },
    { services: { require: ['compress'], forbid: [] } }
  ],
  [
    'sandbox',
    'sandbox-required',
    {
      sandboxes: [
        { at: 'VU', sandbox: 'bubblewrap' },
        { at: 'SURF', sandbox: 'none' }
      ]
    },
    {}
  ],
  ['limits', 'quota-exceeded', {}, { limits: { requests: 3, per: DAY } }],
  ['approval', 'approval-required', {}, { approval: { by: ['steward@vu.nl'], when: 'always', within: DAY } }]
]

describe('a data provider’s decision', () => {
  let engine: PolicyEngine
  before(async () => {
    engine = await createCedarEngine()
  })

  const decide = (facts: Partial<ProviderFacts> = {}, terms: Partial<Terms> = {}): ProviderVerdict => {
    const agreement = anAgreement(terms)
    const verdict = decideAsProvider(engine, providerFacts(facts, [agreement]), [agreement])
    if (verdict.verdict === 'deny') refusal.parse(verdict.refusal)
    else resultTerms.parse(verdict.terms)
    return verdict
  }

  it('permits what an agreement permits whole, naming it, every clause and the terms of the result', () => {
    const agreement = anAgreement()
    const verdict = decideAsProvider(engine, providerFacts({}, [agreement]), [agreement])
    expect(verdict).to.deep.equal({
      verdict: 'permit',
      agreement: { id: agreement.id, name: 'wage-gap' },
      clauses: clausesOf('Agreement').map((clause) => `wage-gap#${clause}`),
      deferred: [],
      requiredServices: ['anonymize'],
      terms: RESULT_TERMS,
      policy: verdict.policy
    })
    expect(verdict.policy).to.match(/^[0-9a-f]{64}$/)
  })

  for (const [clause, code, facts, terms] of BROKEN) {
    for (const [how, verdict] of [
      ['of the request', () => decide(facts, clause === 'limits' || clause === 'approval' ? terms : {})],
      ['of the agreement', () => decide(clause === 'sandbox' ? facts : {}, terms)]
    ] as const) {
      it(`denies with ${code} when ${clause} is broken by a change ${how}`, () => {
        const denied = verdict()
        if (denied.verdict === 'permit') throw new Error('expected a denial')
        expect(denied.clauses).to.deep.equal([`wage-gap#${clause}`])
        expect(denied.refusal).to.include({ code, clause: `wage-gap#${clause}` })
        expect(denied.refusal.acceptable).not.to.equal(null)
      })
    }
  }

  describe('that people have to approve', () => {
    const approval = { by: ['steward@vu.nl'], when: 'always', within: DAY }
    const under = (approvals: ProviderFacts['approvals'], question: ProviderFacts['question'] = 'accept') => {
      const agreement = anAgreement({ approval }, { id: 'bafyx' })
      const facts = providerFacts({ question, ...(approvals === undefined ? {} : { approvals }) }, [
        agreement
      ])
      return decideAsProvider(engine, facts, [agreement])
    }

    it('is left open at an offer until all else is known, and denied at every later question', () => {
      const offered = under(null, 'offer')
      expect(offered).to.include({ verdict: 'permit' })
      expect(offered).to.have.property('deferred').that.includes('wage-gap#approval')
      for (const question of ['accept', 'start', 'send', 'continue', 'release'] as const)
        for (const approvals of [undefined, null, {}])
          expect(under(approvals, question), question).to.have.nested.property(
            'refusal.code',
            'approval-required'
          )
    })

    for (const [state, code] of [
      ['missing', 'approval-required'],
      ['pending', 'approval-required'],
      ['refused', 'approval-refused'],
      ['expired', 'approval-expired']
    ] as const)
      it(`is denied with ${code} when the approval is ${state}, with what was said`, () => {
        const verdict = under({ bafyx: { state, reason: 'not now' } }, 'offer')
        if (verdict.verdict === 'permit') throw new Error('expected a denial')
        expect(verdict.refusal).to.include({ code, clause: 'wage-gap#approval' })
        expect(verdict.refusal.reason.includes('not now')).to.equal(state === 'refused')
        expect(verdict.refusal.acceptable).to.deep.equal({
          'approval.by': ['steward@vu.nl'],
          'approval.when': 'always',
          'approval.within': 'P1D'
        })
      })

    it('is permitted once it was approved, under that agreement alone', () => {
      const approved = { state: 'approved', reason: null } as const
      expect(under({ bafyx: approved }))
        .to.have.property('clauses')
        .that.includes('wage-gap#approval')
      expect(under({ other: approved })).to.include({ verdict: 'deny' })
    })
  })

  it('denies a table that is not shown, and its columns', () => {
    const verdict = decide({ uses: [{ table: 'Geheim', columns: ['x'] }] })
    expect(verdict.clauses).to.deep.equal(['wage-gap#tables', 'wage-gap#columns'])
    expect(verdict).to.have.nested.property('refusal.code', 'table-not-permitted')
    expect(verdict).to.have.deep.nested.property('refusal.acceptable', {
      tables: ['Personen', 'Aanstellingen'],
      columns: ['Personen.Unieknr', 'Personen.Geslacht', 'Personen.Peildat', 'Aanstellingen.*']
    })
  })

  it('does not take one column for another whose names have dots', () => {
    expect(columnKey('a.b', 'c')).not.to.equal(columnKey('a', 'b.c'))
    const tables = { 'a.b': { columns: ['c'] }, a: { columns: ['d'] } }
    expect(decide({ uses: [{ table: 'a', columns: ['b.c'] }] }, { tables }).verdict).to.equal('deny')
    expect(decide({ uses: [{ table: 'a.b', columns: ['c'] }] }, { tables }).verdict).to.equal('permit')
  })

  it('does not take what every object has for a table', () => {
    expect(decide({ uses: [{ table: 'constructor', columns: [] }] }).verdict).to.equal('deny')
  })

  it('lists every broken clause and everything that would be acceptable', () => {
    const verdict = decide({ purpose: 'marketing', archetype: 'x', recipients: ['RUG'] })
    expect(verdict.clauses).to.deep.equal(['wage-gap#purposes', 'wage-gap#archetypes', 'wage-gap#recipients'])
    expect(verdict).to.have.deep.nested.property('refusal.acceptable', {
      purposes: ['research'],
      archetypes: ['computeToData', 'dataThroughTtp'],
      recipients: ['UVA']
    })
    expect(verdict)
      .to.have.nested.property('refusal.reason')
      .that.matches(/^agreement wage-gap: purpose "marketing" is not among those agreed: research; /)
  })

  it('permits the provider itself to compute, and any of what is written out as any', () => {
    expect(decide({ infrastructure: null }, { computeProviders: [] }).verdict).to.equal('permit')
    expect(decide({ infrastructure: 'VU' }, { computeProviders: [] }).verdict).to.equal('permit')
    const any = {
      purposes: '*',
      archetypes: '*',
      computeProviders: '*',
      recipients: '*',
      algorithms: '*',
      tables: '*'
    } as const
    const facts = {
      purpose: 'p',
      archetype: 'a',
      infrastructure: 'X',
      recipients: ['Y'],
      algorithm: 'z',
      uses: [{ table: 'T', columns: ['c'] }]
    }
    expect(decide(facts, any).verdict).to.equal('permit')
  })

  it('takes the asking organisation as recipient where none is named', () => {
    expect(decide({}, { recipients: [REQUESTER] }).verdict).to.equal('permit')
    expect(decide({ recipients: ['RUG'] }, { recipients: [REQUESTER] })).to.have.deep.nested.property(
      'refusal.acceptable.recipients',
      ['UVA']
    )
  })

  it('denies results that nobody would receive', () => {
    expect(decide({ recipients: [] }).verdict).to.equal('deny')
    expect(decide({ recipients: [] }, { recipients: '*' }).verdict).to.equal('deny')
  })

  it('permits from the first instant and denies from the last', () => {
    const valid = { from: NOW, until: NOW + 1 }
    expect(decide({ now: NOW }, { valid }).verdict).to.equal('permit')
    expect(decide({ now: NOW + 1 }, { valid }).verdict).to.equal('deny')
  })

  it('takes an agreement that expired as a document for expired', () => {
    expect(decide({ now: Date.UTC(2030, 0, 1) }, { valid: {} })).to.have.nested.property(
      'refusal.code',
      'agreement-expired'
    )
  })

  it('orders anonymize where the agreement says what to anonymise', () => {
    const terms = {
      services: { require: [], forbid: [] },
      anonymize: { pseudonymise: ['Unieknr'], generalise: {}, suppress: [] }
    }
    expect(decide({ services: ['query'] }, terms)).to.have.nested.property('refusal.code', 'service-required')
  })

  it('counts limits at the offer and the acceptance, and says when there is room again', () => {
    const agreement = anAgreement()
    const full = { [agreement.id]: { count: 10, freesAt: NOW + 1000 } }
    const at = (question: ProviderFacts['question']) =>
      decideAsProvider(engine, providerFacts({ question, requestsInWindow: full }), [agreement])
    for (const question of ['offer', 'accept'] as const) {
      expect(at(question)).to.have.deep.nested.property('refusal.acceptable', {
        'limits.requests': 10,
        'limits.per': 'P1D',
        'limits.freesAt': '2026-06-01T12:00:01.000Z'
      })
    }
    for (const question of ['start', 'send', 'continue', 'release'] as const) {
      expect(at(question).verdict).to.equal('permit')
    }
  })

  it('denies a limit that nobody counted', () => {
    const agreement = anAgreement()
    expect(decideAsProvider(engine, providerFacts(), [agreement])).to.have.nested.property(
      'refusal.code',
      'quota-exceeded'
    )
  })

  it('answers discovery by who asks and when, alone', () => {
    const agreement = anAgreement({ purposes: [], archetypes: [], algorithms: [] })
    const ask = (name: string, now = NOW) =>
      decideAsProvider(
        engine,
        discoveryFacts({
          now,
          organisation: 'VU',
          requester: { organisation: 'UVA', name },
          dataset: 'wageGap'
        }),
        [agreement]
      ).verdict
    expect(ask('analyst')).to.equal('permit')
    expect(ask('boss')).to.equal('deny')
    expect(ask('analyst', Date.UTC(2028, 0, 1))).to.equal('deny')
  })

  describe('when facts are not known', () => {
    it('defers, before an offer, what cannot be known yet', () => {
      const verdict = decide({ question: 'offer', uses: null, services: null, sandboxes: null })
      expect(verdict).to.have.deep.property(
        'deferred',
        ['tables', 'columns', 'services.forbid', 'services.require', 'sandbox'].map(
          (clause) => `wage-gap#${clause}`
        )
      )
      expect(verdict.clauses).not.to.include('wage-gap#tables')
    })

    for (const question of ['accept', 'start', 'send', 'continue', 'release'] as const) {
      for (const name of ['uses', 'services', 'sandboxes'] as const) {
        it(`denies at ${question} when ${name} is not known`, () => {
          expect(decide({ question, [name]: null })).to.include({
            verdict: 'deny',
            detail: `the fact "${name}" is not known`
          })
        })
      }
    }

    for (const name of Object.keys(providerFacts())) {
      it(`denies when ${name} is undefined or of another type`, () => {
        for (const wrong of [undefined, Number.NaN, {}, [undefined], 1.5]) {
          const facts = { ...providerFacts(), [name]: wrong }
          expect(
            decideAsProvider(engine, facts, [anAgreement({ limits: { requests: 9, per: 1 } })]).verdict
          ).to.equal('deny')
        }
      })
    }

    it('denies a question that is not on the list', () => {
      const facts = Object.assign(providerFacts(), { question: 'please' })
      expect(decideAsProvider(engine, facts, [anAgreement()]).verdict).to.equal('deny')
    })
  })

  describe('under one agreement', () => {
    const all = (agreements: AgreementInForce[], facts: Partial<ProviderFacts> = {}, wished?: string) =>
      decideAsProvider(engine, providerFacts(facts, agreements), agreements, wished)

    it('takes the lowest id that permits, whatever the order', () => {
      const low = anAgreement({}, { id: 'bafya', name: 'low' })
      const high = anAgreement({}, { id: 'bafyb', name: 'high' })
      expect(all([high, low])).to.have.nested.property('agreement.name', 'low')
    })

    it('takes the one that was wished for, or none', () => {
      const low = anAgreement({}, { id: 'bafya', name: 'low' })
      const high = anAgreement({ purposes: [] }, { id: 'bafyb', name: 'high' })
      expect(all([low, high], {}, 'low')).to.have.nested.property('agreement.name', 'low')
      expect(all([low, high], {}, 'high')).to.have.nested.property('refusal.clause', 'high#purposes')
      expect(all([low, high], {}, 'other')).to.have.nested.property('refusal.code', 'no-agreement')
    })

    it('never mixes clauses of two', () => {
      const one = anAgreement({ purposes: [] })
      const other = anAgreement({ archetypes: [] })
      expect(all([one, other]).verdict).to.equal('deny')
    })

    it('gives the reason of the one that came nearest', () => {
      const far = anAgreement({ purposes: [], algorithms: [] }, { name: 'far' })
      const near = anAgreement({ archetypes: [] }, { name: 'near' })
      const past = anAgreement({ valid: { until: 1 } }, { name: 'past', id: 'bafy0' })
      const later = anAgreement(
        { privacy: { epsilonMicros: 1, budgetMicros: 1, per: 1 } },
        { name: 'later', id: 'bafy00' }
      )
      expect(all([past, later, far, near])).to.have.nested.property('refusal.clause', 'near#archetypes')
      expect(all([past, later])).to.have.nested.property('refusal.code', 'agreement-expired')
    })

    it('refuses all under one with a clause that cannot be enforced, naming it', () => {
      const verdict = all([anAgreement({ privacy: { epsilonMicros: 1, budgetMicros: 1, per: 1 } })])
      expect(verdict).to.have.nested.property('refusal.code', 'clause-not-enforceable')
      expect(verdict).to.have.nested.property('refusal.clause', 'wage-gap#privacy')
    })

    it('refuses all under one that lets results go on, in the words of its check', () => {
      const agreement = anAgreement({ onward: 'partners' })
      const [named] = unenforceableClauses(agreement.payload.terms)
      const verdict = all([agreement])
      if (verdict.verdict === 'permit') throw new Error('permitted')
      expect(verdict.refusal).to.include({ code: 'clause-not-enforceable', clause: 'wage-gap#onward' })
      expect(verdict.refusal.reason).to.include(named?.reason ?? 'no reason')
      expect(all([anAgreement({ onward: 'none' })]).verdict).to.equal('permit')
    })

    it('gives, of reasons as near, the one of an agreement that is about the asker', () => {
      const others = anAgreement({ consumers: [{ organisation: 'RUG' }] }, { name: 'others', id: 'bafy0' })
      const own = anAgreement({ archetypes: [] }, { name: 'own', id: 'bafy1' })
      expect(all([others])).to.have.nested.property('refusal.clause', 'others#consumers')
      expect(all([others, own])).to.have.nested.property('refusal.clause', 'own#archetypes')
    })

    it('permits alike whatever other agreements there are', () => {
      const change = fc.constantFrom<Partial<Terms>>(
        {},
        { purposes: [] },
        { archetypes: '*' },
        { tables: '*' },
        { recipients: [] },
        { valid: { until: 1 } },
        { limits: { requests: 0, per: 1 } }
      )
      const terms = fc.array(change, { maxLength: 3 }).map((changes) => Object.assign({}, ...changes))
      const asked = fc.constantFrom<Partial<ProviderFacts>>(
        {},
        { purpose: 'x' },
        { archetype: 'x' },
        { uses: [{ table: 'Q', columns: ['q'] }] }
      )
      fc.assert(
        fc.property(terms, fc.array(terms, { maxLength: 3 }), asked, (own, others, facts) => {
          const agreement = anAgreement(own, { name: 'own' })
          const alone = all([agreement], facts, 'own')
          const crowd = others.map((other, index) => anAgreement(other, { name: `other${index}` }))
          expect(all([...crowd, agreement], facts, 'own')).to.deep.equal(alone)
          const permitted = [agreement, ...crowd].some((one) => all([one], facts).verdict === 'permit')
          expect(all([agreement, ...crowd], facts).verdict).to.equal(permitted ? 'permit' : 'deny')
        }),
        { numRuns: 60 }
      )
    })
  })

  describe('to somebody who signed nothing', () => {
    const stranger = { requester: { organisation: 'RUG', name: 'analyst' } }
    const told = (agreements: AgreementInForce[], facts: Partial<ProviderFacts> = {}, wished?: string) => {
      const verdict = decideAsProvider(
        engine,
        providerFacts({ ...facts, ...stranger }, agreements),
        agreements,
        wished
      )
      if (verdict.verdict === 'permit') throw new Error('expected a denial')
      return verdict
    }

    it('tells nothing but that there is no agreement', () => {
      expect(told([anAgreement()]).refusal).to.deep.equal({
        code: 'no-agreement',
        clause: null,
        reason: 'no agreement with VU permits this',
        acceptable: null,
        position: null
      })
    })

    it('tells the same whether there is an agreement or a dataset or not', () => {
      const nothing = told([])
      expect(told([anAgreement()], {}, 'wage-gap')).to.deep.equal(nothing)
      expect(told([anAgreement({ output: { minGroupSize: 3 } })], { purpose: 'x' })).to.deep.equal(nothing)
      expect(told([anAgreement()], { dataset: 'other' })).to.deep.equal(nothing)
      expect(told([anAgreement({ recipients: ['RUG'] })])).to.deep.equal(nothing)
    })

    it('does not let a party to one agreement learn of another', () => {
      const theirs = anAgreement(
        { consumers: [{ organisation: 'RUG' }] },
        { parties: ['VU', 'RUG'], name: 'theirs', dataset: 'other' }
      )
      expect(told([anAgreement(), theirs]).refusal.code).to.equal('no-agreement')
    })

    it('names to a party the consumers of its own organisation alone', () => {
      const consumers = [
        { user: { organisation: 'UVA', name: 'analyst' } },
        { user: { organisation: 'RUG', name: 'secret' } }
      ]
      const verdict = decide({ requester: { organisation: 'UVA', name: 'boss' } }, { consumers })
      expect(JSON.stringify(verdict)).to.include('analyst').and.not.include('secret')
    })
  })

  describe('for any request', () => {
    it('denies what breaks any clauses, and names exactly those', () => {
      const broken = fc.subarray(
        BROKEN.filter(([clause]) => !['valid.until', 'limits', 'approval'].includes(clause)),
        { minLength: 1 }
      )
      fc.assert(
        fc.property(broken, (changes) => {
          const facts = Object.assign({}, ...changes.map((change) => change[2]))
          const verdict = decide(facts)
          const services = changes.filter(([clause]) => clause.startsWith('services'))
          // One list of services cannot break both of its clauses in two ways: the later change wins
          const expected = changes
            .filter((change) => !(services.length === 2 && change === services[0]))
            .map(([clause]) => `wage-gap#${clause}`)
          expect(verdict.verdict).to.equal('deny')
          expect(verdict.clauses).to.deep.equal(
            clausesOf('Agreement')
              .map((clause) => `wage-gap#${clause}`)
              .filter((clause) => expected.includes(clause))
          )
        }),
        { numRuns: 100 }
      )
    })

    it('never turns a denial into a permission by asking for more', () => {
      const use = fc.record({
        table: fc.constantFrom('Personen', 'Aanstellingen', 'Geheim'),
        columns: fc.subarray(['Unieknr', 'Geslacht', 'Gebdat', 'Salschal'])
      })
      const facts = fc.record({
        purpose: fc.constantFrom('research', 'marketing'),
        infrastructure: fc.constantFrom(null, 'SURF', 'Cloud'),
        recipients: fc.subarray(['UVA', 'RUG'], { minLength: 1 }),
        uses: fc.array(use, { maxLength: 2 }),
        sandboxes: fc.array(
          fc.record({
            at: fc.constant('X'),
            sandbox: fc.constantFrom('bubblewrap' as const, 'none' as const)
          }),
          { maxLength: 2 }
        )
      })
      fc.assert(
        fc.property(facts, facts, (asked, more) => {
          const wider = {
            ...asked,
            recipients: [...new Set([...asked.recipients, ...more.recipients])],
            uses: [...asked.uses, ...more.uses],
            sandboxes: [...asked.sandboxes, ...more.sandboxes]
          }
          if (decide(asked).verdict === 'deny') expect(decide(wider).verdict).to.equal('deny')
        }),
        { numRuns: 200 }
      )
    })

    it('gives the same answer to the same facts', () => {
      const agreement = anAgreement()
      const facts = providerFacts({}, [agreement])
      const once = decideAsProvider(engine, facts, [agreement])
      expect(decideAsProvider(engine, facts, [agreement])).to.deep.equal(once)
    })
  })
})

describe('an organisation’s own rules', () => {
  const night =
    '@id("night")\n@message("not at night")\nforbid (principal, action, resource) when { context.archetype == "dataThroughTtp" && context.hour < 6 };\n'
  const at = (hour: number, engine: PolicyEngine, terms: Partial<Terms> = {}) => {
    const agreement = anAgreement(terms)
    return decideAsProvider(engine, providerFacts({ now: Date.UTC(2026, 5, 1, hour) }, [agreement]), [
      agreement
    ])
  }

  it('forbid what agreements permit, and show no more than their message', async () => {
    const engine = await createCedarEngine([{ file: 'night.cedar', text: night }])
    expect(at(12, engine).verdict).to.equal('permit')
    const verdict = at(3, engine)
    expect(verdict).to.deep.include({
      verdict: 'deny',
      clauses: ['policy#night'],
      refusal: {
        code: 'policy-forbids',
        clause: null,
        reason: 'a rule of VU forbids it: not at night',
        acceptable: null,
        position: null
      }
    })
  })

  it('see the hour on the clocks of the agreement', async () => {
    const engine = await createCedarEngine([{ file: 'night.cedar', text: night }])
    expect(at(12, engine, { timezone: 'America/Los_Angeles' }).verdict).to.equal('deny')
    expect(at(3, engine, { timezone: 'Asia/Tokyo' }).verdict).to.equal('permit')
  })

  it('are asked for each agreement, so that another may still permit', async () => {
    const engine = await createCedarEngine([
      {
        file: 'a.cedar',
        text: 'forbid (principal, action, resource is Agreement) when { resource.name == "one" };'
      }
    ])
    const agreements = [anAgreement({}, { name: 'one' }), anAgreement({}, { name: 'two' })]
    const verdict = decideAsProvider(engine, providerFacts({}, agreements), agreements)
    expect(verdict).to.have.nested.property('agreement.name', 'two')
  })

  it('see every fact that the schema names', async () => {
    const text =
      'forbid (principal is User, action == Action::"accept", resource is Agreement) when { principal.organisation == "UVA" && principal in Organisation::"UVA" && context.now >= datetime("2026-01-01") && context.self == "VU" && context has columns && context.columns.contains("Personen.Geslacht") && context.infrastructure.contains("SURF") && context has services && context.services.contains("query") && context has requestsInWindow && context.requestsInWindow == 3 && context has unsandboxed && context.unsandboxed.isEmpty() && resource.validUntil > 0 };'
    const engine = await createCedarEngine([{ file: 'a.cedar', text }])
    expect(at(12, engine)).to.have.nested.property('refusal.code', 'policy-forbids')
  })

  it('deny when a rule cannot be evaluated', async () => {
    const text = 'forbid (principal, action, resource) when { context.hour + 9223372036854775807 < 0 };'
    const engine = await createCedarEngine([{ file: 'a.cedar', text }])
    const verdict = at(12, engine)
    expect(verdict).to.have.nested.property('refusal.code', 'policy-forbids')
    expect(verdict)
      .to.have.property('detail')
      .that.matches(/overflow/)
  })

  it('change the id of the policy, and so do the agreement and its rules', async () => {
    const [plain, same, own] = await Promise.all([
      createCedarEngine(),
      createCedarEngine([]),
      createCedarEngine([{ file: 'a', text: night }])
    ])
    const agreement = anAgreement()
    const policy = (engine: PolicyEngine, one = agreement) =>
      decideAsProvider(engine, providerFacts({}, [one]), [one]).policy
    expect(policy(plain)).to.equal(policy(same))
    expect(policy(plain)).not.to.equal(policy(own))
    expect(policy(plain)).not.to.equal(policy(plain, anAgreement()))
  })

  it('of several organisations in one process do not touch each other', async () => {
    const [plain, own] = await Promise.all([
      createCedarEngine(),
      createCedarEngine([{ file: 'a', text: night }])
    ])
    expect(at(3, plain).verdict).to.equal('permit')
    expect(at(3, own).verdict).to.equal('deny')
  })

  const bad: [string, string, RegExp][] = [
    [
      'a syntax error',
      '// é\nforbid (principal, action, resource) when { context.hour < };',
      /^bad\.cedar:2:60: unexpected token/
    ],
    [
      'an unknown fact',
      '// é\nforbid (principal, action, resource) when { context.hours < 6 };',
      /^bad\.cedar:2:45: attribute `hours`.*did you mean `hour`/
    ],
    [
      'an unknown action',
      'forbid (principal, action == Action::"ofer", resource);',
      /^bad\.cedar:1:\d+: .*did you mean `Action::"offer"`/
    ],
    [
      'a comparison of types',
      'forbid (principal, action, resource) when { context.hour == "6" };',
      /^bad\.cedar:1:/
    ],
    ['a template', 'forbid (principal == ?principal, action, resource);', /^bad\.cedar:1:1: .*template/],
    ['a permit', '\npermit (principal, action, resource);', /^bad\.cedar:2:1: a permit lifts nothing here/],
    ['a megabyte', `// ${'x'.repeat(1 << 20)}`, /at most 262144 characters/]
  ]
  for (const [what, text, message] of bad) {
    it(`are refused for ${what}, with its place`, async () => {
      let thrown: unknown
      try {
        await createCedarEngine([{ file: 'bad.cedar', text }])
      } catch (error) {
        thrown = error
      }
      expect(thrown).to.be.instanceOf(RulesMalformed).with.property('message').that.matches(message)
    })
  }

  it('are checked against the schema that is published', async () => {
    expect(
      await readFile(new URL('../../policy/engine/schema.cedarschema', import.meta.url), 'utf8')
    ).to.equal(SCHEMA)
  })
})

describe('the fixed rules', () => {
  it('are valid under the published schema, strictly', async () => {
    const cedar = await import('@cedar-policy/cedar-wasm/nodejs')
    const { RULES } = await import('../../policy/engine/rules.ts')
    for (const [subject, text] of Object.entries(RULES)) {
      const scoped = text.replaceAll(
        '(principal, action, resource)',
        `(principal, action, resource is ${subject})`
      )
      expect(cedar.validate({ schema: SCHEMA, policies: { staticPolicies: scoped } })).to.deep.equal({
        type: 'success',
        validationErrors: [],
        validationWarnings: [],
        otherWarnings: []
      })
    }
  })

  it('are given entities and facts that are valid under the published schema, for every question', async () => {
    const cedar = await import('@cedar-policy/cedar-wasm/nodejs')
    const real = await createCedarEngine()
    const seen: Evaluation[] = []
    const engine: PolicyEngine = {
      ...real,
      policy: real.policy,
      evaluate(evaluation) {
        seen.push(evaluation)
        return real.evaluate(evaluation)
      }
    }
    const agreement = anAgreement()
    const perJob = { memory: 1, seconds: 1, disk: 1 }
    for (const question of ['offer', 'accept', 'start', 'send', 'continue', 'release'] as const) {
      decideAsProvider(engine, providerFacts({ question }, [agreement]), [agreement])
    }
    const early = { question: 'offer', uses: null, services: null, sandboxes: null } as const
    decideAsProvider(engine, providerFacts(early, [agreement]), [anAgreement({ valid: {}, tables: '*' })])
    decideAsProvider(engine, discoveryFacts(providerFacts()), [agreement])
    for (const question of ['host', 'accept', 'start', 'continue'] as const) {
      decideAsHost(engine, hostFacts({ question }), { for: '*', algorithms: [], perJob })
    }
    for (const question of ['accept', 'start', 'continue', 'receive'] as const) {
      decideAsRecipient(engine, recipientFacts({ question }))
    }
    for (const question of ['send', 'receive', 'release'] as const) {
      decideFlow(engine, flowFacts({ question }))
      decideFlow(engine, flowFacts({ question, rows: null }))
    }
    expect(new Set(seen.map((one) => one.question))).to.deep.equal(new Set(QUESTIONS))
    for (const evaluation of seen) {
      const policies = { staticPolicies: 'permit (principal, action, resource);' }
      const answer = cedar.isAuthorized({
        ...callOf(evaluation),
        schema: SCHEMA,
        validateRequest: true,
        policies
      })
      expect(answer).to.have.nested.property('response.decision', 'allow')
    }
  })

  it('deny by another provider or about another dataset, even if one were handed to them', async () => {
    const engine = await createCedarEngine()
    const agreement = anAgreement()
    const facts = providerFacts({}, [agreement])
    const ask = (changed: Partial<ProviderFacts>) =>
      engine.evaluate({
        subject: 'Agreement',
        question: 'accept',
        principal: facts.requester,
        resource: { id: agreement.id, attributes: agreementAttributes(agreement, facts) },
        context: agreementContext(agreement, { ...facts, ...changed })
      }).broken
    expect(ask({})).to.deep.equal([])
    expect(ask({ organisation: 'RUG' })).to.deep.equal(['dataset'])
    expect(ask({ dataset: 'other' })).to.deep.equal(['dataset'])
  })

  it('deny by default: without terms nothing is permitted', async () => {
    const engine = await createCedarEngine()
    const closed: Terms = {
      consumers: [],
      purposes: [],
      archetypes: [],
      computeProviders: [],
      recipients: [],
      tables: {},
      algorithms: [],
      services: { require: [], forbid: [] },
      output: {},
      valid: {},
      timezone: 'UTC',
      about: {}
    }
    const agreement = anAgreement()
    const empty = { ...agreement, payload: { ...agreement.payload, terms: closed } }
    const verdict = decideAsProvider(engine, providerFacts(), [empty])
    expect(verdict.clauses).to.deep.equal(
      [
        'consumers',
        'purposes',
        'archetypes',
        'computeProviders',
        'recipients',
        'algorithms',
        'tables',
        'columns'
      ].map((clause) => `wage-gap#${clause}`)
    )
  })
})
