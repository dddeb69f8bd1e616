import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { z } from 'zod'
import { policyView, standingOfferView } from '../../agent/api/index.ts'
import { readLog } from '../../agent/audit/index.ts'
import { openDocument } from '../../protocol/documents/index.ts'
import { STANDING_OFFERS_PROTOCOL, standingReply } from '../../protocol/messages/index.ts'
import {
  DESCRIBE_PROTOCOL,
  described,
  PROVIDERS_PROTOCOL,
  providersPage
} from '../../protocol/streams/index.ts'
import { Market, type TestAgent } from './harness.ts'
import { HostilePeer } from './hostile-peer.ts'
import { averages, provider, UVA, wageAgreement, wageDataset, wageRequest, wages } from './wages.ts'

const VU = wages(1, 20)
const EVE = 'eve@eve.nl'
const offering = z.looseObject({ datasets: z.array(z.looseObject({ id: z.string() })) })
const HIDES = (name: string) =>
  `@id("not-${name}") forbid (principal in Organisation::"${name}", action == Action::"discover", resource) when { resource.dataset == "wages" };`

describe('Who may know of a dataset, by the policy folder', function () {
  this.timeout(120_000)
  let market: Market
  let eve: HostilePeer
  let vu: TestAgent

  before(async () => {
    market = await Market.open([
      UVA,
      provider('VU', VU, {
        datasets: [wageDataset('wages', VU), wageDataset('open', VU)],
        rules: HIDES('EVE')
      }),
      { name: 'EVE', users: [EVE] },
      { name: 'TUD', users: ['somebody@tud.nl'] }
    ])
    vu = market.agent('VU')
    await vu.sign(wageAgreement('VU'))
    await market.agent('EVE').stop()
    eve = await HostilePeer.start(market.agent('EVE'))
    await eve.connect(vu)
  })
  after(async () => {
    await eve?.stop()
    await market?.closeClean(async () => {
      const told = (await vu.withStore(async (store) => await readLog(store, { limit: 1000 }))).flatMap(
        ({ entry }) =>
          entry.kind === 'decision' && entry.fields.question === 'discover' ? [entry.fields] : []
      )
      const ofEve = told.filter(({ party }) => party === 'EVE')
      // Asked many times; said when it was denied first, when it was permitted again, and never of what was always permitted.
      expect(
        ofEve.map(({ verdict, clauses, code, dataset }) => ({ verdict, clauses, code, dataset }))
      ).to.deep.equal([
        { verdict: 'deny', clauses: ['policy#not-EVE'], code: 'policy-forbids', dataset: 'wages' },
        { verdict: 'permit', clauses: [], code: undefined, dataset: 'wages' }
      ])
      expect(told.filter(({ party }) => party === 'UVA').map(({ verdict }) => verdict)).to.deep.equal([
        'deny',
        'deny'
      ])
    })
  })

  const describeTo = async (peer: HostilePeer) => {
    const answer = await peer.network.ask(vu.peerId, DESCRIBE_PROTOCOL, {}, described)
    return { ...answer, payload: (await openDocument('capability', answer.capability)).payload }
  }
  const providersOf = async (name: string) =>
    await eve.network.ask(vu.peerId, PROVIDERS_PROTOCOL, { kind: 'dataset', name }, providersPage)
  /** VU lets any member take an agreement about a dataset, by a standing offer. */
  const publishOffer = async (dataset: string) => {
    const clauses = wageAgreement('VU', {
      agreement: `offer-of-${dataset}`,
      dataset,
      standing: { takers: '*' }
    })
    const text = JSON.stringify({ ...clauses, consumers: undefined })
    await vu.client.post('/api/v1/standing-offers', { json: { text } }, standingOfferView)
  }
  const offersTo = async (peer: HostilePeer, name?: string) =>
    await peer.network.ask(
      vu.peerId,
      STANDING_OFFERS_PROTOCOL,
      name === undefined ? {} : { name },
      standingReply
    )
  /** What VU says, unasked, to a request about a dataset. */
  const offered = async (dataset: string) => {
    const asked = await eve.request(
      {
        user: { organisation: 'EVE', name: EVE },
        purpose: 'research',
        datasets: [dataset],
        providers: [vu.peerId],
        rows: [{ archetype: 'computeToData', infrastructure: null }],
        algorithm: 'table',
        options: { aggregate: false, anonymize: false, graph: false },
        recipients: ['EVE'],
        agreements: {},
        deadline: 60_000
      },
      'SELECT 1'
    )
    const { offer, details } = await eve.ask(vu, asked)
    return { rows: offer.payload.rows, as: offer.payload.as, details }
  }
  const rule = async (text: string) => {
    const file = join(vu.config.policy, 'own.cedar')
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
    await vu.client.post('/api/v1/policy/reload', { json: {} }, policyView)
  }
  /** As VU describes itself to an agent of the market; asked until it says what is expected, or the test ends. */
  const seenBy = async (name: string) => {
    const path = `/api/v1/capabilities/${vu.peerId}`
    const { datasets } = await market.agent(name).client.get(path, offering)
    return datasets.map(({ id }) => id).sort()
  }
  const untilSeen = async (name: string, ...expected: string[]) => {
    for (;;) if (JSON.stringify(await seenBy(name)) === JSON.stringify(expected)) return
  }

  it('shows it to whom the rules permit it, and lets them ask', async () => {
    await untilSeen('UVA', 'open', 'wages')
    const view = await market.agent('UVA').ask(wageRequest({ providers: ['VU'], archetype: 'computeToData' }))
    expect(view.status, JSON.stringify([view.error, view.refusals])).to.equal('completed')
    expect(view.results?.[0]?.rows).to.deep.equal(averages(VU))
  })

  it('is hidden from whom they forbid it exactly as one that is not there', async () => {
    for (let times = 0; times < 5; times++) {
      const { payload, confidential } = await describeTo(eve)
      expect(payload.datasets.map(({ id }) => id)).to.deep.equal(['open'])
      expect(JSON.stringify(payload)).not.to.include('wages')
      expect(confidential).to.deep.equal([])
    }
    expect(await providersOf('wages')).to.deep.equal(await providersOf('absent'))
    for (const dataset of ['wages', 'open']) await publishOffer(dataset)
    expect((await offersTo(eve)).offers.map(({ name }) => name)).to.deep.equal(['offer-of-open'])
    expect(await offersTo(eve, 'offer-of-wages')).to.deep.equal(await offersTo(eve, 'offer-of-absent'))
    expect((await providersOf('open')).providers.map(({ peer }) => peer)).to.deep.equal([vu.peerId])
    const [hidden, absent] = [await offered('wages'), await offered('absent')]
    expect(JSON.stringify(hidden).replaceAll('wages', 'absent')).to.equal(JSON.stringify(absent))
    expect(hidden.rows[0]).to.have.nested.property('refusal.code', 'dataset-unknown')
  })

  it('is told to nobody by others, and announced to nobody, while it is hidden from somebody', async () => {
    const [uva] = [market.agent('UVA')]
    await untilSeen('UVA', 'open', 'wages')
    await eve.connect(uva)
    const page = await eve.network.ask(
      uva.peerId,
      PROVIDERS_PROTOCOL,
      { kind: 'dataset', name: 'wages' },
      providersPage
    )
    expect(page.providers).to.deep.equal([])
    const everybodys = await eve.network.ask(
      uva.peerId,
      PROVIDERS_PROTOCOL,
      { kind: 'dataset', name: 'open' },
      providersPage
    )
    expect(everybodys.providers.map(({ peer }) => peer)).to.deep.equal([vu.peerId])
  })

  it('follows the folder when it changes', async () => {
    await rule(HIDES('TUD'))
    await untilSeen('TUD', 'open')
    await untilSeen('UVA', 'open', 'wages')
    const { payload } = await describeTo(eve)
    expect(payload.datasets.map(({ id }) => id).sort()).to.deep.equal(['open', 'wages'])
    await rule('')
    await untilSeen('TUD', 'open', 'wages')
    expect((await providersOf('wages')).providers.map(({ peer }) => peer)).to.deep.equal([vu.peerId])
  })

  it('is hidden from a party as well, which is told why when it asks all the same', async () => {
    await rule(
      '@message("closed in summer") forbid (principal, action, resource) when { principal.organisation == "UVA" };'
    )
    await untilSeen('UVA')
    const asked = await market.agent('UVA').ask(wageRequest({ providers: ['VU'] }))
    expect(asked.status).to.equal('refused')
    expect(asked.refusals?.[0]).to.include({ hop: 'VU', question: 'offer', code: 'policy-forbids' })
    expect(asked.refusals?.[0]?.reason).to.include('closed in summer')
  })
})
