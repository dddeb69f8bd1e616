import { expect } from 'chai'
import {
  createCedarEngine,
  decideAsHost,
  decideAsRecipient,
  decideFlow,
  type FlowFacts,
  type HostFacts,
  type PolicyEngine,
  type RecipientFacts,
  type Verdict
} from '../../policy/index.ts'
import { type Hosting, refusal } from '../../protocol/documents/index.ts'
import { aContract, DAY, flowFacts, hostFacts, NOW, PEERS, RESULT_TERMS, recipientFacts } from './builders.ts'

function expectDenied(verdict: Verdict, code: string, clause: string | null): void {
  expect(verdict).to.have.nested.property('refusal.code', code)
  expect(verdict).to.have.nested.property('refusal.clause', clause)
  if (verdict.verdict === 'deny') refusal.parse(verdict.refusal)
}

describe('a compute provider’s decision', () => {
  const perJob = { memory: 1, seconds: 1, disk: 1 }
  const hosting: Hosting = { for: ['UVA'], algorithms: ['average'], perJob }
  let engine: PolicyEngine
  before(async () => {
    engine = await createCedarEngine()
  })

  for (const question of ['host', 'accept', 'start', 'continue'] as const) {
    it(`permits at ${question} whom and what it computes for`, () => {
      const facts = hostFacts({ question })
      expect(decideAsHost(engine, facts, hosting)).to.deep.include({
        verdict: 'permit',
        clauses: ['hosting#infrastructure', 'hosting#for', 'hosting#algorithms']
      })
      expect(decideAsHost(engine, facts, { for: '*', algorithms: '*', perJob }).verdict).to.equal('permit')
    })
  }

  const denied: [string, Partial<HostFacts>, string, string][] = [
    [
      'somebody else',
      { requester: { organisation: 'RUG', name: 'a' } },
      'hosting-not-offered',
      'hosting#for'
    ],
    ['another algorithm', { algorithm: 'train' }, 'algorithm-not-permitted', 'hosting#algorithms'],
    ['another place', { infrastructure: 'Cloud' }, 'contract-invalid', 'hosting#infrastructure'],
    ['no place', { infrastructure: null }, 'contract-invalid', 'hosting#infrastructure']
  ]
  for (const [what, change, code, clause] of denied) {
    it(`denies ${what} with ${code}`, () => {
      expectDenied(decideAsHost(engine, hostFacts(change), hosting), code, clause)
    })
  }

  it('says whom it computes for and what, which it announces anyway', () => {
    const verdict = decideAsHost(engine, hostFacts({ algorithm: 'train' }), hosting)
    expect(verdict).to.have.deep.nested.property('refusal.acceptable', { algorithms: ['average'] })
  })

  it('denies when it computes for nobody', () => {
    expectDenied(decideAsHost(engine, hostFacts(), null), 'role-not-offered', null)
    expectDenied(
      decideAsHost(engine, hostFacts(), { for: [], algorithms: [], perJob }),
      'hosting-not-offered',
      'hosting#for'
    )
  })

  it('denies when its own rules forbid', async () => {
    const text =
      'forbid (principal, action == Action::"host", resource) when { context.dataProviders.contains("VU") };'
    const own = await createCedarEngine([{ file: 'own.cedar', text }])
    expectDenied(decideAsHost(own, hostFacts(), hosting), 'policy-forbids', null)
    expect(decideAsHost(own, hostFacts({ question: 'accept' }), hosting).verdict).to.equal('permit')
  })

  for (const name of Object.keys(hostFacts())) {
    it(`denies when ${name} is undefined`, () => {
      expect(decideAsHost(engine, { ...hostFacts(), [name]: undefined }, hosting).verdict).to.equal('deny')
    })
  }
})

describe('a recipient’s decision', () => {
  let engine: PolicyEngine
  before(async () => {
    engine = await createCedarEngine()
  })

  for (const question of ['accept', 'start', 'continue', 'receive'] as const) {
    it(`permits at ${question} what it asked for or agreed to take`, () => {
      expect(decideAsRecipient(engine, recipientFacts({ question })).verdict).to.equal('permit')
      expect(
        decideAsRecipient(engine, recipientFacts({ question, asked: false, consents: true })).verdict
      ).to.equal('permit')
    })
  }

  const denied: [string, Partial<RecipientFacts>, string, string][] = [
    ['what it did not ask for', { asked: false }, 'recipient-declines', 'delivery#asked'],
    ['what is for others', { recipients: ['RUG'] }, 'recipient-not-permitted', 'delivery#recipients'],
    ['what is for nobody', { recipients: [] }, 'recipient-not-permitted', 'delivery#recipients']
  ]
  for (const [what, change, code, clause] of denied) {
    it(`denies ${what}`, () => {
      expectDenied(decideAsRecipient(engine, recipientFacts(change)), code, clause)
    })
  }

  for (const name of Object.keys(recipientFacts())) {
    it(`denies when ${name} is undefined`, () => {
      expect(decideAsRecipient(engine, { ...recipientFacts(), [name]: undefined }).verdict).to.equal('deny')
    })
  }
})

describe('opening a flow', () => {
  const { VU, SURF, UVA } = PEERS
  const toSurf = { flow: 0, from: VU, to: SURF, step: 1 }
  const toUva = { flow: 1, from: SURF, to: UVA, step: 2 }
  let engine: PolicyEngine
  before(async () => {
    engine = await createCedarEngine()
  })

  const permitted: [string, Partial<FlowFacts>][] = [
    ['the data provider sends', { question: 'send', self: VU, flow: toSurf }],
    ['the compute provider receives', { question: 'receive', self: SURF, flow: toSurf }],
    ['the compute provider releases', { question: 'release', self: SURF, flow: toUva }],
    ['the recipient receives', { question: 'receive', self: UVA, flow: toUva }],
    ['rows are not counted yet', { rows: null }],
    [
      'what flows between hops has more rows than a result may',
      { question: 'send', self: VU, flow: toSurf, rows: 5000 }
    ]
  ]
  for (const [what, change] of permitted) {
    it(`is permitted when ${what}`, () => {
      expect(decideFlow(engine, flowFacts(change))).to.have.property('verdict', 'permit')
    })
  }

  const terms = (change: Partial<typeof RESULT_TERMS>) => ({
    contract: aContract({ terms: { ...RESULT_TERMS, ...change } })
  })
  const denied: [string, Partial<FlowFacts>, string, string][] = [
    [
      'in the wrong direction',
      { flow: { flow: 1, from: UVA, to: SURF, step: 2 } },
      'flow-not-in-contract',
      'contract#flows'
    ],
    ['under another number', { flow: { ...toUva, flow: 2 } }, 'flow-not-in-contract', 'contract#flows'],
    ['of another step', { flow: { ...toUva, step: 0 } }, 'flow-not-in-contract', 'contract#flows'],
    [
      'to somebody who is no party',
      { flow: { ...toUva, to: 'stranger' } },
      'flow-not-in-contract',
      'contract#parties'
    ],
    ['by somebody between', { self: VU }, 'flow-not-in-contract', 'contract#place'],
    ['by the wrong end', { question: 'receive' }, 'flow-not-in-contract', 'contract#place'],
    [
      'as a release to a compute provider',
      { self: VU, flow: toSurf },
      'flow-not-in-contract',
      'contract#delivery'
    ],
    ['after the contract expired', { now: NOW + DAY }, 'document-expired', 'contract#expires'],
    [
      'to a recipient the terms do not allow',
      terms({ recipients: ['RUG'] }),
      'recipient-not-permitted',
      'contract#recipients'
    ],
    [
      'to a recipient the contract does not name',
      { contract: aContract({ recipients: ['RUG'], terms: { ...RESULT_TERMS, recipients: '*' } }) },
      'recipient-not-permitted',
      'contract#recipients'
    ],
    ['for another purpose', terms({ purposes: ['health'] }), 'purpose-not-permitted', 'contract#purposes'],
    ['after the terms ended', terms({ until: NOW }), 'agreement-expired', 'contract#until'],
    [
      'without a required service',
      terms({ services: ['compress'] }),
      'service-required',
      'contract#services.require'
    ],
    [
      'with a forbidden service',
      terms({ forbid: ['aggregate'] }),
      'service-forbidden',
      'contract#services.forbid'
    ],
    ['with too many rows', { rows: 1001 }, 'output-limit', 'contract#maxRows']
  ]
  for (const [what, change, code, clause] of denied) {
    it(`is denied ${what}`, () => {
      expectDenied(decideFlow(engine, flowFacts(change)), code, clause)
    })
  }

  for (const name of Object.keys(flowFacts())) {
    it(`is denied when ${name} is undefined`, () => {
      expect(decideFlow(engine, { ...flowFacts(), [name]: undefined }).verdict).to.equal('deny')
    })
  }

  it('is denied when the organisation’s own rules forbid', async () => {
    const text =
      '@message("nothing leaves")\nforbid (principal, action == Action::"send", resource is Contract) when { context.self == "VU" && context has flow && !context.flow.delivers };'
    const own = await createCedarEngine([{ file: 'own.cedar', text }])
    const verdict = decideFlow(own, flowFacts({ question: 'send', self: VU, flow: toSurf }))
    expectDenied(verdict, 'policy-forbids', null)
    expect(verdict).to.have.nested.property('refusal.reason', 'a rule of VU forbids it: nothing leaves')
  })
})
