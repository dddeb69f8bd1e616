import { pino } from 'pino'
import {
  type AgreementView,
  type ApprovalView,
  createApi,
  type DatasetView,
  type MarketplaceView,
  type Operations,
  type PolicyView,
  type ProgressEvent,
  type RequestView,
  type StandingOfferView,
  type StandingOperations
} from '../../agent/api/index.ts'
import { parseSubmission } from '../../agent/config/index.ts'

export const TOKEN = 'token-of-the-analyst-0123456789abcdefgh'
export const USER = 'analyst@uva.nl'
/** Of a user without roles. */
export const ANALYST_TOKEN = 'token-of-another-analyst-0123456789abcdef'
export const ANALYST = 'other@uva.nl'

export function anOffer(changes: Partial<StandingOfferView> = {}): StandingOfferView {
  return {
    id: 'bafyoffer',
    name: 'open-wages',
    provider: 'VU',
    dataset: 'wageGap',
    purposes: ['research'],
    until: '2027-01-01T00:00:00.000Z',
    state: 'published',
    ...changes
  }
}

export function fakeStanding(): StandingOperations {
  return {
    list: async () => ({ offers: [anOffer()], unreached: [] }),
    show: async () => anOffer(),
    prepare: async () => ({ id: 'bafyoffer', payload: 'AAAA', view: anOffer({ state: 'draft' }) }),
    publish: async () => anOffer(),
    withdraw: async () => anOffer({ state: 'withdrawn' }),
    prepareTaking: async () => ({ id: 'bafyagreement', payload: 'AAAA', view: anAgreement() }),
    take: async () => anAgreement()
  }
}

export function aRequest(changes: Partial<RequestView> = {}): RequestView {
  return {
    request: 'bafyrequest',
    contract: 'bafycontract',
    status: 'completed',
    archetype: 'computeToData',
    missing: [],
    notes: [],
    chain: [{ service: 'query', at: 'VU' }],
    decisions: [],
    candidates: [],
    results: [
      {
        from: ['VU'],
        columns: ['Geslacht', 'average'],
        types: ['VARCHAR', 'DOUBLE'],
        rows: [['M', 11.287]],
        rowCount: 1,
        truncated: false,
        suppressed: []
      }
    ],
    artifacts: [],
    receipts: [],
    timing: { total: 113 },
    submitted: '2026-01-01T00:00:00.000Z',
    user: USER,
    ...changes
  }
}

export function anEvent(sequence: number, changes: Partial<ProgressEvent> = {}): ProgressEvent {
  return {
    sequence,
    at: '2026-01-01T00:00:00.000Z',
    status: 'running',
    phase: 'execute',
    message: `step ${sequence}`,
    ...changes
  }
}

export function aDataset(changes: Partial<DatasetView> = {}): DatasetView {
  return {
    id: 'wageGap',
    title: 'University wages',
    providers: [{ organisation: 'VU', peerId: '12D3VU', agreements: ['wage-gap-2026'] }],
    tables: [{ name: 'Personen', rows: 180, columns: [{ name: 'Geslacht', type: 'VARCHAR' }] }],
    differences: [],
    ask: "dynamos ask 'SELECT Geslacht FROM Personen' --dataset wageGap --purpose research",
    ...changes
  }
}

export function anAgreement(changes: Partial<AgreementView> = {}): AgreementView {
  return {
    id: 'bafyagreement',
    name: 'wage-gap-2026',
    provider: 'VU',
    dataset: 'wageGap',
    parties: ['VU', 'UVA'],
    signedBy: ['VU', 'UVA'],
    state: 'in-force',
    unenforceable: [],
    plain: ['analyst@uva.nl may ask for research'],
    terms: {},
    ...changes
  }
}

export function anApproval(changes: Partial<ApprovalView> = {}): ApprovalView {
  return {
    request: 'bafyrequest',
    agreement: 'wage-gap-2026',
    organisation: 'UVA',
    user: USER,
    purpose: 'research',
    datasets: ['wageGap'],
    algorithm: 'average',
    parameters: { value: 'Salschal' },
    query: 'SELECT Salschal FROM Aanstellingen',
    asked: '2026-01-01T00:00:00.000Z',
    until: '2026-01-04T00:00:00.000Z',
    state: 'pending',
    by: ['steward@vu.nl'],
    ...changes
  }
}

export function aPolicy(changes: Partial<PolicyView> = {}): PolicyView {
  return {
    folder: '/srv/policy',
    policy: 'a'.repeat(64),
    since: '2026-01-01T00:00:00.000Z',
    files: ['own.cedar'],
    ignored: [],
    rules: 1,
    warnings: [],
    broken: null,
    decisionPoint: null,
    ...changes
  }
}

export function aMarketplace(changes: Partial<MarketplaceView> = {}): MarketplaceView {
  return {
    marketplace: 'bafycharter',
    name: 'Universities',
    contact: 'board@example.org',
    now: new Date().toISOString(),
    status: {
      number: 1,
      list: 'bafylist',
      issued: new Date().toISOString(),
      holdsUntil: new Date(Date.now() + 7 * 86_400_000).toISOString(),
      tooOld: false,
      expelled: [],
      conflicts: []
    },
    membership: {
      organisation: 'UVA',
      peer: '12D3UVA',
      standing: 'member',
      agents: ['12D3UVA'],
      stewards: [],
      roles: [],
      speaksFor: ['uva.nl'],
      issued: new Date().toISOString(),
      expires: new Date(Date.now() + 90 * 86_400_000).toISOString()
    },
    encounters: [],
    ...changes
  }
}

export function fakeOperations(changes: Partial<Operations> = {}): Operations {
  return {
    health: async () => ({
      status: 'ok',
      organisation: 'UVA',
      peerId: '12D3UVA',
      version: '0.1.0',
      sandbox: 'bubblewrap',
      problems: []
    }),
    submit: async () => ({ request: 'bafyrequest', created: true }),
    explain: async () => aRequest({ status: 'queued' }),
    artifact: async () => undefined,
    requests: async () => [
      {
        request: 'bafyrequest',
        status: 'completed',
        submitted: '2026-01-01T00:00:00.000Z',
        user: USER,
        datasets: ['wageGap']
      }
    ],
    request: async (id) => (id === 'bafyrequest' ? aRequest() : undefined),
    events: async function* () {
      yield anEvent(1)
      yield anEvent(2)
      yield anEvent(3, { status: 'completed' })
    },
    cancel: async (id) => (id === 'bafyrequest' ? aRequest({ status: 'cancelled' }) : undefined),
    rerun: async (id) => (id === 'bafyrequest' ? { request: 'bafyagain', created: true } : undefined),
    submission: async (id) =>
      id === 'bafyrequest'
        ? parseSubmission({ purpose: 'research', datasets: ['wageGap'], query: 'SELECT a FROM b' })
        : undefined,
    contract: async (id) =>
      id === 'bafyrequest'
        ? { contract: 'bafycontract', header: { type: 'contract' }, sections: [], acceptances: [] }
        : undefined,
    result: async () => undefined,
    peers: async () => [
      { peerId: '12D3VU', organisation: 'VU', roles: ['dataProvider'], addresses: [], connected: true }
    ],
    members: async () => [
      { organisation: 'VU', agents: ['12D3VU'], roles: ['dataProvider'], expires: '2026-04-01T00:00:00.000Z' }
    ],
    marketplace: async () => aMarketplace(),
    takeDocuments: async () => ({ status: null, membership: null }),
    capability: async (peer) =>
      peer === undefined || peer === 'VU' ? { organisation: peer ?? 'UVA' } : undefined,
    datasets: async () => [aDataset()],
    dataset: async (id) => (id === 'wageGap' ? aDataset() : undefined),
    agreements: async () => [anAgreement()],
    agreement: async (id) => (id === 'wage-gap-2026' ? anAgreement() : undefined),
    checkAgreement: async () => ({ findings: [], view: anAgreement({ state: 'draft' }) }),
    prepareAgreement: async () => ({ id: 'bafyagreement', payload: 'AAAA', view: anAgreement() }),
    signAgreement: async () => anAgreement(),
    audit: {
      list: async () => ({ entries: [], next: null }),
      export: async function* () {
        yield new Uint8Array([1])
      },
      verify: async () => ({ intact: true, entries: 0, head: '0'.repeat(64), broken: null }),
      proofs: async () => [],
      acceptBreak: async () => ({ sequence: 1, head: '0'.repeat(64) })
    },
    standing: fakeStanding(),
    policy: {
      status: async () => aPolicy(),
      reload: async () => aPolicy(),
      lint: async () => ({ findings: [] }),
      explain: async () => ({ explanations: [], notes: [] }),
      simulate: async () => ({ requests: 0, rows: 0, skipped: [], changes: [], notes: [] })
    },
    agreementToSign: async () => ({ id: 'bafyagreement', payload: 'AAAA', view: anAgreement() }),
    proposeAgreement: async () => anAgreement({ state: 'proposed', signedBy: [] }),
    refuseAgreement: async () => anAgreement({ state: 'refused', signedBy: [] }),
    agreementDiff: async () => ({
      name: 'wage-gap-2026',
      before: null,
      after: 'bafyagreement',
      clauses: [],
      removed: [],
      added: []
    }),
    prepareRevocation: async () => ({ id: 'bafyrevocation', payload: 'AAAA' }),
    revokeAgreement: async () => anAgreement({ state: 'revoked' }),
    approvals: async () => [anApproval()],
    approve: async (request) => anApproval({ request, state: 'approved' }),
    refuseApproval: async (request, reason) => anApproval({ request, reason, state: 'refused' }),
    ...changes
  }
}

export function fakeApi(changes: Partial<Operations> = {}, listensOn?: string) {
  return createApi({
    operations: fakeOperations(changes),
    tokens: {
      userOf: (bearer) => ({ [TOKEN]: USER, [ANALYST_TOKEN]: ANALYST })[bearer],
      rolesOf: (user) => (user === USER ? ['steward', 'operator'] : [])
    },
    logger: pino({ level: 'silent' }),
    ...(listensOn === undefined ? {} : { listensOn })
  })
}

export const authorised = { authorization: `Bearer ${TOKEN}`, host: '127.0.0.1:7700' }
