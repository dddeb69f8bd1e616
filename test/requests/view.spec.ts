import { expect } from 'chai'
import { type Composition, compose } from '../../agent/composition/index.ts'
import { Pace } from '../../agent/requests/pace.ts'
import type { RequestRecord } from '../../agent/requests/record.ts'
import { statusOf, viewRequest } from '../../agent/requests/view.ts'
import { writeContract } from '../../agent/requests/write-contract.ts'
import type { Refusal } from '../../protocol/documents/index.ts'
import type { Coordinator, CoordinatorStage, OutcomeView } from '../../protocol/negotiation/index.ts'
import {
  answersOf,
  aRefusal,
  aRequest,
  compositionOf,
  EVENLY,
  HOLDERS,
  NOW,
  RUG,
  SARA,
  SURF,
  UVA,
  VU
} from '../composition/market.ts'
import { aContract } from '../negotiation/builders.ts'

const LIMITS = {
  offerWithin: 1,
  composeWithin: 1,
  acceptWithin: 1,
  retryEvery: 1,
  closeWithin: 1,
  approvalWithin: 1,
  askAgainEvery: 1
}

function aCoordinator(stage: CoordinatorStage, plans: Coordinator['plans'] = []): Coordinator {
  return {
    machine: 'coordinator',
    request: 'request',
    self: UVA.peer,
    limits: LIMITS,
    deadline: NOW,
    span: 0,
    waited: null,
    epoch: 1,
    hops: [],
    without: [],
    refusals: [],
    plans,
    stage
  }
}

const ended = (outcome: Partial<OutcomeView> & Pick<OutcomeView, 'result'>): CoordinatorStage => ({
  phase: 'ended',
  outcome: { contract: null, signer: null, code: null, hop: null, step: null, position: null, ...outcome },
  late: null
})
const started = [{ contract: aContract(), started: true }]
const unstarted = [{ contract: aContract(), started: false }]

async function aComposition(refuses = false): Promise<Composition> {
  const dossier = await aRequest()
  const rows = {
    0: { refuse: 'no-agreement' as const },
    1: { refuse: 'no-agreement' as const },
    2: { refuse: 'no-agreement' as const }
  }
  const answers = await answersOf(
    dossier,
    [...HOLDERS, SURF, SARA].map((one) => [one, refuses && one === VU ? { rows } : {}] as const)
  )
  return compose(compositionOf(dossier, answers, { preferences: { ...EVENLY, require: 'all' } }))
}

async function aRecord(overrides: Partial<RequestRecord> = {}): Promise<RequestRecord> {
  const dossier = overrides.dossier ?? (await aRequest())
  return {
    id: dossier.request.id,
    user: 'analyst@uva.nl',
    submittedAt: new Date(NOW).toISOString(),
    dossier,
    prepared: null,
    coordinator: null,
    dryRun: false,
    composition: null,
    refusals: [],
    unanswered: new Map(),
    results: null,
    milestones: {
      submitted: NOW,
      discovered: null,
      offered: null,
      composed: null,
      started: null,
      ended: null
    },
    pace: new Pace(),
    status: 'discovering',
    ...overrides
  }
}

const nameOf = (peer: string): string =>
  [...HOLDERS, SURF, SARA, UVA].find((one) => one.peer === peer)?.organisation ?? peer

describe('the status of a request', () => {
  const contract = aContract()
  const phases: readonly (readonly [string, CoordinatorStage | null])[] = [
    ['discovering', null],
    ['negotiating', { phase: 'collecting', until: 1, askAt: null }],
    ['negotiating', { phase: 'composing', until: 1 }],
    ['negotiating', { phase: 'proposing', contract, accepted: [], until: 1 }],
    ['running', { phase: 'running', contract, accepted: [], confirmed: [], retryAt: 1 }],
    ['running', { phase: 'closing', result: 'cancelled', code: 'cancelled', hop: null, until: 1, retryAt: 1 }]
  ]
  for (const [expected, stage] of phases) {
    it(`is ${expected} while its exchange is ${stage?.phase ?? 'not there yet'}`, async () => {
      const coordinator = stage === null ? null : aCoordinator(stage)
      expect(statusOf(await aRecord({ coordinator }))).to.equal(expected)
    })
  }

  const ends: readonly (readonly [
    string,
    string,
    Partial<OutcomeView> & Pick<OutcomeView, 'result'>,
    Coordinator['plans']
  ])[] = [
    ['completed', 'it completed', { result: 'completed' }, started],
    ['cancelled', 'it was cancelled', { result: 'cancelled', code: 'cancelled' }, started],
    [
      'refused',
      'a hop refused before anything started',
      { result: 'failed', code: 'no-agreement' },
      unstarted
    ],
    ['failed', 'a hop refused after the start', { result: 'failed', code: 'policy-forbids' }, started],
    [
      'failed',
      'schemas turned out to differ after the start',
      { result: 'failed', code: 'schema-mismatch' },
      started
    ],
    ['failed', 'a job failed', { result: 'failed', code: 'sql-runtime' }, started],
    ['failed', 'a party was lost before the start', { result: 'failed', code: 'party-lost' }, unstarted],
    ['timed-out', 'the deadline passed', { result: 'failed', code: 'timeout' }, started],
    ['timed-out', 'it expired', { result: 'expired' }, started]
  ]
  for (const [expected, when, outcome, plans] of ends) {
    it(`is ${expected} when ${when}`, async () => {
      expect(statusOf(await aRecord({ coordinator: aCoordinator(ended(outcome), plans) }))).to.equal(expected)
    })
  }

  it('is refused when no plan was found, whatever the code', async () => {
    const coordinator = aCoordinator(ended({ result: 'failed', code: 'peer-silent' }))
    expect(statusOf(await aRecord({ coordinator, composition: await aComposition(true) }))).to.equal(
      'refused'
    )
  })

  it('is completed for a dry run that found a plan, refused for one that found none', async () => {
    const coordinator = aCoordinator(ended({ result: 'failed', code: 'no-candidate' }))
    const dryRun = { coordinator, dryRun: true }
    expect(statusOf(await aRecord({ ...dryRun, composition: await aComposition() }))).to.equal('completed')
    expect(statusOf(await aRecord({ ...dryRun, composition: await aComposition(true) }))).to.equal('refused')
  })
})

describe('what people see of a request', () => {
  /** A request with a contract, as its coordinator holds it. */
  async function proposed(overrides: Partial<RequestRecord> = {}): Promise<RequestRecord> {
    const dossier = await aRequest()
    const answers = await answersOf(dossier, [[VU], [RUG], [HOLDERS[2] ?? VU], [SURF], [SARA]])
    const composition = compose(compositionOf(dossier, answers))
    if (composition.plan === null) throw new Error('expected a plan')
    const composed = await writeContract(
      { plan: composition.plan, dossier, epoch: 1, sandbox: 'bubblewrap' },
      UVA.speaker
    )
    for (const [peer, section] of composed.sections)
      await dossier.holdContract(composed.contract, peer, section)
    const plans = [{ contract: aContract({ id: composed.contract.id }), started: true }]
    const coordinator = aCoordinator(ended({ result: 'completed', contract: composed.contract.id }), plans)
    return await aRecord({ dossier, composition, coordinator, status: 'completed', ...overrides })
  }

  it('is its chain with organisations, its candidates and what each hop said', async () => {
    const view = viewRequest(await proposed(), nameOf)
    expect(view.archetype).to.equal('computeToData')
    expect(view.contract).to.match(/^bafy/)
    expect(view.chain.map((step) => `${step.service}@${step.at}`).slice(0, 2)).to.deep.equal([
      'query@VU',
      'algorithm@VU'
    ])
    expect(view.candidates.map((one) => one.at.infrastructure)).to.deep.equal(['data', 'SURF', 'SARA'])
    expect(view.decisions.map((one) => `${one.hop} ${one.question} ${one.verdict}`)).to.include.members([
      'VU offer permit',
      'SURF host permit'
    ])
  })

  it('has results once it completed, and not before', async () => {
    const results = [
      {
        from: ['VU'],
        columns: ['n'],
        types: ['BIGINT'],
        rows: [[1]],
        rowCount: 1,
        truncated: false,
        parquet: '/secret/p',
        csv: null
      }
    ]
    const view = viewRequest(await proposed({ results }), nameOf)
    expect(view.results?.[0]?.rows).to.deep.equal([[1]])
    expect(JSON.stringify(view)).not.to.include('/secret')
    expect(viewRequest(await proposed({ results, status: 'running' }), nameOf)).not.to.have.property(
      'results'
    )
    expect(viewRequest(await proposed({ results, status: 'refused' }), nameOf)).not.to.have.property(
      'results'
    )
  })

  it('names hop, step and place of a failure in plain words', async () => {
    const failed = ended({ result: 'failed', code: 'sql-runtime', hop: RUG.peer, step: 'query', position: 7 })
    const record = await proposed({ coordinator: aCoordinator(failed, started), status: 'failed' })
    const { error } = viewRequest(record, nameOf)
    expect(error).to.include({ code: 'sql-runtime', hop: 'RUG', step: 'query', position: 7 })
    expect(error?.message).to.include('RUG')
  })

  it('is no failure when it was refused: the refusals say why, without the missing', async () => {
    const refusal: Refusal = { ...aRefusal('column-not-permitted', 'wages#tables'), position: 12 }
    const record = await aRecord({
      coordinator: aCoordinator(ended({ result: 'failed', code: 'column-not-permitted' })),
      composition: await aComposition(true),
      refusals: [{ hop: 'VU', question: 'offer', refusal }],
      status: 'refused'
    })
    const view = viewRequest(record, nameOf)
    expect(view.refusals).to.deep.equal([
      {
        hop: 'VU',
        question: 'offer',
        code: 'column-not-permitted',
        clause: 'wages#tables',
        reason: refusal.reason,
        acceptable: null,
        position: 12
      }
    ])
    expect(view).not.to.have.property('error')
    expect(view.missing).to.deep.equal([])
    expect(view.contract).to.equal(null)
  })

  it('times the phases that were reached, and no others', async () => {
    const milestones = {
      submitted: NOW,
      discovered: NOW + 3,
      offered: NOW + 10,
      composed: null,
      started: null,
      ended: NOW + 50
    }
    expect(viewRequest(await aRecord({ milestones }), nameOf).timing).to.deep.equal({
      discover: 3,
      offer: 7,
      total: 50
    })
  })

  it('says that it was planned again, and that a dry run ran nothing', async () => {
    const plans = [...unstarted, ...started]
    const record = await aRecord({
      coordinator: aCoordinator(ended({ result: 'completed' }), plans),
      dryRun: true
    })
    expect(viewRequest(record, nameOf).notes).to.deep.equal([
      'planned 2 times: a party dropped out or declined',
      'dry run: nothing was run'
    ])
  })

  it('names the providers that were asked for and nobody found', async () => {
    const dossier = await aRequest()
    const unknown = [{ organisation: 'TUE', refusal: aRefusal('provider-missing') }]
    const prepared = {
      dossier,
      candidates: [],
      recipient: { peer: UVA.peer, organisation: 'UVA' },
      capabilities: new Map(),
      unknown
    }
    const view = viewRequest(await aRecord({ dossier, prepared }), nameOf)
    expect(view.missing).to.deep.equal(['TUE'])
    expect(view.notes).to.deep.equal(['TUE: for a test: provider-missing'])
  })
})
