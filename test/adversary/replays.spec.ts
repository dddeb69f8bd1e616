import { expect } from 'chai'
import type { SignedBytes } from '../../protocol/documents/index.ts'
import { protocolOf, type WireKind, type WireMessage, wireMessage } from '../../protocol/messages/index.ts'
import { FLOW_PROTOCOL, sendParts } from '../../protocol/transfer/index.ts'
import { Market, type TestAgent } from '../integration/harness.ts'
import type { HostilePeer, Offered } from '../integration/hostile-peer.ts'
import { provider, UVA, wageAgreement, wageDataset, wageRequest, wages } from '../integration/wages.ts'
import {
  acceptanceBy,
  agreementWithEve,
  askedBy,
  codeSaid,
  EVE,
  honestContract,
  type Made,
  outcomeBy,
  proposeTo,
  turnedHostile
} from './hostile-asker.ts'
import { beside, evidence, logOf } from './hostile-edge.ts'

const VU = wages(1, 20)
const RUG = wages(101, 20)
const HONEST = { VU, RUG }

describe('What was said before', function () {
  this.timeout(120_000)
  let market: Market
  let eve: HostilePeer
  let mal: HostilePeer
  let vu: TestAgent
  let rug: TestAgent
  let uva: TestAgent
  /** What Eve answers to whoever asks her. */
  let answered: WireMessage[] = []

  before(async () => {
    market = await Market.open([
      UVA,
      provider('VU', VU, { datasets: [wageDataset('wages', VU), wageDataset('private', VU)] }),
      provider('RUG', RUG, { datasets: [wageDataset('wages', RUG), wageDataset('private', RUG)] }),
      provider('EVE', wages(201, 5), { users: [EVE] }),
      { name: 'MAL', users: ['mal@mal.nl'] }
    ])
    vu = market.agent('VU')
    rug = market.agent('RUG')
    uva = market.agent('UVA')
    for (const agent of [vu, rug]) {
      await agent.sign(wageAgreement(agent.name))
      await agent.sign(agreementWithEve(agent.name))
    }
    await market.agent('EVE').sign(wageAgreement('EVE'))
    eve = await turnedHostile(market, 'EVE', {
      prepare: (network) =>
        network.handle(protocolOf('ask'), wireMessage, async () => ({ messages: answered }))
    })
    mal = await turnedHostile(market, 'MAL')
  })
  after(async () => {
    await eve?.stop()
    await mal?.stop()
    await market?.closeClean()
  })

  const refusedAt = async (agent: TestAgent, who: HostilePeer, kind: WireKind, code: string) =>
    await evidence(agent, 'refusal', { code, peer: who.peer, protocol: protocolOf(kind) })

  type OfVu = Offered & { of: TestAgent }
  const offered = async (): Promise<OfVu> => ({ of: vu, ...(await eve.ask(vu, await askedBy(eve, [vu]))) })

  /** A contract of Eve's that VU has accepted. */
  const accepted = async (offer: OfVu): Promise<Made & { acceptance: SignedBytes }> => {
    const { body, sections } = honestContract(eve, [offer])
    const made = await eve.contract(body, sections)
    const { acceptance } = await proposeTo(eve, vu, made)
    if (acceptance === undefined) throw new Error('expected an acceptance')
    return { ...made, acceptance }
  }
  const aboutIn = async (agent: TestAgent, contract: string) =>
    (await logOf(agent)).filter((entry) => entry.contract === contract).map(({ kind }) => kind)
  const started = async ({ contract, sections, acceptance }: Awaited<ReturnType<typeof accepted>>) => {
    const acceptances = [acceptance, await acceptanceBy(eve, { contract, sections })]
    return { kind: 'start', contract: contract.bytes, acceptances } satisfies WireMessage
  }

  it('is answered to nobody but who asked it: a request, a contract and a start, sent again by another member', async () => {
    const asked = await askedBy(eve, [vu])
    const offer = { of: vu, ...(await eve.ask(vu, asked)) }
    const made = await accepted(offer)
    const sections = made.sections[vu.peerId]
    if (sections === undefined) throw new Error('expected a section for VU')
    const start = await started(made)
    const again: [WireMessage, string][] = [
      [asked.message, 'bad-signature'],
      [{ kind: 'propose', contract: made.contract.bytes, sections }, 'contract-invalid'],
      [start, 'contract-invalid']
    ]
    const toVu = async () => {
      for (const [message, code] of again) {
        expect(await codeSaid(mal, vu, message), message.kind).to.equal(code)
        await refusedAt(vu, mal, message.kind, code)
      }
    }
    await beside(market, HONEST, async () => {
      await toVu()
      // All that she brought has started nothing.
      expect(await aboutIn(vu, made.contract.id)).not.to.include.members(['start', 'job-started'])
      expect(await codeSaid(eve, vu, start)).to.equal('started')
      await toVu()
      await codeSaid(eve, vu, await outcomeBy(eve, made.contract))
    })
    await beside(market, HONEST, toVu)
  })

  it('is done once, however often its own author sends it again, and after the end it is told how that was', async () => {
    const asked = await askedBy(eve, [vu])
    const first = await eve.ask(vu, asked)
    const made = await accepted({ of: vu, ...first })
    const sections = made.sections[vu.peerId]
    if (sections === undefined) throw new Error('expected a section for VU')
    const propose: WireMessage = { kind: 'propose', contract: made.contract.bytes, sections }
    const start = await started(made)
    await beside(market, HONEST, async () => {
      expect((await eve.ask(vu, asked)).offer.id).to.equal(first.offer.id)
      expect(await codeSaid(eve, vu, propose)).to.equal('acceptance')
      const answers = await Promise.all(
        [start, start, start].map(async (one) => await codeSaid(eve, vu, one))
      )
      expect(answers).to.include('started')
      await codeSaid(eve, vu, await outcomeBy(eve, made.contract))
    })
    const over = await beside(market, HONEST, async () => [
      await codeSaid(eve, vu, asked.message),
      await codeSaid(eve, vu, propose),
      await codeSaid(eve, vu, start)
    ])
    expect(over).to.deep.equal(['outcome', 'outcome,decline', 'outcome'])
    const about = await aboutIn(vu, made.contract.id)
    for (const kind of ['acceptance', 'start'] as const)
      expect(
        about.filter((one) => one === kind),
        kind
      ).to.have.length(1)
    const jobs = (await logOf(vu)).filter(
      (entry) => entry.kind === 'job-started' && entry.contract === made.contract.id
    )
    expect(new Set(jobs.map(({ fields }) => JSON.stringify(fields))).size).to.equal(jobs.length)
  })

  it('does not let an acceptance stand under another contract, nor be brought by another than its signer', async () => {
    const asked = await askedBy(eve, [vu, rug])
    const [atVu] = await Promise.all([vu, rug].map(async (of) => ({ of, ...(await eve.ask(of, asked)) })))
    const old = await accepted(await offered())
    const made = await accepted(await offered())
    await beside(market, HONEST, async () => {
      const start = { ...(await started(made)), acceptances: [old.acceptance, await acceptanceBy(eve, made)] }
      expect(await codeSaid(eve, vu, start)).to.equal('contract-invalid')
      await refusedAt(vu, eve, 'start', 'contract-invalid')
      const acceptance: WireMessage = { kind: 'acceptance', acceptance: made.acceptance }
      for (const who of [eve, mal]) {
        expect(await codeSaid(who, vu, acceptance)).to.equal('bad-signature')
        await refusedAt(vu, who, 'acceptance', 'bad-signature')
      }
      // Where nobody knows of the request, it is about nothing.
      expect(await codeSaid(mal, uva, acceptance)).to.equal('contract-invalid')
      await refusedAt(uva, mal, 'acceptance', 'contract-invalid')
    })
    expect(atVu?.request.id).to.equal(asked.request.id)
    for (const { contract } of [old, made]) {
      expect(await aboutIn(vu, contract.id)).not.to.include('job-started')
      await codeSaid(eve, vu, {
        kind: 'abort',
        request: contract.payload.request,
        contract: contract.id,
        epoch: 1
      })
    }
    // What was given back is not taken up by the same words.
    const late = await started(made)
    expect(await beside(market, HONEST, async () => await codeSaid(eve, vu, late))).to.equal(
      'epoch-superseded'
    )
    await refusedAt(vu, eve, 'start', 'epoch-superseded')
  })

  it('is no offer for what is asked later, by whoever it was made', async () => {
    const old = await offered()
    const fresh = await offered()
    const { body, sections } = honestContract(eve, [fresh])
    // One set of offers carries one contract: the one of another request carries none.
    const [party, ...others] = body.parties
    if (party === undefined) throw new Error('expected a party')
    const made = await eve.contract(
      { ...body, parties: [{ ...party, offer: old.offer.id }, ...others] },
      sections
    )
    const message = { kind: 'offer' as const, epoch: 1, offer: old.offer.bytes, details: old.section }
    await beside(market, HONEST, async () => {
      expect(await proposeTo(eve, vu, made)).to.deep.equal({ code: 'contract-differs-from-offer' })
      expect(await codeSaid(eve, uva, message)).to.equal('contract-invalid')
    })
    await evidence(vu, 'decline', { epoch: 1, code: 'contract-differs-from-offer' })
    await refusedAt(uva, eve, 'offer', 'contract-invalid')
  })

  it('is not taken for an answer by an agent that asks: the offer is noted, and who gave it', async () => {
    const old = await offered()
    answered = [{ kind: 'offer', epoch: 1, offer: old.offer.bytes, details: old.section }]
    const view = await beside(
      market,
      HONEST,
      async () => await uva.ask(wageRequest({ providers: ['VU', 'EVE'] }))
    )
    expect(view.status).to.equal('refused')
    await refusedAt(uva, eve, 'offer', 'contract-invalid')
  })

  it('cannot carry what came under one contract to another agent, nor to the same one again', async () => {
    const id = await uva.submit(wageRequest({ providers: ['VU', 'RUG'] }))
    const { status, contract } = await uva.outcome(id)
    expect(status).to.equal('completed')
    const own = await accepted(await offered())
    const taken = async (agent: TestAgent, under: string) =>
      await sendParts(
        await eve.network.openStream(agent.peerId, FLOW_PROTOCOL),
        { contract: under, flow: 0, epoch: 1, attempt: 1 },
        { known: () => [], async *parts() {} }
      ).then(
        () => 'taken',
        (thrown: unknown) => String(thrown)
      )
    await beside(market, HONEST, async () => {
      for (const agent of [uva, vu, rug])
        for (const under of [contract ?? '', own.contract.id])
          expect(await taken(agent, under)).to.include('flow-not-in-contract')
    })
    for (const agent of [uva, vu, rug])
      await evidence(agent, 'refusal', {
        code: 'flow-not-in-contract',
        peer: eve.peer,
        protocol: FLOW_PROTOCOL
      })
    await codeSaid(eve, vu, {
      kind: 'abort',
      request: own.contract.payload.request,
      contract: own.contract.id,
      epoch: 1
    })
  })
})
