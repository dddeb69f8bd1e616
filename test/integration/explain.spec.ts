import { expect } from 'chai'
import type { AnswerView, CandidateView, RequestView } from '../../agent/api/index.ts'
import { Market } from './harness.ts'
import { provider, SURF, UVA, wageAgreement, wageRequest, wages } from './wages.ts'

const PROVIDERS = ['VU', 'TUD', 'RUG']

describe('A request that is explained', function () {
  this.timeout(180_000)
  let market: Market

  before(async () => {
    market = await Market.open([
      SURF,
      UVA,
      ...PROVIDERS.map((name, index) => provider(name, wages(1 + 100 * index, 12))),
      {
        name: 'SARA',
        roles: ['computeProvider'],
        users: ['operator@sara.nl'],
        more: { hosting: { for: ['TUD'], algorithms: ['average'] } },
        rules:
          '@message("results are not kept here") forbid (principal, action == Action::"accept", resource);'
      }
    ])
    const recipients = ['UVA', 'SARA']
    await market.agent('VU').sign(wageAgreement('VU', { computeProviders: '*', recipients }))
    await market.agent('TUD').sign(wageAgreement('TUD', { computeProviders: [], recipients }))
    // Between RUG and VU alone: nothing of it may be told to UVA.
    await market.agent('RUG').sign(
      wageAgreement('RUG', {
        agreement: 'only-vu',
        consumers: [{ user: 'steward@vu.nl' }],
        purposes: ['reserch-of-secrets']
      })
    )
  })
  after(async () => await market?.closeClean())

  const explain = async (changes: Record<string, unknown> = {}): Promise<RequestView> =>
    await market.agent('UVA').explain(wageRequest({ providers: PROVIDERS, require: 'available', ...changes }))

  function answersOf(view: RequestView, archetype: string, at: string): AnswerView[] {
    const found = view.candidates.find(
      (one: CandidateView) => one.archetype === archetype && one.at.infrastructure === at
    )
    if (found?.answers === undefined)
      throw new Error(`no candidate ${archetype} at ${at}: ${JSON.stringify(view)}`)
    return found.answers
  }
  const said = (answers: readonly AnswerView[]) =>
    Object.fromEntries(
      answers.map(({ hop, question, verdict, code = '' }) => [hop, `${question} ${verdict} ${code}`.trim()])
    )

  it('shows what each hop says of each candidate, in both archetypes', async () => {
    const view = await explain()
    expect(view.status).to.equal('completed')
    expect(said(answersOf(view, 'computeToData', 'data'))).to.deep.equal({
      VU: 'offer permit',
      TUD: 'offer permit',
      RUG: 'offer deny no-agreement'
    })
    expect(said(answersOf(view, 'dataThroughTtp', 'SURF'))).to.deep.equal({
      VU: 'offer permit',
      TUD: 'offer deny compute-provider-not-permitted',
      RUG: 'offer deny no-agreement',
      SURF: 'host permit'
    })
    expect(said(answersOf(view, 'dataThroughTtp', 'SARA')).SARA).to.equal('host deny hosting-not-offered')
  })

  it('gives clause and what would be acceptable to a party of the agreement, and nothing to others', async () => {
    const answers = answersOf(await explain(), 'dataThroughTtp', 'SURF')
    const tud = answers.find(({ hop }) => hop === 'TUD')
    expect(tud).to.deep.include({
      clause: 'wages-tud#computeProviders',
      acceptable: { computeProviders: ['TUD'] }
    })
    expect(tud?.reason).to.include('SURF may not hold the data')
    const rug = answers.find(({ hop }) => hop === 'RUG')
    expect(rug).to.have.all.keys('hop', 'question', 'verdict', 'code', 'reason')
  })

  it('suggests a purpose to who signed it, and none of other people’s', async () => {
    const view = await explain({ purpose: 'reserch' })
    expect(view.status).to.equal('refused')
    const reasons = new Map(view.refusals?.map(({ hop, reason }) => [hop, reason]))
    for (const hop of ['VU', 'TUD']) expect(reasons.get(hop)).to.include('did you mean "research"?')
    expect(reasons.get('RUG')).to.equal('no agreement with RUG permits this')
    expect(JSON.stringify(view)).not.to.match(/only-vu|secrets/)
  })

  it('suggests providers, recipients, archetypes, algorithms, datasets and columns', async () => {
    for (const [changes, expected] of [
      [{ providers: ['TUDD'] }, /no member TUDD .*did you mean TUD\?/],
      [{ recipients: ['SARRA'] }, /SARRA .*did you mean SARA\?/],
      [{ archetype: 'computeToDat' }, /did you mean computeToData\?/],
      [{ algorithm: 'tabel' }, /did you mean table\?/],
      [{ datasets: ['wage'], providers: undefined }, /did you mean wages\?/],
      [{ query: 'SELECT gendre FROM person', algorithm: 'table' }, /did you mean "gender"\?/],
      [{ query: 'SELECT gender FROM persn', algorithm: 'table' }, /did you mean "person"\?/],
      [{ agreements: { VU: 'wages-v' }, providers: ['VU'] }, /did you mean "wages-vu"\?/]
    ] as const) {
      const view = await explain(changes)
      expect(view.status, JSON.stringify(changes)).to.equal('refused')
      expect(view.refusals?.map(({ reason }) => reason).join('\n')).to.match(expected)
    }
  })

  it('asks a recipient that did not ask whether it accepts', async () => {
    const view = await explain({ recipients: ['SARA'], providers: ['VU'] })
    const sara = answersOf(view, 'computeToData', 'data').find(({ hop }) => hop === 'SARA')
    expect(sara).to.include({ question: 'accept', verdict: 'deny', code: 'policy-forbids' })
    expect(sara?.reason).to.equal('a rule of SARA forbids it: results are not kept here')
    expect(view.refusals?.find(({ hop }) => hop === 'SARA')?.question).to.equal('accept')
  })

  it('uses up no quota, and is refused where a request would be', async () => {
    const limits = { requests: 1, per: 'P1D' }
    await market.agent('VU').sign(wageAgreement('VU', { agreement: 'once', limits }))
    const once = { providers: ['VU'], agreements: { VU: 'once' } }
    for (let time = 0; time < 2; time += 1) expect((await explain(once)).status).to.equal('completed')
    expect((await market.agent('UVA').ask(wageRequest(once))).status).to.equal('completed')
    expect((await explain(once)).refusals?.[0]).to.include({
      hop: 'VU',
      code: 'quota-exceeded',
      clause: 'once#limits'
    })
  })
})
