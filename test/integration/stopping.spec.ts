import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { z } from 'zod'
import type { RequestView } from '../../agent/api/index.ts'
import { checkExport } from '../../agent/audit/index.ts'
import { loadOrCreateKey } from '../../agent/identity/index.ts'
import { expel, openMarketplace } from '../../agent/membership/index.ts'
import { closeWithEndings, type Signed } from './endings.ts'
import { Market } from './harness.ts'
import { HostilePeer } from './hostile-peer.ts'
import { HeldFlow, MovedClock } from './seams.ts'
import { averages, ENDLESS, provider, SURF, UVA, wageAgreement, wageRequest, wages } from './wages.ts'

const VU = wages(1, 60)
const RUG = wages(101, 60)
const MINUTE = 60_000
const ONCE = { limits: { requests: 1, per: 'P1D' } }

describe('When what was permitted is so no longer', function () {
  this.timeout(180_000)
  const flow = new HeldFlow()
  const clock = new MovedClock()
  let market: Market

  before(async () => {
    market = await Market.open(
      [
        UVA,
        SURF,
        { ...SURF, name: 'SARA' },
        provider('VU', VU),
        provider('RUG', RUG),
        { name: 'WATCHER', users: ['somebody@watcher.nl'] }
      ],
      { apart: ['RUG'], seams: { clock, beforePart: flow.beforePart } }
    )
    await market.agent('WATCHER').stop()
  })
  afterEach(() => flow.release())
  /** What agents are to have signed themselves. */
  const signed: Signed[] = []
  after(async () => await closeWithEndings(market, signed))

  const uva = () => market.agent('UVA')
  const agree = async (changes: Record<string, unknown> = {}, name = 'VU') =>
    await market.agent(name).sign(wageAgreement(name, { computeProviders: ['SURF', 'SARA'], ...changes }))
  const asked = (changes: Record<string, unknown> = {}) =>
    wageRequest({ providers: ['VU'], archetype: 'computeToData', deadline: 'PT30M', ...changes })
  /** In the middle of the first transfer: output leaves. */
  const transferring = async (changes: Record<string, unknown> = {}) => {
    flow.hold()
    const id = await uva().submit(asked(changes))
    await flow.reached()
    return id
  }
  /** While a job runs of which nothing has left. */
  const computing = async () => {
    const id = await uva().submit(asked({ query: ENDLESS }))
    await uva().until(id, (event) => event.status === 'running')
    return id
  }
  const stoppedBy = async (id: string, hop: string, code: string): Promise<RequestView> => {
    const view = await uva().outcome(id)
    expect(view.status, JSON.stringify([view.error, view.refusals])).to.equal('failed')
    expect(view.error).to.include({ hop, code })
    expect(view.stopped?.[0]).to.include({ hop, code })
    expect(view.results).to.equal(undefined)
    signed.push({ agent: hop, request: id, result: 'expired', code })
    signed.push({ agent: 'UVA', request: id, result: 'failed', code })
    return view
  }
  const quotaLeft = async () => {
    const view = await uva().explain(asked())
    return view.refusals?.[0]?.code !== 'quota-exceeded'
  }
  const works = async () => {
    flow.release()
    const view = await uva().ask(asked())
    expect(view.status, JSON.stringify([view.error, view.refusals])).to.equal('completed')
    expect(view.results?.[0]?.rows).to.deep.equal(averages(VU))
  }
  it('an agreement that is superseded in the middle of a transfer stops it, and what had left is counted', async () => {
    await agree(ONCE)
    const id = await transferring()
    await agree(ONCE)
    await stoppedBy(id, 'VU', 'agreement-superseded')
    expect(await quotaLeft()).to.equal(false)
  })

  it('an agreement that is superseded while nothing has left costs nothing', async () => {
    await agree({ limits: { requests: 2, per: 'P1D' } })
    const id = await computing()
    await agree({ limits: { requests: 2, per: 'P1D' } })
    await stoppedBy(id, 'VU', 'agreement-superseded')
    expect(await quotaLeft()).to.equal(true)
  })

  it('an agreement that is revoked in the middle of a transfer stops it, at whichever end', async () => {
    for (const name of ['VU', 'UVA']) {
      await agree()
      const id = await transferring()
      const path = '/api/v1/agreements/wages-vu/revoke'
      await market.agent(name).client.post(path, { json: { reason: 'the study is over' } }, z.unknown())
      await stoppedBy(id, 'VU', 'agreement-revoked')
      flow.release()
    }
  })

  it('one that lets what runs finish does so', async () => {
    await agree({ revocation: { effect: 'finish' } })
    const id = await transferring()
    await agree()
    flow.release()
    expect((await uva().outcome(id)).status).to.equal('completed')
  })

  it('rules that change in the middle of it stop it', async () => {
    await agree()
    const id = await transferring()
    const file = join(market.agent('VU').config.policy, 'own.cedar')
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, 'forbid (principal, action, resource);\n')
    await stoppedBy(id, 'VU', 'policy-changed')
    await writeFile(file, '// nothing is forbidden\n')
    const path = `/api/v1/audit/requests/${id}/export?open=all`
    const { decisions } = await checkExport(
      await market.agent('VU').client.download(path, 'application/vnd.dynamos.audit')
    )
    expect(decisions.filter(({ why }) => why !== null)).to.deep.equal([])
    expect(decisions.at(-1)).to.include({ question: 'continue', verdict: 'deny' })
  })

  it('a provider whose share is done stops what others do with it, also when another one has crashed', async () => {
    await agree()
    await agree({}, 'RUG')
    await market.untilAllSee()
    flow.hold()
    const id = await uva().submit(asked({ providers: ['VU', 'RUG'], archetype: 'dataThroughTtp' }))
    // VU's own rows, which are let through, then what is made of both at the compute provider
    await flow.reached()
    flow.release()
    flow.hold()
    await flow.reached()
    await market.agent('RUG').signal('SIGKILL')
    await agree()
    const view = await uva().outcome(id)
    expect(view.status).to.be.oneOf(['failed', 'refused'])
    await market.agent('RUG').spawn()
    await market.untilAllSee()
    await works()
    signed.push({ agent: 'VU', request: id, result: 'expired', code: 'agreement-superseded' })
  })

  it('an agreement that runs out stops what runs under it', async () => {
    await agree({ valid: { until: new Date(clock.now() + 10 * MINUTE).toISOString() } })
    const id = await transferring()
    clock.move(11 * MINUTE)
    await stoppedBy(id, 'VU', 'agreement-expired')
    await agree()
  })

  it('a compute provider that is expelled in the middle of it is replaced, and named', async () => {
    await agree()
    const id = await transferring({ archetype: 'dataThroughTtp' })
    const chosen = (await uva().view(id)).chain.at(-1)?.at ?? ''
    const expelled = market.agent(chosen)
    const folder = join(market.dir, 'marketplace')
    const marketplace = await openMarketplace(await readFile(join(folder, 'marketplace.json'), 'utf8'))
    const authority = await loadOrCreateKey(join(folder, 'authority.key'))
    const { status } = await expel(marketplace, [expelled.peerId], { keys: [authority], now: clock.now() })
    const carrier = await HostilePeer.start(market.agent('WATCHER'), clock)
    await carrier.members.acceptStatus(status)
    for (const name of ['VU', 'UVA']) await carrier.connect(market.agent(name))
    flow.release()
    const view = await uva().outcome(id)
    await carrier.stop()
    expect(view.status, JSON.stringify([view.error, view.refusals, view.notes])).to.equal('completed')
    expect(view.chain.at(-1)?.at).to.be.oneOf(['SURF', 'SARA']).and.not.equal(chosen)
    expect(view.results?.[0]?.rows).to.deep.equal(averages(VU))
  })
})
