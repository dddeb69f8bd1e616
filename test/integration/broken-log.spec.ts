import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import sqlite3 from 'sqlite3'
import { z } from 'zod'
import { auditAcceptedView, auditVerifiedView, healthView, type RequestView } from '../../agent/api/index.ts'
import { type AuditReport, checkExport } from '../../agent/audit/index.ts'
import { endingsIn } from './endings.ts'
import { Market, type TestAgent } from './harness.ts'
import { HeldFlow } from './seams.ts'
import { averages, provider, SURF, UVA, wageAgreement, wageRequest, wages } from './wages.ts'

const VU = wages(1, 60)
const RUG = wages(101, 60)
const found = z.array(z.object({ sequence: z.int(), entry: z.instanceof(Uint8Array) }))

/** Flips the last bit of the time in an entry, under the agent: as a disk does, and whoever has it in hand. */
async function flipBit(agent: TestAgent, request: string, kind: string): Promise<number> {
  const database = new sqlite3.Database(join(agent.config.data, 'state.sqlite'))
  const done = async (act: (done: (error: Error | null) => void) => void) =>
    await new Promise<void>((resolve, reject) => act((error) => (error === null ? resolve() : reject(error))))
  try {
    await done((end) =>
      database.exec('PRAGMA busy_timeout = 5000; DROP TRIGGER IF EXISTS log_never_changes', end)
    )
    const rows = await new Promise((resolve, reject) =>
      database.all(
        'SELECT sequence, entry FROM log WHERE request = ? AND kind = ? ORDER BY sequence LIMIT 1',
        [request, kind],
        (error, all) => (error === null ? resolve(all) : reject(error))
      )
    )
    const [line] = found.parse(rows)
    if (line === undefined) throw new Error(`${agent.name} has no ${kind} of ${request}`)
    const entry = Buffer.from(line.entry)
    const at = entry.indexOf('dtime') + 'dtime'.length + 8
    entry[at] = (entry[at] ?? 0) ^ 1
    await done((end) =>
      database.run('UPDATE log SET entry = ? WHERE sequence = ?', [entry, line.sequence], end)
    )
    return line.sequence
  } finally {
    await done((end) => database.close(end))
  }
}

describe('A log in which a bit was flipped', function () {
  this.timeout(120_000)
  const flow = new HeldFlow()
  const check = new HeldFlow()
  let market: Market
  let earlier: RequestView
  let broken = 0
  let held = ''

  before(async () => {
    market = await Market.open([SURF, UVA, provider('VU', VU), provider('RUG', RUG)], {
      seams: { beforePart: flow.beforePart }
    })
    for (const name of ['VU', 'RUG']) await market.agent(name).sign(wageAgreement(name))
  })
  after(async () => {
    flow.release()
    check.release()
    await market?.close()
  })

  const uva = () => market.agent('UVA')
  const vu = () => market.agent('VU')
  const of = (...providers: string[]) => wageRequest({ providers, archetype: 'computeToData' })
  const problems = async () => (await vu().client.get('/health', healthView)).problems
  const exported = async (request: string): Promise<AuditReport> => {
    const file = join(market.dir, `${request}.audit`)
    const path = `/api/v1/audit/requests/${request}/export?open=all`
    await writeFile(file, await vu().client.download(path, 'application/vnd.dynamos.audit'))
    return await checkExport(createReadStream(file))
  }
  const refusedByVu = async () => {
    const view = await uva().ask(of('VU'))
    expect(view.status).to.equal('refused')
    expect(view.refusals).to.have.lengthOf.above(0)
    for (const refusal of view.refusals ?? []) expect(refusal).to.include({ hop: 'VU', code: 'log-broken' })
  }

  it('is looked at in the background: its agent is ready, and answers, before that is over', async () => {
    earlier = await uva().ask(of('VU'))
    expect(earlier.status).to.equal('completed')
    await vu().stop()
    vu().seams = { ...vu().seams, beforeStretch: check.beforePart }
    check.hold()
    await vu().start()
    await check.reached()
    await market.untilAllSee()
    const meanwhile = await uva().ask(of('VU'))
    expect(meanwhile.status, JSON.stringify(meanwhile.refusals)).to.equal('completed')
    expect(meanwhile.results?.[0]?.rows).to.deep.equal(averages(VU))
    check.release()
  })

  it('is found while the agent runs, and the entry is named', async () => {
    flow.hold()
    held = await uva().submit(of('VU'))
    await flow.reached()
    broken = await flipBit(vu(), earlier.request, 'acceptance')
    const said = await vu().client.post('/api/v1/audit/verify', { json: {} }, auditVerifiedView)
    expect(said.broken?.sequence).to.equal(broken)
    expect((await problems()).join()).to.include('log-broken')
  })

  it('keeps its agent from anything new, and tells the asker which agent and why', async () => {
    await refusedByVu()
    flow.release()
  })

  it('lets what ran come to its end, which both sign', async () => {
    const view = await uva().outcome(held)
    expect(view.status, JSON.stringify(view.error)).to.equal('completed')
    expect(view.results?.[0]?.rows).to.deep.equal(averages(VU))
  })

  it('disturbs nobody else', async () => {
    expect((await uva().ask(of('RUG'))).status).to.equal('completed')
  })

  it('is found again after a restart, by the check in the background alone', async () => {
    await vu().stop()
    const endings = await vu().withStore(endingsIn)
    expect(endings.find(({ request }) => request === held)).to.include({ result: 'completed' })
    await vu().start()
    await market.untilAllSee()
    while ((await problems()).length === 0);
    await refusedByVu()
  })

  it('is gone on with when its operator says so; exports show the break for good', async () => {
    const reason = { reason: 'a disk was replaced' }
    await vu().client.post('/api/v1/audit/accept-break', { json: reason }, auditAcceptedView)
    expect(await problems()).to.deep.equal([])
    const view = await uva().ask(of('VU'))
    expect(view.status, JSON.stringify(view.refusals)).to.equal('completed')
    expect((await exported(view.request)).verdict).to.equal('confirmed')
    const report = await exported(earlier.request)
    expect(report.verdict).to.equal('broken')
    expect(report.finding).to.include({ code: 'chain-broken', organisation: 'VU', sequence: broken })
    const again = await vu().client.post('/api/v1/audit/verify', { json: {} }, auditVerifiedView)
    expect(again.broken?.sequence).to.equal(broken)
    expect(await problems()).to.deep.equal([])
  })
})
