import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { z } from 'zod'
import { contractView, type RequestView, resultView, submitted } from '../../agent/api/index.ts'
import { run } from '../../agent/cli/index.ts'
import { type FakeTerminal, fakeTerminal } from '../cli/fake-terminal.ts'
import { Market, type TestAgent } from './harness.ts'
import { averages, ENDLESS, joined, provider, SURF, UVA, wageAgreement, wageRequest, wages } from './wages.ts'

const VU = wages(1, 60)
const RUG = wages(101, 60)
/** 3,600 rows. */
const MANY = 'SELECT p.id AS p, q.id AS q FROM person p, person q ORDER BY p.id, q.id'
/** 216,000 rows that hardly compress. */
const LARGE = 'SELECT sqrt(p.id * 7919 + q.id * 131 + r.id) AS x FROM person p, person q, person r'
const page = resultView.extend({ offset: z.number(), limit: z.number(), next: z.number().nullable() })

describe('Results, as people use them', function () {
  this.timeout(120_000)
  let market: Market
  let folder: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dynamos-answers-'))
    const small = { hosting: { perJob: { seconds: 60, memory: '1GiB', disk: '600kB' } } }
    market = await Market.open([
      UVA,
      SURF,
      provider('VU', VU),
      provider('RUG', RUG),
      { name: 'HVA', users: ['analyst@hva.nl'], more: small }
    ])
    for (const name of ['VU', 'RUG'])
      await market
        .agent(name)
        .sign(wageAgreement(name, { consumers: [{ user: 'analyst@uva.nl' }, { user: 'analyst@hva.nl' }] }))
  })
  after(async () => {
    await rm(folder, { recursive: true })
    await market?.closeClean()
  })

  const uva = () => market.agent('UVA')
  const rows = (changes: Record<string, unknown> = {}) =>
    wageRequest({ providers: ['VU'], query: MANY, algorithm: 'table', ...changes })
  /** A command line at UVA. */
  const command = async (words: readonly string[], terminal: FakeTerminal) => {
    const { host, port, token } = uva().config.api
    return await run([...words, '--agent', `http://${host}:${port}`, '--token', token], terminal)
  }
  const completed = async (request: Record<string, unknown>): Promise<RequestView> => {
    const view = await uva().ask(request)
    expect(view.status, JSON.stringify([view.refusals, view.error])).to.equal('completed')
    return view
  }
  const jobsOf = async (agent: TestAgent) => {
    const jobs = join(agent.config.data, 'jobs')
    const found = await Promise.all(
      (await readdir(jobs)).map(async (name) =>
        (await readdir(join(jobs, name, 'in')).catch(() => [])).length > 0 ? [name] : []
      )
    )
    return found.flat()
  }

  it('are read whole, and page by page, beyond what an answer shows', async () => {
    const view = await completed(rows())
    expect(view.results?.[0]).to.deep.include({ rowCount: 3600, truncated: true })
    const pages: unknown[][] = []
    for (let next: number | null = 0; next !== null; ) {
      const path: string = `/api/v1/requests/${view.request}/result?offset=${next}&limit=1500`
      const one: z.infer<typeof page> = await uva().client.get(path, page)
      pages.push(...one.rows)
      next = one.next
    }
    const whole = await uva().client.get(`/api/v1/requests/${view.request}/result`, resultView)
    expect(whole.truncated).to.equal(false)
    expect(whole.rows).to.deep.equal(pages)
    const ids = VU.person.map(([id]) => id)
    expect(pages).to.deep.equal(ids.flatMap((p) => ids.map((q) => [p, q])))
    while ((await jobsOf(uva())).length > 0);
  })

  it('are saved with the contract, the request and a page that tells them', async () => {
    const terminal = fakeTerminal({ cwd: folder })
    const view = await completed(rows())
    expect(
      await command(['request', 'result', view.request, '--out', 'all/'], terminal),
      terminal.written.err
    ).to.equal(0)
    const lines = (await readFile(join(folder, 'all', 'result.csv'), 'utf8')).trimEnd().split('\n')
    expect(lines).to.have.length(3601)
    expect(lines.slice(0, 2)).to.deep.equal(['p,q', '1,1'])
    const contract = contractView.parse(
      JSON.parse(await readFile(join(folder, 'all', 'contract.json'), 'utf8'))
    )
    expect(contract.contract).to.equal(view.contract)
    expect(contract.sections.map((section) => section.as)).to.deep.equal(['recipient'])
    expect(contract.acceptances.map((one) => one.organisation).sort()).to.deep.equal(['UVA', 'VU'])
    expect(await readFile(join(folder, 'all', 'README.md'), 'utf8')).to.include('FROM person p, person q')
    const again = fakeTerminal({ cwd: folder })
    const words = ['request', 'submit', 'all/request.yaml', '--out', 'again', '--json']
    expect(await command(words, again), again.written.err).to.equal(0)
    expect(JSON.parse(again.written.out).results).to.deep.equal(view.results)
  })

  it('come again from the same request by its id, once for each key', async () => {
    const view = await completed(wageRequest())
    const client = uva().client
    const path = `/api/v1/requests/${view.request}/rerun`
    const { request: again } = await client.post(path, { json: {} }, submitted)
    expect(again).not.to.equal(view.request)
    const second = await uva().outcome(again)
    expect(second.results).to.deep.equal(view.results)
    expect(second.results?.[0]?.rows).to.deep.equal(averages(VU, RUG))
  })

  it('are told the same way to whoever watches, from another terminal and after a restart', async () => {
    const first = fakeTerminal({ cwd: folder })
    const submitting = command(
      ['ask', 'SELECT wage FROM job', '--dataset', 'wages', '--purpose', 'research', '--json'],
      first
    )
    expect(await submitting, first.written.err).to.equal(0)
    const id: string = JSON.parse(first.written.out).request
    const second = fakeTerminal()
    expect(await command(['request', 'watch', id, '--json'], second)).to.equal(0)
    expect(JSON.parse(second.written.out)).to.deep.equal(JSON.parse(first.written.out))
    await uva().stop()
    await uva().start()
    const third = fakeTerminal()
    expect(await command(['request', 'watch', id, '--json'], third)).to.equal(0)
    expect(third.written.out).to.equal(first.written.out)
    expect(await uva().view(id)).to.deep.equal(JSON.parse(first.written.out))
    await market.untilAllSee()
  })

  for (const archetype of ['computeToData', 'dataThroughTtp'])
    it(`are given up at Ctrl-C at every party, by ${archetype}`, async () => {
      const parties = ['VU', 'RUG'].map((name) => market.agent(name))
      const terminal = fakeTerminal({
        cwd: folder,
        readInput: async () =>
          JSON.stringify(wageRequest({ providers: ['VU', 'RUG'], query: ENDLESS, archetype }))
      })
      const waiting = command(['request', 'submit', '-', '--json'], terminal)
      let ended = false
      void waiting.then(() => {
        ended = true
      })
      for (const party of parties)
        while ((await jobsOf(party)).length === 0)
          if (ended) throw new Error(`ended before it ran: ${terminal.written.out}`)
      terminal.interrupt()
      expect(await waiting, terminal.written.err).to.equal(4)
      for (const party of parties) while ((await jobsOf(party)).length > 0);
      expect(JSON.parse(terminal.written.out)).to.include({ status: 'cancelled' })
      for (const party of market.agents) while ((await party.dataLeft()).length > 0);
      expect(terminal.abandoned).to.deep.equal([])
    })

  it('larger than the recipient’s disk fail the request by name, and leave nothing', async () => {
    const hva = market.agent('HVA')
    for (const archetype of ['computeToData', 'dataThroughTtp']) {
      const view = await hva.ask(
        wageRequest({
          user: 'analyst@hva.nl',
          providers: ['VU'],
          query: LARGE,
          algorithm: 'table',
          archetype
        })
      )
      expect(view.status, archetype).to.equal('failed')
      expect(view.error, archetype).to.include({ code: 'disk-limit', hop: 'HVA' })
      expect(await readdir(join(hva.config.data, 'results')).catch(() => [])).to.deep.equal([])
    }
    for (const party of market.agents) while ((await party.dataLeft()).length > 0);
  })

  it('tell while they come how much came, and never very often', async () => {
    const id = await uva().submit(rows({ query: LARGE }))
    const events: string[] = []
    for await (const event of uva().client.events(id)) {
      events.push(event.phase)
      if (event.phase === 'transfer') expect(event).to.include({ hop: 'VU', message: 'sends its rows' })
    }
    expect(events).to.include('transfer')
    expect(events.length).to.be.below(100)
    expect((await uva().view(id)).results?.[0]?.rowCount).to.equal(joined(VU).length ** 3)
  })
})
