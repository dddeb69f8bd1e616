import { expect } from 'chai'
import {
  type AgreementInForce,
  createCedarEngine,
  decideAsProvider,
  type PolicyEngine,
  type ProviderFacts,
  type ProviderVerdict
} from '../../policy/index.ts'
import type { Terms } from '../../protocol/documents/index.ts'
import { anAgreement, providerFacts } from './builders.ts'

/*
 * The example scenarios of DYNAMOS-eflint (https://github.com/DYNAMOS-UVA/DYNAMOS-eflint, docs/eflint-examples, commit
 * 2e69978), asked of our engine. What is the same and what is not:
 *
 * - A relation of a requester at a steward, within what the steward supports, is an agreement here: a grant of its own,
 *   whose archetypes and compute providers are those that both the relation and the steward name.
 * - The fact permitted-at-steward is the question `discover`; valid-archetype and valid-compute-provider are `offer`, asked of
 *   each; the act submit-data-request is `accept`; permitted-continuation is `continue`.
 * - permitted-request holds there when one steward permits. Here each provider decides for itself, and how many have to
 *   permit is the request's `require`; with `available` one is enough.
 * - People belong to an organisation here, which signs: all requesters are of one, Analysts.
 */

const ANALYSTS = 'Analysts'
const ARCHETYPES = ['computeToData', 'dataThroughTtp', 'reproducableScience']
const COMPUTE_PROVIDERS = ['SURF']

type Relations = readonly AgreementInForce[]

function relation(requester: string, steward: string, terms: Partial<Terms>): AgreementInForce {
  return anAgreement(
    {
      consumers: [{ user: { organisation: ANALYSTS, name: requester } }],
      computeProviders: COMPUTE_PROVIDERS,
      recipients: [ANALYSTS],
      tables: '*',
      services: { require: [], forbid: [] },
      valid: {},
      ...terms
    },
    { name: `${requester}-at-${steward}`, provider: steward, parties: [steward, ANALYSTS] }
  )
}

const NIELS_AT_VU = relation('Niels', 'VU', { archetypes: ['computeToData'] })
const NIELS_AT_UVA = relation('Niels', 'UVA', { archetypes: ['computeToData', 'dataThroughTtp'] })
const ALICE_AT_UVA = relation('Alice', 'UVA', { archetypes: ['dataThroughTtp'] })
/** agreement_VU.eflint and agreement_UVA.eflint */
const AGREED: Relations = [NIELS_AT_VU, NIELS_AT_UVA, ALICE_AT_UVA]

describe('the scenarios of DYNAMOS-eflint', () => {
  let engine: PolicyEngine
  before(async () => {
    engine = await createCedarEngine()
  })

  function decide(
    requester: string,
    steward: string,
    agreed: Relations,
    facts: Partial<ProviderFacts>
  ): ProviderVerdict {
    const about = {
      organisation: steward,
      requester: { organisation: ANALYSTS, name: requester },
      recipients: [ANALYSTS],
      sandboxes: [{ at: steward, sandbox: 'bubblewrap' as const }],
      archetype: '',
      infrastructure: null
    }
    return decideAsProvider(engine, providerFacts({ ...about, ...facts }, [...agreed]), agreed)
  }

  const permits = (...input: Parameters<typeof decide>) => decide(...input).verdict === 'permit'
  const codeOf = (...input: Parameters<typeof decide>) => {
    const verdict = decide(...input)
    return verdict.verdict === 'permit' ? 'permit' : verdict.refusal.code
  }

  const permittedAt = (requester: string, steward: string, agreed = AGREED) =>
    permits(requester, steward, agreed, { question: 'discover' })
  const permittedRequest = (requester: string, stewards: readonly string[], agreed = AGREED) =>
    stewards.some((steward) => permittedAt(requester, steward, agreed))
  const validArchetypes = (requester: string, steward: string, agreed = AGREED) =>
    ARCHETYPES.filter((archetype) => permits(requester, steward, agreed, { question: 'offer', archetype }))
  const validComputeProviders = (requester: string, steward: string, agreed = AGREED) =>
    [...COMPUTE_PROVIDERS, 'Cloud'].filter((infrastructure) =>
      validArchetypes(requester, steward, agreed).some((archetype) =>
        permits(requester, steward, agreed, { question: 'offer', archetype, infrastructure })
      )
    )
  const submit = (requester: string, steward: string, archetype: string, agreed = AGREED) =>
    codeOf(requester, steward, agreed, { question: 'accept', archetype })
  const continuation = (
    requester: string,
    steward: string,
    facts: Pick<ProviderFacts, 'archetype'> & Partial<ProviderFacts>,
    agreed = AGREED
  ) => codeOf(requester, steward, agreed, { question: 'continue', ...facts })

  it('01: Niels requests VU and UVA — approved', () => {
    expect(permittedRequest('Niels', ['VU', 'UVA'])).to.equal(true)
    expect(permittedAt('Niels', 'VU')).to.equal(true)
    expect(permittedAt('Niels', 'UVA')).to.equal(true)
    expect(validArchetypes('Niels', 'VU')).to.deep.equal(['computeToData'])
    expect(validArchetypes('Niels', 'UVA')).to.deep.equal(['computeToData', 'dataThroughTtp'])
    expect(validComputeProviders('Niels', 'VU')).to.deep.equal(['SURF'])
    expect(validComputeProviders('Niels', 'UVA')).to.deep.equal(['SURF'])
    expect(submit('Niels', 'VU', 'computeToData')).to.equal('permit')
    expect(submit('Niels', 'UVA', 'computeToData')).to.equal('permit')
    expect(continuation('Niels', 'VU', { archetype: 'computeToData' })).to.equal('permit')
    expect(continuation('Niels', 'UVA', { archetype: 'computeToData' })).to.equal('permit')
  })

  it('02a: Alice requests UVA — approved', () => {
    expect(permittedRequest('Alice', ['UVA'])).to.equal(true)
    expect(permittedAt('Alice', 'UVA')).to.equal(true)
    expect(validArchetypes('Alice', 'UVA')).to.deep.equal(['dataThroughTtp'])
    expect(submit('Alice', 'UVA', 'dataThroughTtp')).to.equal('permit')
  })

  it('02b: Alice requests VU and UVA — approved at UVA alone', () => {
    expect(permittedRequest('Alice', ['VU', 'UVA'])).to.equal(true)
    expect(permittedAt('Alice', 'VU')).to.equal(false)
    expect(permittedAt('Alice', 'UVA')).to.equal(true)
    expect(validArchetypes('Alice', 'VU')).to.deep.equal([])
    expect(validArchetypes('Alice', 'UVA')).to.deep.equal(['dataThroughTtp'])
    expect(submit('Alice', 'VU', 'computeToData')).to.equal('consumer-not-permitted')
    expect(submit('Alice', 'UVA', 'dataThroughTtp')).to.equal('permit')
  })

  it('03a: Bob requests SURF_org — denied, there is no agreement', () => {
    expect(permittedAt('Bob', 'SURF_org')).to.equal(false)
    expect(permittedRequest('Bob', ['SURF_org'])).to.equal(false)
    expect(submit('Bob', 'SURF_org', 'computeToData')).to.equal('no-agreement')
  })

  it('03b: Bob requests VU and UVA — denied, he has a relation with neither', () => {
    expect(permittedAt('Bob', 'VU')).to.equal(false)
    expect(permittedAt('Bob', 'UVA')).to.equal(false)
    expect(permittedRequest('Bob', ['VU', 'UVA'])).to.equal(false)
  })

  it('04a: Alice requests VU — denied, her relation is with UVA; adding UVA makes it admissible', () => {
    expect(permittedAt('Alice', 'VU')).to.equal(false)
    expect(permittedRequest('Alice', ['VU'])).to.equal(false)
    expect(permittedRequest('Alice', ['VU', 'UVA'])).to.equal(true)
  })

  it('04b: Alice requests UVA — approved, in one archetype of the three that UVA supports', () => {
    expect(permittedAt('Alice', 'UVA')).to.equal(true)
    for (const archetype of ['computeToData', 'reproducableScience']) {
      // what Niels may says nothing to Alice: her own relation gives the reason
      expect(submit('Alice', 'UVA', archetype)).to.equal('archetype-not-permitted')
      expect(submit('Alice', 'UVA', archetype, [ALICE_AT_UVA])).to.equal('archetype-not-permitted')
    }
    expect(validArchetypes('Alice', 'UVA')).to.deep.equal(['dataThroughTtp'])
  })

  it('05a: the policy changes — VU withdraws computeToData, and what runs by it may not go on', () => {
    expect(submit('Niels', 'VU', 'computeToData')).to.equal('permit')
    expect(continuation('Niels', 'VU', { archetype: 'computeToData' })).to.equal('permit')
    const withdrawn = [relation('Niels', 'VU', { archetypes: [] })]
    expect(validArchetypes('Niels', 'VU', withdrawn)).to.deep.equal([])
    expect(continuation('Niels', 'VU', { archetype: 'computeToData' }, withdrawn)).to.equal(
      'archetype-not-permitted'
    )
    expect(continuation('Niels', 'VU', { archetype: 'computeToData' })).to.equal('permit')
  })

  it('05b: the subject changes — Niels loses his relation with VU, and what runs for him may not go on', () => {
    expect(submit('Niels', 'VU', 'computeToData')).to.equal('permit')
    const lost = [NIELS_AT_UVA, ALICE_AT_UVA]
    expect(permittedAt('Niels', 'VU', lost)).to.equal(false)
    expect(continuation('Niels', 'VU', { archetype: 'computeToData' }, lost)).to.equal('no-agreement')
    expect(continuation('Niels', 'VU', { archetype: 'computeToData' })).to.equal('permit')
  })

  it('05c: the object changes — VU removes SURF as a compute provider, and data may not go on through it', () => {
    const through = { archetype: 'dataThroughTtp', infrastructure: 'SURF' }
    const both = ['computeToData', 'dataThroughTtp']
    const before = [relation('Niels', 'VU', { archetypes: both })]
    const after = [relation('Niels', 'VU', { archetypes: both, computeProviders: [] })]
    expect(continuation('Niels', 'VU', through, before)).to.equal('permit')
    expect(validComputeProviders('Niels', 'VU', before)).to.deep.equal(['SURF'])
    // The archetype is still valid; there permitted-continuation holds, and the runtime asks for the provider besides
    expect(validArchetypes('Niels', 'VU', after)).to.deep.equal(both)
    expect(validComputeProviders('Niels', 'VU', after)).to.deep.equal([])
    // Here `continue` is about the place too
    expect(continuation('Niels', 'VU', through, after)).to.equal('compute-provider-not-permitted')
    expect(continuation('Niels', 'VU', { archetype: 'computeToData' }, after)).to.equal('permit')
  })
})

describe('what DYNAMOS-eflint declares and does not decide by', () => {
  let engine: PolicyEngine
  before(async () => {
    engine = await createCedarEngine()
  })

  it('is decided by here: the dataset, columns, the purpose and where results go', () => {
    const facts: [Partial<ProviderFacts>, string][] = [
      [{}, 'permit'],
      [{ dataset: 'other' }, 'no-agreement'],
      [{ uses: [{ table: 'Personen', columns: ['Gebdat'] }] }, 'column-not-permitted'],
      [{ purpose: 'marketing' }, 'purpose-not-permitted'],
      [{ recipients: ['RUG'] }, 'recipient-not-permitted']
    ]
    const agreement = anAgreement()
    for (const [changed, expected] of facts) {
      const verdict = decideAsProvider(engine, providerFacts(changed, [agreement]), [agreement])
      expect(verdict.verdict === 'permit' ? 'permit' : verdict.refusal.code).to.equal(expected)
    }
  })
})
