import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { z } from 'zod'
import type { RequestView } from '../../agent/api/index.ts'
import { checkExport } from '../../agent/audit/index.ts'
import { type Draft, draftOf, exportOf } from '../audit/export-builder.ts'
import { needsPython, saidByPython } from '../audit/python-checker.ts'
import { documents, entries } from '../audit/tamperings.ts'
import { Market } from '../integration/harness.ts'
import {
  AVERAGE,
  averages,
  provider,
  SURF,
  UVA,
  wageAgreement,
  wageRequest,
  wages
} from '../integration/wages.ts'
import { LyingJobs } from './lying-jobs.ts'

const VU = wages(1, 20)
const RUG = wages(101, 20)
/** Women earn a cent more, on average. */
const ONE_CELL =
  "SELECT * REPLACE (CASE WHEN gender = 'F' THEN average + 0.01 ELSE average END AS average) FROM given"
const LAST_DIGITS = 'SELECT * REPLACE (average * 1.00000000000001 AS average) FROM given'
const NO_WOMEN = "SELECT * FROM given WHERE gender <> 'F'"
const EVERYBODY = ['UVA', 'VU', 'RUG', 'SURF', 'SARA']

const answer = z.object({
  finding: z.object({ code: z.string(), record: z.int(), signer: z.string() }).nullable()
})

describe('Results that are computed twice', function () {
  this.timeout(120_000)
  const surf = new LyingJobs()
  const sara = new LyingJobs()
  let market: Market
  let folder: string
  let files = 0
  let honest = ''

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dynamos-verify-'))
    market = await Market.open(
      [SURF, { ...SURF, name: 'SARA' }, UVA, provider('VU', VU), provider('RUG', RUG)],
      {
        prepared: async ({ agents }) => {
          for (const agent of agents) {
            const { start } = agent
            agent.start = async () => {
              if (agent.name === 'SURF') agent.seams = { jobs: surf.jobs }
              if (agent.name === 'SARA') agent.seams = { jobs: sara.jobs }
              await start.call(agent)
            }
          }
        }
      }
    )
    for (const name of ['VU', 'RUG'])
      await market.agent(name).sign(wageAgreement(name, { computeProviders: ['SURF', 'SARA'] }))
  })
  afterEach(() => {
    surf.lie = null
    sara.lie = null
  })
  after(async () => {
    await market?.closeClean()
    await rm(folder, { recursive: true, force: true })
  })

  const verified = (changes: Record<string, unknown> = {}): Record<string, unknown> =>
    wageRequest({ archetype: 'dataThroughTtp', verify: { at: 'SARA' }, ...changes })
  const ask = async (changes: Record<string, unknown> = {}): Promise<RequestView> =>
    await market.agent('UVA').ask(verified(changes))

  /** The exports of everybody about a request, in one file. */
  async function exported(request: string, whose: readonly string[] = EVERYBODY): Promise<Buffer> {
    const pieces: Uint8Array[] = []
    for (const name of whose) {
      const { client } = market.agent(name)
      const path = `/api/v1/audit/requests/${request}/export?open=all`
      for await (const piece of await client.download(path, '*/*')) pieces.push(piece)
    }
    return Buffer.concat(pieces)
  }

  /** What both checkers say of a file: the same. */
  async function checked(context: Mocha.Context, bytes: Uint8Array) {
    needsPython(context)
    const file = join(folder, `${files++}.audit`)
    await writeFile(file, bytes)
    const report = await checkExport(createReadStream(file))
    const [second] = saidByPython(answer, [file])
    const { code, record, signer } = report.finding ?? {}
    const own = report.finding === null ? null : { code, record, signer }
    expect(second?.finding ?? null).to.deep.equal(own)
    return report
  }

  async function audited(context: Mocha.Context, request: string) {
    const report = await checked(context, await exported(request))
    expect(report.finding).to.equal(null)
    return report
  }

  it('say who gave the same, in the answer, the receipt, and to an auditor', async function () {
    const view = await ask({ options: { graph: true } })
    expect(view.status, JSON.stringify([view.error, view.refusals])).to.equal('completed')
    honest = view.request
    const [result] = view.results ?? []
    expect(result?.rows).to.deep.equal(averages(VU, RUG))
    expect(result?.verified).to.deep.include({ of: 'SURF', at: 'SARA', again: result?.verified?.digest })
    expect(
      view.chain.filter(({ again }) => again).map(({ service, at }) => `${service} ${at}`)
    ).to.deep.equal(['aggregate SARA', 'algorithm SARA'])
    const [told] = view.receipts.flatMap(({ verification }) => verification ?? [])
    const digests = { first: result?.verified?.digest, again: result?.verified?.digest }
    expect(told).to.deep.equal({ of: 'SURF', at: 'SARA', results: [digests] })
    const report = await audited(this, view.request)
    expect(report.steps.flatMap(({ verification }) => verification ?? [])).to.deep.equal([told])
    expect(report.flows.map(({ from, to }) => `${from} ${to}`)).to.have.members([
      'VU SURF',
      'RUG SURF',
      'SURF UVA',
      'VU SARA',
      'RUG SARA',
      'SARA UVA'
    ])
  })

  const receipt = (change: (payload: Record<string, unknown>) => void) => (drafts: Draft[]) => {
    for (const payload of documents(drafts, 'receipt', 'UVA'))
      if (payload.service === 'convert') change(payload)
  }
  const TAMPERINGS: readonly [string, string, readonly string[], (drafts: Draft[]) => void][] = [
    [
      'a recipient that says nothing of the comparison',
      'receipt-mismatch',
      EVERYBODY,
      receipt((payload) => {
        delete payload.verification
      })
    ],
    [
      'a recipient that names others than were to be compared',
      'receipt-mismatch',
      EVERYBODY,
      receipt((payload) => {
        payload.verification = { ...Object(payload.verification), at: 'RUG' }
      })
    ],
    [
      'a contract that is verified by somebody else than was asked',
      'contract-mismatch',
      EVERYBODY,
      (drafts) => {
        for (const payload of documents(drafts, 'contract'))
          payload.verify = documents(drafts, 'acceptance', 'SURF')[0]?.issuer
      }
    ],
    [
      'a data provider that sent other rows to the second',
      'flow-mismatch',
      ['VU'],
      (drafts) => {
        const sent = entries(drafts, 'flow-sent')
        expect(sent).to.have.length(2)
        Object.assign(sent[1]?.fields ?? {}, { parts: ['1'.repeat(64)] })
      }
    ]
  ]
  for (const [what, code, whose, change] of TAMPERINGS)
    it(`are such that both checkers find ${what}`, async function () {
      const drafts = await draftOf(await exported(honest, whose))
      change(drafts)
      expect((await checked(this, await exportOf(drafts))).finding?.code).to.equal(code)
    })

  const LIES: readonly [string, LyingJobs, string][] = [
    ['the compute provider changes one cell', surf, ONE_CELL],
    ['the one who verifies it leaves a group out', sara, NO_WOMEN]
  ]
  for (const [what, liar, lie] of LIES)
    it(`are none when ${what}, and others are not disturbed`, async function () {
      liar.lie = lie
      const once = market.agent('UVA').ask(wageRequest({ archetype: 'computeToData' }))
      const view = await ask()
      expect(view.status).to.equal('failed')
      expect(view.results).to.equal(undefined)
      expect(view.artifacts).to.deep.equal([])
      expect(view.error).to.deep.include({ code: 'verification-differs', hop: null })
      const { of, at, results = [] } = view.error?.verification ?? {}
      expect([of, at]).to.deep.equal(['SURF', 'SARA'])
      expect(results).to.have.length(1)
      expect(results[0]?.first).to.not.equal(results[0]?.again)
      expect((await once).results?.[0]?.rows).to.deep.equal(averages(VU, RUG))
      const report = await audited(this, view.request)
      const ended = report.outcomes.find(({ organisation }) => organisation === 'UVA')
      expect(ended).to.deep.include({ result: 'failed', code: 'verification-differs' })
      expect(ended?.verification).to.deep.equal(view.error?.verification)
      const page = z.object({ entries: z.array(z.object({ kind: z.string(), fields: z.looseObject({}) })) })
      const log = await market
        .agent('UVA')
        .client.get(`/api/v1/audit?request=${view.request}&kind=outcome`, page)
      expect(log.entries.map(({ fields }) => fields)).to.deep.equal([
        {
          result: 'failed',
          code: 'verification-differs',
          of: 'SURF',
          at: 'SARA',
          first: [results[0]?.first],
          again: [results[0]?.again]
        }
      ])
    })

  it('are the same when floats differ in their last digits', async () => {
    surf.lie = LAST_DIGITS
    const view = await ask()
    expect(view.status, JSON.stringify(view.error)).to.equal('completed')
    expect(view.results?.[0]?.verified).to.deep.include({ of: 'SURF', at: 'SARA' })
  })

  it('are wrong, and nobody knows, when both lie alike', async () => {
    surf.lie = ONE_CELL
    sara.lie = ONE_CELL
    const view = await ask()
    expect(view.status).to.equal('completed')
    expect(view.results?.[0]?.rows).to.not.deep.equal(averages(VU, RUG))
  })

  it('stay apart for each provider, and a lie about one is found', async () => {
    const apart = { options: { aggregate: false } }
    const told = await ask(apart)
    expect(told.results?.map(({ from, verified: by }) => [...from, by?.at])).to.have.deep.members([
      ['VU', 'SARA'],
      ['RUG', 'SARA']
    ])
    surf.lie = ONE_CELL
    const view = await ask(apart)
    expect(view.error?.verification?.results).to.have.length(2)
  })

  it('are explained without being computed, and refused with a reason where they cannot be', async () => {
    const uva = market.agent('UVA')
    const explained = await uva.explain(verified({ archetype: undefined }))
    expect(explained.candidates.find(({ chosen }) => chosen)?.at).to.deep.equal({ infrastructure: 'SURF' })
    expect(explained.candidates.find(({ archetype }) => archetype === 'computeToData')?.why).to.match(
      /^verify-not-possible/
    )
    for (const [at, archetype] of [
      ['SARRA', 'dataThroughTtp'],
      ['VU', 'dataThroughTtp'],
      ['UVA', 'dataThroughTtp'],
      ['SARA', 'computeToData']
    ]) {
      const { status, refusals = [] } = await uva.ask(wageRequest({ archetype, verify: { at } }))
      expect([status, refusals[0]?.code], at).to.deep.equal(['refused', 'verify-not-possible'])
    }
  })

  it('are released by a provider that wants the last word, and may be of protected people', async function () {
    const terms = { computeProviders: ['SURF', 'SARA'], releaseAsk: true }
    await market
      .agent('VU')
      .sign(wageAgreement('VU', { ...terms, output: { minGroupSize: 3, aggregatesOnly: true } }))
    const view = await ask()
    expect(view.status, JSON.stringify([view.error, view.refusals])).to.equal('completed')
    expect(view.results?.[0]?.verified?.at).to.equal('SARA')
    expect(view.receipts.flatMap(({ verification }) => verification ?? [])).to.have.length(1)
    await audited(this, view.request)
    surf.lie = ONE_CELL
    expect((await ask()).error?.code).to.equal('verification-differs')
  })

  it('end with the name of a party that could not do its share again', async () => {
    sara.lie = 'SELECT there_is_no_such_column FROM given'
    const view = await ask()
    expect([view.status, view.results]).to.deep.equal(['failed', undefined])
    expect(view.error).to.include({ hop: 'SARA' })
    expect(view.error?.code).to.not.equal('verification-differs')
  })

  it('need an agreement that names both', async () => {
    await market.agent('VU').sign(wageAgreement('VU', { computeProviders: ['SURF'] }))
    const view = await ask({ algorithm: AVERAGE, providers: ['VU', 'RUG'] })
    expect(view.status).to.equal('refused')
    const refusal = view.refusals?.find(({ hop }) => hop === 'VU')
    expect(refusal?.code).to.equal('compute-provider-not-permitted')
    expect(refusal?.reason).to.include('SARA may not hold the data')
  })
})
