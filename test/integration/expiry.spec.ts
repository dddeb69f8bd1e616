import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { z } from 'zod'
import type { RequestView } from '../../agent/api/index.ts'
import { loadOrCreateKey, replacePrivateFile } from '../../agent/identity/index.ts'
import { openMarketplace, packageText, renewMembership } from '../../agent/membership/index.ts'
import { closeWithEndings, type Signed } from './endings.ts'
import { Market } from './harness.ts'
import { HeldFlow, MovedClock } from './seams.ts'
import { averages, provider, SURF, UVA, wageAgreement, wageRequest, wages } from './wages.ts'

const VU = wages(1, 60)
const RUG = wages(101, 60)
const MINUTE = 60_000
const LIFETIME = 90 * 86_400_000
/** When memberships end, in minutes after the start: sooner one after the other than a hop's longest deadline. */
const ENDS = { SURF: 40, RUG: 70, UVA: 100 }

/** The membership of an organisation, as if it had been given when it ends at that instant. */
async function endMembership(market: Market, organisation: string, end: number): Promise<void> {
  const folder = join(market.dir, 'marketplace')
  const founded = await openMarketplace(await readFile(join(folder, 'marketplace.json'), 'utf8'))
  const keys: [Awaited<ReturnType<typeof loadOrCreateKey>>] = [
    await loadOrCreateKey(join(folder, 'authority.key'))
  ]
  const by = { keys, now: end - LIFETIME }
  const { marketplace, membership } = await renewMembership(founded, organisation, by)
  const { config } = market.agent(organisation)
  await replacePrivateFile(config.marketplace, packageText({ ...marketplace, membership }))
}

describe('What runs when an agreement is taken back, or a membership ends', function () {
  this.timeout(180_000)
  const flow = new HeldFlow()
  const clock = new MovedClock()
  let market: Market
  /** By the machine's clock, when the memberships were given: other specs may have run for long before. */
  let start = 0

  before(async () => {
    start = Date.now()
    market = await Market.open([UVA, SURF, provider('VU', VU), provider('RUG', RUG)], {
      seams: { clock, beforePart: flow.beforePart },
      prepared: async (prepared) => {
        for (const [name, minutes] of Object.entries(ENDS))
          await endMembership(prepared, name, start + minutes * MINUTE)
      }
    })
  })
  afterEach(() => flow.release())
  /** What agents are to have signed themselves. */
  const signed: Signed[] = []
  after(async () => await closeWithEndings(market, signed))

  const uva = () => market.agent('UVA')
  const agree = async (changes: Record<string, unknown> = {}, name = 'VU') =>
    await market.agent(name).sign(wageAgreement(name, changes))
  const asked = (changes: Record<string, unknown> = {}) =>
    wageRequest({ providers: ['VU'], archetype: 'computeToData', deadline: 'PT3H', ...changes })
  /** In the middle of the first transfer: output leaves. */
  const transferring = async (changes: Record<string, unknown> = {}) => {
    flow.hold()
    const id = await uva().submit(asked(changes))
    await flow.reached()
    return id
  }
  const completes = async (id: string, ...parts: (typeof VU)[]): Promise<void> => {
    const view = await uva().outcome(id)
    expect(view.status, JSON.stringify([view.error, view.refusals])).to.equal('completed')
    expect(view.results?.[0]?.rows).to.deep.equal(averages(...parts))
    expect(view.stopped ?? []).to.deep.equal([])
  }
  const refusal = async (changes: Record<string, unknown> = {}) => {
    const view = await uva().ask(asked(changes))
    expect(view.status, JSON.stringify(view)).to.equal('refused')
    return view.refusals?.[0]
  }
  const revoke = async (by: string) =>
    await market
      .agent(by)
      .client.post(
        '/api/v1/agreements/wages-vu/revoke',
        { json: { reason: 'the study is over' } },
        z.unknown()
      )

  describe('revoked, with the clause that what has started may finish', () => {
    for (const by of ['VU', 'UVA'])
      for (const archetype of ['computeToData', 'dataThroughTtp'])
        it(`by ${by}: completes by ${archetype}, and nothing new begins`, async () => {
          await agree({ revocation: { effect: 'finish' } })
          const id = await transferring({ archetype })
          await revoke(by)
          expect(await refusal({ archetype })).to.include({ hop: 'VU', code: 'no-agreement' })
          flow.release()
          await completes(id, VU)
          for (const agent of ['VU', 'UVA'])
            signed.push({ agent, request: id, result: 'completed', code: null })
        })

    it('counts what finished against the quota of the version that comes after', async () => {
      const limits = { requests: 1, per: 'P1D' }
      await agree({ revocation: { effect: 'finish' }, limits: { requests: 100, per: 'P1D' } })
      const id = await transferring()
      await revoke('VU')
      flow.release()
      await completes(id, VU)
      await agree({ limits })
      expect(await refusal()).to.include({ code: 'quota-exceeded' })
    })

    it('after a notice: requests are taken until it is over, and finish after it', async () => {
      await agree({ revocation: { effect: 'finish', notice: 'PT10M' } })
      await revoke('VU')
      const id = await transferring()
      clock.move(11 * MINUTE)
      expect(await refusal()).to.include({ hop: 'VU', code: 'no-agreement' })
      flow.release()
      await completes(id, VU)
    })

    it('after a notice, with the clause that it stops: what runs is stopped when it is over', async () => {
      await agree({ revocation: { effect: 'stop', notice: 'PT10M' } })
      await revoke('UVA')
      const id = await transferring()
      clock.move(11 * MINUTE)
      await stopped(id, 'VU', 'agreement-revoked')
      for (const agent of ['VU', 'UVA'])
        signed.push({
          agent,
          request: id,
          result: agent === 'UVA' ? 'failed' : 'expired',
          code: 'agreement-revoked'
        })
    })
  })

  /** The analyst is told by whom, and why. */
  async function stopped(id: string, hop: string, code: string): Promise<RequestView> {
    const view = await uva().outcome(id)
    expect(view.status, JSON.stringify([view.error, view.refusals])).to.equal('failed')
    expect(view.error).to.include({ hop, code })
    expect(view.stopped?.[0]).to.include({ hop, code })
    expect(view.results).to.equal(undefined)
    return view
  }
  /** Shortly before a membership ends, with nothing under way: what begins now is younger than its longest deadline. */
  const near = (name: keyof typeof ENDS) =>
    clock.move(Math.max(0, start + (ENDS[name] - 10) * MINUTE - clock.now()))
  /** Just after a membership has ended. */
  const past = (name: keyof typeof ENDS) => clock.move(start + (ENDS[name] + 5) * MINUTE - clock.now())
  const once = { limits: { requests: 1, per: 'P1D' } }

  describe('ends with the membership', () => {
    it('of the compute provider in the middle of a transfer to it; what had left is counted', async () => {
      near('SURF')
      await agree({ limits: { requests: 100, per: 'P1D' } })
      const id = await transferring({ archetype: 'dataThroughTtp' })
      past('SURF')
      await stopped(id, 'SURF', 'membership-expired')
      signed.push({ agent: 'SURF', request: id, result: 'expired', code: 'membership-expired' })
      signed.push({ agent: 'UVA', request: id, result: 'failed', code: 'membership-expired' })
      flow.release()
      await agree(once)
      expect(await refusal()).to.include({ hop: 'VU', code: 'quota-exceeded' })
    })

    it('of a data provider, for the others too', async () => {
      near('RUG')
      await agree()
      await agree({}, 'RUG')
      const id = await transferring({ providers: ['VU', 'RUG'], require: 'all' })
      past('RUG')
      await stopped(id, 'RUG', 'membership-expired')
      signed.push({ agent: 'RUG', request: id, result: 'expired', code: 'membership-expired' })
      signed.push({ agent: 'UVA', request: id, result: 'failed', code: 'membership-expired' })
      flow.release()
      const again = await uva().ask(asked())
      expect(again.status, JSON.stringify([again.error, again.refusals])).to.equal('completed')
    })

    it('of the one who asked: it tells its own people, and asks for nothing more', async () => {
      near('UVA')
      await agree()
      const id = await transferring()
      past('UVA')
      await stopped(id, 'UVA', 'membership-expired')
      signed.push({ agent: 'VU', request: id, result: 'expired', code: 'membership-expired' })
      signed.push({ agent: 'UVA', request: id, result: 'failed', code: 'membership-expired' })
      flow.release()
      const [first] = (await uva().ask(asked())).refusals ?? []
      expect(first).to.include({ code: 'membership-expired' })
    })
  })
})
