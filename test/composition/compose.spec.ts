import { expect } from 'chai'
import fc from 'fast-check'
import {
  type Composition,
  type CompositionInput,
  compose,
  type HopRefusal,
  type Preferences
} from '../../agent/composition/index.ts'
import {
  type Agent,
  answersOf,
  aRefusal,
  aRequest,
  compositionOf,
  EVENLY,
  HOLDERS,
  type OfferSpec,
  RESOURCES,
  ROW,
  RUG,
  SARA,
  SURF,
  TUD,
  VU
} from './market.ts'

type Specs = readonly (readonly [Agent, OfferSpec?])[]

const everybody = (...specs: Specs): Specs =>
  [...HOLDERS, SURF, SARA].map((agent) => specs.find(([one]) => one === agent) ?? [agent])

/** A composition of what these agents offer; those not named permit everything. */
async function composed(
  specs: Specs = [],
  overrides: Partial<CompositionInput> = {},
  request: Parameters<typeof aRequest>[0] = {}
): Promise<Composition> {
  const dossier = await aRequest(request)
  const answers = await answersOf(dossier, everybody(...specs))
  return compose(compositionOf(dossier, answers, overrides))
}

const preferring = (changes: Partial<Preferences>): Partial<CompositionInput> => ({
  preferences: { ...EVENLY, ...changes }
})
const NO_WEIGHTS = { energy: 0, carbon: 0, time: 0, cost: 0, load: 0 }
const refusing = (
  row: number,
  code: NonNullable<NonNullable<OfferSpec['rows']>[0]['refuse']>
): OfferSpec => ({
  rows: { [row]: { refuse: code } }
})
const REFUSES_ALL: OfferSpec = {
  rows: {
    0: { refuse: 'no-agreement' },
    1: { refuse: 'no-agreement' },
    2: { refuse: 'no-agreement' }
  }
}
const said = ({ hop, question, refusal }: HopRefusal): string => `${hop} ${question}: ${refusal.code}`
describe('choosing how a request is carried out', () => {
  it('takes the candidate with the lowest total, and says so', async () => {
    const { plan, candidates, refusals, missing } = await composed()
    expect(plan?.archetype.name).to.equal('computeToData')
    expect(candidates.map((one) => one.chosen)).to.deep.equal([true, false, false])
    expect(candidates[ROW.atData]?.why).to.match(/^lowest total of 3 permitted candidates/)
    expect(refusals).to.deep.equal([])
    expect(missing).to.deep.equal([])
  })

  it('takes more providers before a lower total', async () => {
    const { plan } = await composed([[RUG, refusing(ROW.atData, 'archetype-not-permitted')]])
    expect(plan?.archetype.name).to.equal('dataThroughTtp')
    expect(plan?.data).to.have.length(3)
  })

  it('takes the compute provider that costs less of what the asker weighs', async () => {
    const resources = new Map([
      [SURF.peer, { organisation: 'SURF', resources: RESOURCES, load: 900 }],
      [SARA.peer, { organisation: 'SARA', resources: RESOURCES, load: 100 }]
    ])
    const refused: Specs = [[VU, refusing(ROW.atData, 'archetype-not-permitted')]]
    const { plan } = await composed(refused, {
      resources,
      ...preferring({ optimise: { ...NO_WEIGHTS, load: 1 } })
    })
    expect(plan?.infrastructure?.organisation).to.equal('SARA')
  })

  it('keeps the order of the rows when nothing is weighed', async () => {
    const { plan, candidates } = await composed([], preferring({ optimise: NO_WEIGHTS }))
    expect(plan?.row).to.equal(0)
    expect(candidates[0]?.why).to.include('no weights')
  })

  it('takes the only candidate that every hop permits', async () => {
    const { plan, candidates } = await composed([
      [
        VU,
        {
          rows: { 0: { refuse: 'archetype-not-permitted' }, 2: { refuse: 'compute-provider-not-permitted' } }
        }
      ],
      [
        RUG,
        {
          rows: { 0: { refuse: 'archetype-not-permitted' }, 2: { refuse: 'compute-provider-not-permitted' } }
        }
      ],
      [
        TUD,
        {
          rows: { 0: { refuse: 'archetype-not-permitted' }, 2: { refuse: 'compute-provider-not-permitted' } }
        }
      ]
    ])
    expect(plan?.infrastructure?.organisation).to.equal('SURF')
    expect(candidates[ROW.surf]?.why).to.equal('the only candidate that every hop permits')
    expect(candidates[ROW.sara]?.why).to.equal(
      'VU: compute-provider-not-permitted; RUG: compute-provider-not-permitted; TUD: compute-provider-not-permitted'
    )
  })

  it('does without a hop that dropped out', async () => {
    const without = new Map([[SURF.peer, 'party-lost']])
    const { plan, candidates } = await composed([[VU, refusing(ROW.atData, 'busy')]], { without })
    expect(plan?.infrastructure?.organisation).to.equal('SARA')
    expect(candidates[ROW.surf]?.why).to.equal('SURF dropped out: party-lost')
  })

  it('uses no compute provider that holds data of the request itself', async () => {
    const { candidates } = await composed(
      [],
      {},
      {
        rows: [{ archetype: 'dataThroughTtp', infrastructure: VU.peer }]
      }
    )
    expect(candidates[0]?.why).to.equal('VU holds data itself, dataThroughTtp wants a third party')
  })

  it('collects the notes of those in the plan, each once', async () => {
    const notes = ['LIMIT acts per provider']
    const { notes: found } = await composed([
      [VU, { notes }],
      [RUG, { notes }]
    ])
    expect(found).to.deep.equal(notes)
  })

  it('puts rows together, or merges states, or neither', async () => {
    const one = await composed([], preferring({ require: 'all' }))
    expect([one.plan?.union, one.plan?.merge]).to.deep.equal([true, true])
    const through = await composed([[VU, refusing(ROW.atData, 'busy')]])
    expect([through.plan?.union, through.plan?.merge]).to.deep.equal([true, false])
    const apart = await composed([], {}, { options: { aggregate: false, anonymize: false, graph: false } })
    expect([apart.plan?.union, apart.plan?.merge]).to.deep.equal([false, false])
  })
})

describe('how many providers a request needs', () => {
  const one: Specs = [[RUG, REFUSES_ALL]]

  it('available: those that permit it, and the missing are named', async () => {
    const { plan, missing, refusals } = await composed(one, preferring({ require: 'available' }))
    expect(plan?.data.map((answer) => answer.organisation)).to.deep.equal(['VU', 'TUD'])
    expect(missing).to.deep.equal(['RUG'])
    expect(refusals.map(said)).to.deep.equal(['RUG offer: no-agreement'])
  })

  it('all: one refusal ends it', async () => {
    const { plan, missing, refusals, candidates } = await composed(one, preferring({ require: 'all' }))
    expect(plan).to.equal(null)
    expect(missing).to.deep.equal([])
    expect(refusals.map(said)).to.deep.equal(['RUG offer: no-agreement'])
    expect(candidates.every((candidate) => candidate.why === 'RUG: no-agreement')).to.equal(true)
  })

  it('a number: that many are enough, one less is not', async () => {
    expect((await composed(one, preferring({ require: 2 }))).plan?.data).to.have.length(2)
    expect((await composed(one, preferring({ require: 3 }))).plan).to.equal(null)
  })

  it('more than were found: says so, and not that nobody answered', async () => {
    const { plan, refusals } = await composed([], preferring({ require: 4 }))
    expect(plan).to.equal(null)
    expect(refusals[0]?.refusal.reason).to.match(/3 .*4/)
  })
})

describe('hops that do not answer', () => {
  const silent = (agent: Agent) => ({
    peer: agent.peer,
    organisation: agent.organisation,
    refusal: aRefusal('provider-missing')
  })

  it('are named, with what is known of why', async () => {
    const dossier = await aRequest()
    const answers = await answersOf(dossier, [[VU], [TUD], [SURF], [SARA]])
    const { plan, refusals, missing } = compose(compositionOf(dossier, answers, { silent: [silent(RUG)] }))
    expect(plan?.data).to.have.length(2)
    expect(missing).to.deep.equal(['RUG'])
    expect(refusals.map(said)).to.deep.equal(['RUG discover: provider-missing'])
  })

  it('are not waited for when they would compute', async () => {
    const dossier = await aRequest({ rows: [{ archetype: 'dataThroughTtp', infrastructure: SURF.peer }] })
    const answers = await answersOf(
      dossier,
      HOLDERS.map((one) => [one] as const)
    )
    const { plan, candidates } = compose(compositionOf(dossier, answers, { silent: [silent(SURF)] }))
    expect(plan).to.equal(null)
    expect(candidates[0]?.why).to.equal('SURF: provider-missing')
  })

  it('are no recipients: who did not ask must have said that it takes the result', async () => {
    const dossier = await aRequest({ recipients: ['SARA'] })
    const anyone = {
      rows: Object.fromEntries([0, 1, 2].map((row) => [row, { terms: { recipients: '*' as const } }]))
    }
    const answers = await answersOf(dossier, [[VU, anyone], [RUG, anyone], [TUD, anyone], [SURF]])
    const { plan, refusals } = compose(
      compositionOf(dossier, answers, {
        silent: [silent(SARA)],
        recipient: { peer: SARA.peer, organisation: 'SARA' }
      })
    )
    expect(plan).to.equal(null)
    expect(refusals.map(said)).to.deep.equal(['SARA discover: provider-missing'])
  })

  it('end it with a reason when nobody answers', async () => {
    const dossier = await aRequest()
    const { plan, refusals } = compose(compositionOf(dossier, [], { silent: HOLDERS.map(silent) }))
    expect(plan).to.equal(null)
    expect(refusals.map(said)).to.deep.equal([
      'VU discover: provider-missing',
      'RUG discover: provider-missing',
      'TUD discover: provider-missing'
    ])
  })
})

describe('refusals', () => {
  it('come in the order of how decisive they are', async () => {
    const { refusals } = await composed(
      [
        [VU, refusing(ROW.atData, 'archetype-not-permitted')],
        [TUD, REFUSES_ALL]
      ],
      preferring({ require: 'all' })
    )
    expect(refusals.map(said)).to.deep.equal(['TUD offer: no-agreement', 'VU offer: archetype-not-permitted'])
  })

  it('are told once for each code and clause of a hop', async () => {
    const rows = {
      0: { refuse: 'purpose-not-permitted' as const, clause: 'wages#purposes' },
      1: { refuse: 'purpose-not-permitted' as const, clause: 'wages#purposes' },
      2: { refuse: 'compute-provider-not-permitted' as const, clause: 'wages#computeProviders' }
    }
    const { refusals } = await composed([[VU, { rows }]], preferring({ require: 'all' }))
    expect(refusals.map((one) => one.refusal.clause)).to.deep.equal([
      'wages#purposes',
      'wages#computeProviders'
    ])
  })

  it('of hosts are said as hosting', async () => {
    const rows = {
      0: { refuse: 'hosting-not-offered' as const },
      1: { refuse: 'hosting-not-offered' as const }
    }
    const { refusals } = await composed(
      [
        [SURF, { rows }],
        [VU, refusing(ROW.atData, 'busy')]
      ],
      preferring({ require: 'all' }),
      {
        rows: [
          { archetype: 'computeToData', infrastructure: null },
          { archetype: 'dataThroughTtp', infrastructure: SURF.peer }
        ]
      }
    )
    expect(refusals.map(said)).to.include('SURF host: hosting-not-offered')
  })

  it('of a recipient stand in the way of a row', async () => {
    const { plan, candidates } = await composed(
      [[SARA, { as: ['infrastructure', 'recipient'], ...REFUSES_ALL }]],
      { recipient: { peer: SARA.peer, organisation: 'SARA' } },
      { recipients: ['SARA'] }
    )
    expect(plan).to.equal(null)
    expect(candidates.map((one) => one.why)).to.deep.equal(Array(3).fill('SARA: no-agreement'))
  })
})

describe('schemas that differ', () => {
  const columns = (type: string) => [
    { name: 'sex', type: 'VARCHAR' },
    { name: 'wage', type }
  ]

  for (const [what, theirs, words] of [
    ['type', columns('DOUBLE'), 'RUG.wage is DOUBLE, at VU it is BIGINT'],
    ['missing column', columns('BIGINT').slice(0, 1), 'RUG has no column wage, which VU has'],
    [
      'further column',
      [...columns('BIGINT'), { name: 'age', type: 'INTEGER' }],
      'RUG has a column age, which VU has not'
    ]
  ] as const) {
    it(`are refused with provider and column: ${what}`, async () => {
      const { plan, refusals } = await composed([[RUG, { columns: [...theirs] }]])
      expect(plan).to.equal(null)
      expect(refusals.map(said)).to.deep.equal(['RUG offer: schema-mismatch'])
      expect(refusals[0]?.refusal.reason).to.include(words)
    })
  }

  const inUnit = (unit: string) =>
    columns('BIGINT').map((one) => (one.name === 'wage' ? { ...one, unit } : one))

  it('are refused where two say that a column is in other units, not where one says nothing', async () => {
    const { plan, refusals } = await composed([
      [VU, { columns: inUnit('EUR') }],
      [RUG, { columns: inUnit('USD') }]
    ])
    expect(plan).to.equal(null)
    expect(refusals.map(said)).to.deep.equal(['RUG offer: schema-mismatch'])
    expect(refusals[0]?.refusal.reason).to.include('RUG.wage is in USD, at VU it is in EUR')
    expect((await composed([[RUG, { columns: inUnit('USD') }]])).plan).not.to.equal(null)
  })

  it('do not matter in another order, nor for results that stay apart', async () => {
    expect((await composed([[RUG, { columns: columns('BIGINT').reverse() }]])).plan).not.to.equal(null)
    const apart = { options: { aggregate: false, anonymize: false, graph: false } }
    expect((await composed([[RUG, { columns: columns('DOUBLE') }]], {}, apart)).plan).not.to.equal(null)
  })
})

describe('limits', () => {
  it('leave out what would take longer', async () => {
    const { plan, candidates, refusals } = await composed([], preferring({ within: { time: 300 } }))
    expect(plan?.archetype.name).to.equal('computeToData')
    expect(candidates[ROW.surf]?.why).to.match(/^time-limit: about \d+ ms, limit 300 ms$/)
    expect(refusals).to.deep.equal([])
  })

  it('refuse when nothing stays within them', async () => {
    const time = await composed([], preferring({ within: { time: 1 } }))
    expect(time.plan).to.equal(null)
    expect(new Set(time.refusals.map(said))).to.deep.equal(new Set(['UVA offer: time-limit']))
    const cost = await composed([], preferring({ within: { cost: 0 } }))
    expect(new Set(cost.refusals.map((one) => one.refusal.code))).to.deep.equal(new Set(['cost-limit']))
  })

  it('are kept by what meets them exactly', async () => {
    expect((await composed([], preferring({ within: { time: 256, cost: 3 } }))).plan?.row).to.equal(
      ROW.atData
    )
  })
})

describe('terms of the result', () => {
  it('are what all data providers allow', async () => {
    const { plan } = await composed([
      [VU, { rows: { 0: { terms: { recipients: ['UVA', 'RUG'], maxRows: 100, until: 500 } } } }],
      [RUG, { rows: { 0: { terms: { recipients: '*', purposes: ['research', 'policy'], until: 400 } } } }],
      [TUD, { rows: { 0: { terms: { maxRows: null, services: ['query'] } } } }]
    ])
    expect(plan?.terms).to.deep.equal({
      recipients: ['UVA'],
      purposes: ['research'],
      until: 400,
      services: ['query'],
      forbid: [],
      maxRows: 100,
      onward: 'none'
    })
  })

  it('refuse a recipient that one of them does not allow', async () => {
    const { plan, refusals } = await composed(
      [[VU, { rows: { 0: { terms: { recipients: ['RUG'] } } } }]],
      {},
      { rows: [{ archetype: 'computeToData', infrastructure: null }] }
    )
    expect(plan).to.equal(null)
    expect(refusals.map(said)).to.deep.equal(['UVA offer: recipient-not-permitted'])
  })

  it('refuse a chain with a service that one of them forbids', async () => {
    const rows = { 1: { terms: { forbid: ['aggregate'] } }, 2: { terms: { forbid: ['aggregate'] } } }
    const { plan, candidates } = await composed([[RUG, { rows }]])
    expect(plan?.archetype.name).to.equal('computeToData')
    expect(candidates[ROW.surf]?.why).to.equal('service-forbidden: aggregate')
  })
})

describe('what this agent itself finds missing', () => {
  it('is said as a refusal', async () => {
    const codes = async (request: Parameters<typeof aRequest>[0]) =>
      (await composed([], {}, request)).refusals.map((one) => one.refusal.code)
    expect(await codes({ algorithm: 'magic' })).to.include('algorithm-unknown')
    expect(await codes({ options: { aggregate: true, anonymize: false, graph: true } })).to.include(
      'service-unknown'
    )
    expect(await codes({ rows: [{ archetype: 'swarm', infrastructure: null }] })).to.deep.equal([
      'archetype-unknown'
    ])
    expect(await codes({ rows: [{ archetype: 'dataThroughTtp', infrastructure: null }] })).to.deep.equal([
      'no-candidate'
    ])
  })
})

describe('composition', () => {
  it('gives the same plan and candidates in whatever order the answers came', async () => {
    const dossier = await aRequest()
    const answers = await answersOf(
      dossier,
      everybody(
        [VU, { estimates: { milliseconds: 64 }, rows: { 0: { refuse: 'busy' } } }],
        [RUG, { estimates: { millijoules: 8192 }, rows: { 0: { services: ['anonymize'] } } }],
        [SARA, refusing(ROW.sara, 'hosting-not-offered')]
      )
    )
    const expected = compose(compositionOf(dossier, answers))
    const order = fc.shuffledSubarray(answers, { minLength: answers.length })
    fc.assert(
      fc.property(order, (shuffled) => {
        const found = compose(compositionOf(dossier, shuffled))
        expect({ ...found, refusals: [] }).to.deep.equal({ ...expected, refusals: [] })
        expect(found.refusals).to.have.deep.members(expected.refusals)
      }),
      { numRuns: 50 }
    )
  })

  it('never ends without a plan and without a reason', async () => {
    const spec = fc.record({
      rows: fc.record(
        Object.fromEntries(
          [0, 1, 2].map((row) => [
            row,
            fc.constantFrom(
              {},
              { refuse: 'no-agreement' as const },
              { services: ['anonymize'] },
              { services: ['aggregate'] },
              { terms: { forbid: ['query'] } },
              { terms: { recipients: [] } }
            )
          ])
        )
      ),
      columns: fc.constantFrom(
        [{ name: 'a', type: 'X' }],
        [{ name: 'a', type: 'X' }],
        [{ name: 'a', type: 'Y' }]
      )
    })
    const market = fc.record({
      specs: fc.array(spec, { minLength: 5, maxLength: 5 }),
      present: fc.subarray([0, 1, 2, 3, 4]),
      require: fc.constantFrom<Preferences['require']>('all', 'available', 2, 4),
      time: fc.constantFrom(undefined, 1, 300)
    })
    await fc.assert(
      fc.asyncProperty(market, async ({ specs, present, require, time }) => {
        const agents = [...HOLDERS, SURF, SARA]
        const fresh = await aRequest()
        const named = agents.flatMap((agent, index) =>
          present.includes(index) ? [[agent, specs[index] ?? {}] as const] : []
        )
        const answers = await answersOf(fresh, named)
        const silent = agents
          .filter((agent) => !answers.some((one) => one.peer === agent.peer))
          .map(({ peer, organisation }) => ({ peer, organisation, refusal: aRefusal('provider-missing') }))
        const within = time === undefined ? {} : { time }
        const { plan, refusals, candidates } = compose(
          compositionOf(fresh, answers, { silent, preferences: { ...EVENLY, require, within } })
        )
        expect(candidates).to.have.length(3)
        expect(candidates.every((one) => one.why !== '')).to.equal(true)
        expect(candidates.filter((one) => one.chosen)).to.have.length(plan === null ? 0 : 1)
        if (plan === null) expect(refusals).not.to.deep.equal([])
        else {
          const permit = plan.data.every(
            (answer) => answer.offer.payload.rows[plan.row]?.verdict === 'permit'
          )
          expect(permit, 'everyone in the plan permits its row').to.equal(true)
          if (typeof require === 'number') expect(plan.data.length).to.be.at.least(require)
          if (require === 'all') expect(plan.data).to.have.length(3)
        }
      }),
      { numRuns: 60 }
    )
  })
})
