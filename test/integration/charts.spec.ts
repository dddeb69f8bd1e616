import { createHash } from 'node:crypto'
import { expect } from 'chai'
import type { RequestView } from '../../agent/api/index.ts'
import { AgentSaysNo } from '../../agent/client/index.ts'
import { fileIdOf } from '../../protocol/documents/index.ts'
import { Market, type TestAgent } from './harness.ts'
import { AVERAGE, averages, provider, SURF, UVA, wageAgreement, wageRequest, wages } from './wages.ts'

const VU = wages(1, 40)
const RUG = wages(101, 25)
const NAMES = ['graph.svg', 'graph.png', 'graph.vl.json']
const GRAPH = { options: { graph: true } }

async function saved(agent: TestAgent, view: RequestView, name: string): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  const path = `/api/v1/requests/${view.request}/artifacts/${name}`
  for await (const chunk of await agent.client.download(path, '*/*')) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function problemOf(asked: Promise<unknown>): Promise<AgentSaysNo> {
  try {
    await asked
  } catch (error) {
    if (error instanceof AgentSaysNo) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('A picture of a result', function () {
  this.timeout(120_000)
  let market: Market
  let uva: TestAgent

  before(async () => {
    market = await Market.open([SURF, UVA, provider('VU', VU), provider('RUG', RUG)])
    for (const name of ['VU', 'RUG']) await market.agent(name).sign(wageAgreement(name))
    uva = market.agent('UVA')
  })
  after(async () => await market?.closeClean())

  for (const archetype of ['computeToData', 'dataThroughTtp']) {
    it(`is drawn by ${archetype} where results are put together, and says what it shows`, async () => {
      const view = await uva.ask(wageRequest({ archetype, ...GRAPH }))
      expect(view.status, JSON.stringify([view.error, view.refusals, view.candidates])).to.equal('completed')
      expect(view.results?.[0]?.rows).to.deep.equal(averages(RUG, VU))
      expect(view.chain.at(-1)).to.deep.equal({ service: 'graph', at: 'UVA' })
      expect(view.receipts.some((one) => one.service === 'graph' && one.hop === 'UVA')).to.equal(true)
      expect(view.artifacts.map((one) => one.name)).to.deep.equal(NAMES)
      for (const { name, digest } of view.artifacts) {
        const bytes = await saved(uva, view, name)
        expect(fileIdOf(createHash('sha256').update(bytes).digest('hex')), name).to.equal(digest)
      }
      const svg = String(await saved(uva, view, 'graph.svg'))
      for (const text of ['average of wage by gender', 'from RUG, VU', '>F<', '>M<'])
        expect(svg, text).to.include(text)
    })

    it(`is one for each result by ${archetype} when they stay apart`, async () => {
      const view = await uva.ask(wageRequest({ archetype, options: { graph: true, aggregate: false } }))
      expect(view.artifacts.map((one) => one.name)).to.deep.equal([
        ...NAMES,
        ...NAMES.map((name) => name.replace('graph', 'graph-2'))
      ])
      const titles = await Promise.all(
        ['graph.svg', 'graph-2.svg'].map(async (name) => String(await saved(uva, view, name)))
      )
      for (const [index, { from }] of (view.results ?? []).entries())
        expect(titles[index]).to.include(`from ${from.join()}<`)
    })
  }

  it('is drawn by the specification of whoever asks', async () => {
    const graph = {
      mark: 'point',
      title: 'my own',
      encoding: {
        x: { field: 'gender', type: 'nominal' },
        y: { field: 'average', type: 'quantitative', scale: { domainMin: 0.5 } }
      }
    }
    const view = await uva.ask(wageRequest({ options: { graph } }))
    expect(view.status, JSON.stringify(view.error)).to.equal('completed')
    expect(String(await saved(uva, view, 'graph.svg'))).to.include('my own')
    const drawn: unknown = JSON.parse(String(await saved(uva, view, 'graph.vl.json')))
    expect(drawn).to.deep.include(graph)
  })

  it('fails by its own code when the result has no such column, and says which it has', async () => {
    const graph = { mark: 'bar', encoding: { x: { field: 'gendre', type: 'nominal' } } }
    const view = await uva.ask(wageRequest({ options: { graph } }))
    expect(view).to.include({ status: 'failed' })
    expect(view.error).to.include({ code: 'graph-specification', hop: 'UVA', step: 'graph' })
    expect(view.notes.join()).to.include('"gendre", did you mean "gender"?')
  })

  for (const [what, graph, place] of [
    ['loads', { data: { url: 'http://127.0.0.1:1/x.json' }, mark: 'bar' }, 'options.graph.data.url'],
    [
      'computes',
      { mark: 'bar', transform: [{ calculate: '1', as: 'x' }] },
      'options.graph.transform[0].calculate'
    ],
    ['is too large', { mark: 'bar', title: 'x'.repeat(70_000) }, 'options.graph']
  ] as const)
    it(`is refused before anybody is asked when its specification ${what}`, async () => {
      const { problem } = await problemOf(uva.submit(wageRequest({ options: { graph } })))
      expect(problem).to.include({ status: 400, code: 'graph-specification' })
      expect(problem.problems?.[0]?.path).to.equal(place)
    })

  it('has no other names than those of the answer', async () => {
    const view = await uva.ask(wageRequest(GRAPH))
    for (const name of [
      'graph-9.svg',
      'results.json',
      'result-0.parquet',
      '..%2F..%2Fstate.sqlite',
      '%2e%2e'
    ])
      expect((await problemOf(saved(uva, view, name))).problem.status, name).to.be.oneOf([400, 404])
  })

  it('is no part of an answer that nobody wanted drawn', async () => {
    const view = await uva.ask(wageRequest())
    expect(view.artifacts).to.deep.equal([])
    expect(view.chain.some((step) => step.service === 'graph')).to.equal(false)
  })

  it('is drawn at whoever asks and holds data itself', async () => {
    await market
      .agent('RUG')
      .sign(
        wageAgreement('RUG', { agreement: 'for-vu', consumers: [{ organisation: 'VU' }], recipients: ['VU'] })
      )
    await market
      .agent('VU')
      .sign(
        wageAgreement('VU', { agreement: 'own', consumers: [{ organisation: 'VU' }], recipients: ['VU'] })
      )
    const vu = market.agent('VU')
    for (const archetype of ['computeToData', 'dataThroughTtp']) {
      const view = await vu.ask(wageRequest({ user: 'steward@vu.nl', archetype, ...GRAPH }))
      expect(view.status, JSON.stringify([view.error, view.refusals])).to.equal('completed')
      expect(view.chain.at(-1)).to.deep.equal({ service: 'graph', at: 'VU' })
      expect(view.artifacts.map((one) => one.name)).to.deep.equal(NAMES)
    }
  })

  it('is not made where an agreement forbids it', async () => {
    await market.agent('RUG').sign(wageAgreement('RUG', { services: { require: [], forbid: ['graph'] } }))
    const view = await uva.ask(wageRequest({ providers: ['RUG'], algorithm: AVERAGE, ...GRAPH }))
    expect(view).to.include({ status: 'refused' })
    expect(view.refusals?.map((one) => one.code)).to.include('service-forbidden')
    expect((await uva.ask(wageRequest({ providers: ['RUG'] }))).status).to.equal('completed')
  })
})
