import type {
  AgreementInForce,
  FlowFacts,
  HostFacts,
  ProviderFacts,
  RecipientFacts
} from '../../policy/index.ts'
import type { Payload, ResultTerms, Terms } from '../../protocol/documents/index.ts'

const VU_PEER = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp'
const SURF_PEER = '12D3KooWBmAwcd4PJNJvfV89HwE48nwkRmAgo8Vy3uQEyNNHBox2'
const UVA_PEER = '12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo'
export const PEERS = { VU: VU_PEER, SURF: SURF_PEER, UVA: UVA_PEER }

export const DAY = 86_400_000
export const NOW = Date.UTC(2026, 5, 1, 12)

export const TERMS: Terms = {
  consumers: [{ user: { organisation: 'UVA', name: 'analyst' } }],
  purposes: ['research'],
  archetypes: ['computeToData', 'dataThroughTtp'],
  computeProviders: ['SURF'],
  recipients: ['UVA'],
  tables: {
    Personen: { columns: ['Unieknr', 'Geslacht', 'Peildat'], where: 'Peildat >= 20170101' },
    Aanstellingen: { columns: '*' }
  },
  services: { require: ['anonymize'], forbid: ['graph'] },
  algorithms: ['average', 'table'],
  output: { maxRows: 1000 },
  limits: { requests: 10, per: DAY },
  valid: { from: Date.UTC(2026, 0, 1), until: Date.UTC(2027, 0, 1) },
  sandbox: 'required',
  timezone: 'UTC',
  about: {}
}

let serial = 0

/** An agreement of VU about wageGap; ids ascend in the order of making. */
export function anAgreement(
  overrides: Partial<Terms> = {},
  head: Partial<Pick<Payload<'agreement'>, 'name' | 'parties' | 'dataset' | 'provider'>> & {
    id?: string
  } = {}
): AgreementInForce {
  serial += 1
  const { id = `bafy${String(serial).padStart(6, '0')}`, ...names } = head
  return {
    id,
    payload: {
      type: 'agreement',
      version: 1,
      marketplace: '',
      issuer: VU_PEER,
      issuedAt: 0,
      expires: Date.UTC(2030, 0, 1),
      name: 'wage-gap',
      provider: 'VU',
      dataset: 'wageGap',
      parties: ['VU', 'UVA'],
      terms: { ...TERMS, ...overrides },
      pins: {},
      ...names
    }
  }
}

/** An acceptance that {@link TERMS} permit whole. */
export function providerFacts(
  overrides: Partial<ProviderFacts> = {},
  agreements: AgreementInForce[] = []
): ProviderFacts {
  return {
    question: 'accept',
    now: NOW,
    organisation: 'VU',
    requester: { organisation: 'UVA', name: 'analyst' },
    purpose: 'research',
    archetype: 'dataThroughTtp',
    infrastructure: 'SURF',
    recipients: ['UVA'],
    dataset: 'wageGap',
    uses: [
      { table: 'Personen', columns: ['Unieknr', 'Geslacht'] },
      { table: 'Aanstellingen', columns: ['Salschal'] }
    ],
    services: ['query', 'anonymize', 'aggregate'],
    algorithm: 'average',
    requestsInWindow: Object.fromEntries(agreements.map(({ id }) => [id, { count: 3, freesAt: null }])),
    sandboxes: [
      { at: 'VU', sandbox: 'bubblewrap' },
      { at: 'SURF', sandbox: 'bubblewrap' }
    ],
    ...overrides
  }
}

const SHARED = {
  now: NOW,
  requester: { organisation: 'UVA', name: 'analyst' },
  purpose: 'research',
  archetype: 'dataThroughTtp',
  algorithm: 'average',
  datasets: ['wageGap'],
  dataProviders: ['VU'],
  infrastructure: 'SURF',
  recipients: ['UVA']
}

export function hostFacts(overrides: Partial<HostFacts> = {}): HostFacts {
  return { question: 'host', organisation: 'SURF', ...SHARED, ...overrides }
}

export function recipientFacts(overrides: Partial<RecipientFacts> = {}): RecipientFacts {
  return { question: 'accept', organisation: 'UVA', asked: true, consents: false, ...SHARED, ...overrides }
}

export const RESULT_TERMS: ResultTerms = {
  recipients: ['UVA'],
  purposes: ['research'],
  until: Date.UTC(2027, 0, 1),
  services: ['anonymize'],
  forbid: ['graph'],
  maxRows: 1000,
  onward: 'none'
}

/** VU computes, SURF aggregates, UVA receives. */
export function aContract(overrides: Partial<Payload<'contract'>> = {}): FlowFacts['contract'] {
  const party = (peer: string, organisation: string, role: 'data' | 'infrastructure' | 'recipient') => ({
    peer,
    organisation,
    roles: [role],
    offer: null,
    sandbox: 'bubblewrap' as const,
    section: 'bafysection'
  })
  return {
    id: 'bafycontract',
    payload: {
      type: 'contract',
      version: 1,
      marketplace: '',
      issuer: UVA_PEER,
      issuedAt: 0,
      expires: NOW + DAY,
      request: 'bafyrequest',
      epoch: 1,
      organisation: 'UVA',
      user: { organisation: 'UVA', name: 'analyst' },
      purpose: 'research',
      datasets: ['wageGap'],
      algorithm: 'average',
      archetype: {
        name: 'dataThroughTtp',
        roles: { data: 'many', algorithm: 'one', infrastructure: 'one', recipient: 'one' },
        where: [],
        steps: [{ service: 'query', at: 'data' }],
        output: { to: 'recipient' }
      },
      parties: [
        party(VU_PEER, 'VU', 'data'),
        party(SURF_PEER, 'SURF', 'infrastructure'),
        party(UVA_PEER, 'UVA', 'recipient')
      ],
      chain: [
        { step: 0, service: 'query', at: VU_PEER },
        { step: 1, service: 'anonymize', at: VU_PEER },
        { step: 2, service: 'aggregate', at: SURF_PEER }
      ],
      flows: [
        { flow: 0, from: VU_PEER, to: SURF_PEER, step: 1 },
        { flow: 1, from: SURF_PEER, to: UVA_PEER, step: 2 }
      ],
      recipients: ['UVA'],
      terms: RESULT_TERMS,
      deadline: DAY,
      ...overrides
    }
  }
}

/** SURF releases the result to UVA. */
export function flowFacts(overrides: Partial<FlowFacts> = {}): FlowFacts {
  return {
    question: 'release',
    now: NOW,
    self: SURF_PEER,
    contract: aContract(),
    flow: { flow: 1, from: SURF_PEER, to: UVA_PEER, step: 2 },
    rows: 10,
    ...overrides
  }
}
