import { expect } from 'chai'
import { type Asked, Granted } from '../../agent/decisions/granted.ts'
import { Inspections } from '../../agent/decisions/inspection.ts'
import { JobFailed } from '../../agent/jobs/index.ts'
import {
  type Approval,
  createCedarEngine,
  type PolicyEngine,
  rememberingClauses
} from '../../policy/index.ts'
import type { Signed, Terms } from '../../protocol/documents/index.ts'
import type { ReportOf } from '../../services/index.ts'
import { manifests, NOW } from '../composition/market.ts'
import { aRequest, UVA, VU } from '../negotiation/documents.ts'

type Inspected = ReportOf<'inspect'>

const DATASETS = ['wages', 'leave']
const STEWARD = 'steward@vu.nl'
const approval = { by: [STEWARD], when: 'always' as const, within: 3_600_000 }

const TERMS: Terms = {
  consumers: [{ organisation: 'UVA' }],
  purposes: ['research'],
  archetypes: '*',
  computeProviders: '*',
  recipients: '*',
  tables: { person: { columns: '*' } },
  services: { require: [], forbid: [] },
  algorithms: '*',
  output: {},
  valid: {},
  sandbox: 'none',
  timezone: 'UTC',
  about: {}
}

const FOUND: Inspected = {
  kind: 'inspect',
  columns: [{ name: 'id', type: 'BIGINT' }],
  uses: DATASETS.map((dataset) => ({ dataset, table: 'person', columns: ['id'] })),
  functions: [],
  notDistributable: [],
  perProvider: []
}
const configOf = (id: string) => ({
  file: '/d.yaml',
  id,
  title: '',
  visibility: 'members' as const,
  tables: []
})
const TABLES = [{ name: 'person', rows: 1, columns: [{ name: 'id', type: 'BIGINT' }] }]

async function anAgreement(
  about: string,
  name: string,
  changes: Partial<Terms> = {}
): Promise<Signed<'agreement'>> {
  return await VU.speaker.sign(
    'agreement',
    {
      name,
      provider: 'VU',
      dataset: about,
      parties: ['UVA', 'VU'],
      terms: { ...TERMS, ...changes },
      pins: {}
    },
    3_600_000
  )
}

describe('the agreements under which rows are granted', () => {
  let engine: PolicyEngine
  before(async () => {
    engine = await createCedarEngine()
  })

  async function setUp(
    open: readonly Signed<'agreement'>[],
    init: {
      found?: Inspected | Error
      approvals?: Record<string, Approval['state']>
    } = {}
  ) {
    const { found = FOUND, approvals = {} } = init
    let shown = 0
    const ordered = [...open].sort((one, other) => (one.id < other.id ? -1 : 1))
    const granted = new Granted(
      {
        self: { peer: VU.peer, organisation: 'VU' },
        manifests,
        members: { organisationOf: () => 'UVA' },
        datasets: {
          get: (id) => ({
            config: configOf(id),
            get tables() {
              shown += 1
              return TABLES
            }
          })
        }
      },
      new Inspections({
        inspect: async () => {
          if (found instanceof Error) throw found
          return found
        }
      })
    )
    const dossier = await (await aRequest({ datasets: DATASETS }, UVA)).dossier(VU.peer)
    const asked: Asked = {
      dossier,
      engine: rememberingClauses(engine),
      open: DATASETS.map((about) => ordered.filter(({ payload }) => payload.dataset === about)),
      grants: new Map(),
      inspected: new Map(),
      confirm: async (verdict) => verdict,
      approvals: Object.fromEntries(
        Object.entries(approvals).map(([id, state]) => [id, { state, reason: null }])
      ),
      unapproved: [],
      called: []
    }
    const decide = async (index: number) =>
      await granted.decide(asked, index, {
        question: 'offer',
        now: NOW,
        organisation: 'VU',
        requester: dossier.request.payload.user,
        purpose: 'research',
        archetype: `archetype${index % 8}`,
        infrastructure: null,
        recipients: ['UVA'],
        datasets: DATASETS,
        services: null,
        algorithm: 'average',
        requestsInWindow: {},
        sandboxes: null
      })
    return { asked, decide, shown: () => shown }
  }

  it('are looked for without doing for each row what is the same for all', async () => {
    const open: Signed<'agreement'>[] = []
    for (let n = 0; n < 9; n++)
      for (const about of DATASETS) open.push(await anAgreement(about, `${about}-${n}`))
    const wrong = new JobFailed('sql-column-unknown', 'no such column', { hint: 'no such column' })
    const { decide, shown } = await setUp(open, { found: wrong })
    expect(await decide(0)).to.deep.include({ verdict: 'deny' })
    const once = shown()
    for (let index = 1; index < 64; index++) expect(await decide(index)).to.deep.include({ verdict: 'deny' })
    expect(shown()).to.equal(once)
  })

  for (const [first, second] of [
    ['pending', 'refused'],
    ['refused', 'pending'],
    ['pending', 'expired'],
    ['missing', 'refused']
  ] as const)
    it(`are not waited for where one is ${first} and the other ${second}`, async () => {
      const one = await anAgreement('wages', 'wages', { approval })
      const other = await anAgreement('leave', 'leave', { approval })
      const { asked, decide } = await setUp([one, other], {
        approvals: { [one.id]: first, [other.id]: second }
      })
      const verdict = await decide(0)
      if (verdict.verdict === 'permit') throw new Error('permitted')
      const said = [first, second].find((state) => state === 'refused' || state === 'expired')
      expect(verdict.refusal.code).to.equal(`approval-${said}`)
      expect(asked.unapproved).to.deep.equal([])
    })

  describe('one of which needs no approval', () => {
    /** Of two about the same dataset, the one with the lower id wants an approval. */
    async function both(): Promise<{ waiting: Signed<'agreement'>; free: Signed<'agreement'> }> {
      const free = await anAgreement('wages', 'free')
      for (let n = 0; ; n++) {
        const waiting = await anAgreement('wages', `waiting-${n}`, { approval })
        if (waiting.id < free.id) return { waiting, free }
      }
    }

    it('are used before one that waits, whatever their ids', async () => {
      const { waiting, free } = await both()
      const { asked, decide } = await setUp([waiting, free, await anAgreement('leave', 'leave')])
      const verdict = await decide(0)
      expect(verdict.verdict).to.equal('permit')
      expect(asked.unapproved).to.deep.equal([])
      expect(
        [...asked.grants.values()].flatMap(({ grants }) =>
          grants.map(({ agreement }) => agreement.payload.name)
        )
      ).to.have.members(['free', 'leave'])
    })

    it('are used by their ids again once it is approved', async () => {
      const { waiting, free } = await both()
      const leave = await anAgreement('leave', 'leave')
      const { asked, decide } = await setUp([waiting, free, leave], {
        approvals: { [waiting.id]: 'approved' }
      })
      expect((await decide(0)).verdict).to.equal('permit')
      expect([...asked.grants.keys()]).to.deep.equal([`${waiting.id},${leave.id}`])
    })

    it('are used by whoever only wants to know, as by whoever asks', async () => {
      const { waiting, free } = await both()
      const leave = await anAgreement('leave', 'leave')
      const { asked, decide } = await setUp([waiting, free, leave])
      asked.dossier.explains = true
      expect((await decide(0)).verdict).to.equal('permit')
      expect([...asked.grants.keys()]).to.deep.equal([`${free.id},${leave.id}`])
    })

    it('leave the first that waits to be asked about where none permits', async () => {
      const { waiting } = await both()
      const more = await anAgreement('wages', 'more', { approval })
      const { asked, decide } = await setUp([waiting, more, await anAgreement('leave', 'leave')])
      const verdict = await decide(0)
      expect(verdict.verdict === 'deny' && verdict.refusal.code).to.equal('approval-required')
      expect(asked.unapproved.map(({ id }) => id)).to.deep.equal([waiting.id, more.id].sort().slice(0, 1))
    })
  })
})
