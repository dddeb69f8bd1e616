import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { createSpeaker } from '../../agent/negotiation/index.ts'
import { systemClock } from '../../agent/network/index.ts'
import { openDocument, type Section } from '../../protocol/documents/index.ts'
import { codeOf } from '../../protocol/errors/index.ts'
import {
  AGREEMENT_NOTICE_PROTOCOL,
  AGREEMENT_PROTOCOL,
  protocolOf,
  type WireMessage
} from '../../protocol/messages/index.ts'
import { FLOW_PROTOCOL, sendParts } from '../../protocol/transfer/index.ts'
import {
  agreementWithEve,
  askedBy,
  COMPUTE_TO_DATA,
  type ContractBody,
  EVE,
  honestContract,
  outcomeBy,
  turnedHostile
} from '../adversary/hostile-asker.ts'
import { keyOf } from '../membership/builders.ts'
import { Market, type TestAgent } from './harness.ts'
import type { HostilePeer, Offered } from './hostile-peer.ts'
import { averages, provider, SURF, UVA, wageAgreement, wageDataset, wageRequest, wages } from './wages.ts'

const VU = wages(1, 20)
const RUG = wages(101, 20)
const PROTOCOLS = ['ask', 'offer', 'propose', 'acceptance', 'start', 'outcome', 'receipt', 'cancel'] as const

describe('A hostile member', function () {
  this.timeout(120_000)
  let market: Market
  let eve: HostilePeer
  let vu: TestAgent
  let rug: TestAgent

  before(async () => {
    market = await Market.open([
      SURF,
      UVA,
      provider('VU', VU, { datasets: [wageDataset('wages', VU), wageDataset('private', VU)] }),
      provider('RUG', RUG, { datasets: [wageDataset('wages', RUG), wageDataset('private', RUG)] }),
      { name: 'EVE', users: [EVE] }
    ])
    vu = market.agent('VU')
    rug = market.agent('RUG')
    for (const agent of [vu, rug]) {
      await agent.sign(wageAgreement(agent.name))
      await agent.sign(agreementWithEve(agent.name))
    }
    eve = await turnedHostile(market, 'EVE')
  })
  after(async () => {
    await eve?.stop()
    await market?.closeClean()
  })

  const honestly = async () => {
    const view = await market.agent('UVA').ask(wageRequest({ providers: ['VU', 'RUG'] }))
    expect(view.status, JSON.stringify([view.error, view.refusals])).to.equal('completed')
    expect(view.results?.[0]?.rows).to.deep.equal(averages(VU, RUG))
  }

  const asked = async (providers: TestAgent[] = [vu], sql?: string) => await askedBy(eve, providers, sql)
  /** The contract that an honest agent would write for this offer of VU. */
  const honest = (offered: Offered) => honestContract(eve, [{ ...offered, of: vu }])

  /** Proposes a contract that differs from an honest one. */
  async function propose(
    change: (body: ContractBody, sections: Record<string, Section[]>) => void | Promise<void>
  ): Promise<WireMessage[] | string> {
    const { body, sections } = honest(await eve.ask(vu, await asked()))
    await change(body, sections)
    const made = await eve.contract(body, sections)
    const section = made.sections[vu.peerId]
    if (section === undefined) throw new Error('expected a section for VU')
    return await eve.say(vu, { kind: 'propose', contract: made.contract.bytes, sections: section })
  }

  async function declined(change: Parameters<typeof propose>[0]): Promise<string> {
    const answer = await propose(change)
    if (typeof answer === 'string') return answer
    const [first] = answer
    if (first?.kind !== 'decline') return first?.kind ?? 'nothing'
    const { payload } = await openDocument('decline', first.decline)
    expect(payload.organisation).to.equal('VU')
    return payload.refusal.code
  }

  it('is accepted when she writes what an honest agent would', async () => {
    const offered = await eve.ask(vu, await asked())
    const { body, sections } = honest(offered)
    const made = await eve.contract(body, sections)
    const section = made.sections[vu.peerId]
    if (section === undefined) throw new Error('expected a section for VU')
    const { acceptance } = await eve.hear(
      vu,
      { kind: 'propose', contract: made.contract.bytes, sections: section },
      'acceptance'
    )
    expect((await openDocument('acceptance', acceptance)).payload.contract).to.equal(made.contract.id)
    const request = offered.request.id
    await eve.say(vu, { kind: 'abort', request, contract: made.contract.id, epoch: 1 })
  })

  const party = (body: ContractBody, index: number) => {
    const found = body.parties[index]
    if (found === undefined) throw new Error(`expected a party ${index}`)
    return found
  }
  const forged: [string, string, Parameters<typeof propose>[0]][] = [
    [
      'another archetype under a name that is known',
      'archetype-differs',
      (body) => {
        body.archetype = { ...COMPUTE_TO_DATA, steps: COMPUTE_TO_DATA.steps.slice(0, 1) }
      }
    ],
    [
      'another place for the computation',
      'contract-invalid',
      (body) => {
        body.chain = body.chain.map((step) =>
          step.service === 'algorithm' ? { ...step, at: eve.peer } : step
        )
      }
    ],
    [
      'a compute provider that nobody was asked about',
      'contract-invalid',
      (body, sections) => {
        body.parties.push({
          peer: market.agent('SURF').peerId,
          organisation: 'SURF',
          roles: ['infrastructure'],
          offer: null,
          sandbox: 'none'
        })
        sections[market.agent('SURF').peerId] = []
      }
    ],
    [
      'more recipients than were asked about',
      'contract-differs-from-offer',
      (body) => {
        body.recipients = ['EVE', 'RUG']
      }
    ],
    [
      'another recipient than was asked about',
      'contract-differs-from-offer',
      (body, sections) => {
        const taker = party(body, 1)
        sections[rug.peerId] = sections[taker.peer] ?? []
        taker.peer = rug.peerId
        taker.organisation = 'RUG'
        body.flows = body.flows.map((flow) => ({ ...flow, to: rug.peerId }))
      }
    ],
    [
      'an agent of another organisation under her name',
      'not-member',
      (body, sections) => {
        const taker = party(body, 1)
        sections[rug.peerId] = sections[taker.peer] ?? []
        taker.peer = rug.peerId
        body.flows = body.flows.map((flow) => ({ ...flow, to: rug.peerId }))
      }
    ],
    [
      'a chain without the service that was required',
      'service-required',
      (body) => {
        body.chain = ['query', 'algorithm'].map((service, step) => ({ step, service, at: vu.peerId }))
        body.flows = body.flows.map((flow) => ({ ...flow, step: 1 }))
      }
    ],
    [
      'another query than was asked about',
      'contract-differs-from-offer',
      (_, sections) => {
        const [own] = sections[vu.peerId] ?? []
        if (own?.as === 'data') own.query = { sql: 'SELECT id FROM person', parameters: {} }
      }
    ],
    [
      'another agreement than was offered',
      'contract-differs-from-offer',
      (body, sections) => {
        const [own] = sections[vu.peerId] ?? []
        if (own?.as === 'data') own.agreements = [{ dataset: 'wages', agreement: body.request }]
      }
    ],
    [
      'the offer of another provider',
      'contract-differs-from-offer',
      async (body) => {
        const theirs = await eve.ask(rug, await asked([rug]))
        party(body, 0).offer = theirs.offer.id
      }
    ],
    [
      'no offer at all',
      'contract-differs-from-offer',
      (body) => {
        party(body, 0).offer = null
      }
    ],
    [
      'wider terms for the result',
      'contract-differs-from-offer',
      (body) => {
        body.terms = { ...body.terms, maxRows: null }
      }
    ],
    [
      'another user',
      'contract-differs-from-offer',
      (body) => {
        body.user = { organisation: 'UVA', name: 'analyst@uva.nl' }
      }
    ],
    [
      'a longer deadline',
      'contract-differs-from-offer',
      (body) => {
        body.deadline *= 2
      }
    ],
    [
      'a claim about the provider’s sandbox',
      'contract-differs-from-offer',
      (body) => {
        party(body, 0).sandbox = vu.config.sandbox === 'required' ? 'none' : 'bubblewrap'
      }
    ]
  ]
  for (const [what, code, change] of forged)
    it(`cannot forge a contract with ${what}`, async () => {
      expect(await declined(change)).to.equal(code)
    })

  it('cannot get a second contract accepted for one epoch', async () => {
    const { body, sections } = honest(await eve.ask(vu, await asked()))
    const answers: string[] = []
    for (const deadline of [60_000, 59_000]) {
      const made = await eve.contract({ ...body, deadline }, sections)
      const section = made.sections[vu.peerId]
      if (section === undefined) throw new Error('expected a section for VU')
      const answer = await eve.say(vu, { kind: 'propose', contract: made.contract.bytes, sections: section })
      const [first] = typeof answer === 'string' ? [] : answer
      answers.push(
        first?.kind === 'decline'
          ? (await openDocument('decline', first.decline)).payload.refusal.code
          : (first?.kind ?? JSON.stringify(answer))
      )
      if (deadline === 59_000)
        await eve.say(vu, { kind: 'abort', request: body.request, contract: null, epoch: 1 })
    }
    expect(answers).to.deep.equal(['acceptance', 'already-accepted'])
  })

  it('starts nothing without every acceptance, nor with ones that she signed herself', async () => {
    const { body, sections } = honest(await eve.ask(vu, await asked()))
    const made = await eve.contract(body, sections)
    const section = made.sections[vu.peerId]
    if (section === undefined) throw new Error('expected a section for VU')
    const contract = made.contract.bytes
    const { acceptance } = await eve.hear(vu, { kind: 'propose', contract, sections: section }, 'acceptance')
    const accepted = {
      contract: made.contract.id,
      request: body.request,
      epoch: 1,
      organisation: 'EVE',
      startBy: 20_000,
      statusNumber: 0,
      resultTerms: null,
      shares: [],
      log: { sequence: 1, head: 'a'.repeat(64) }
    }
    const own = await eve.speaker.sign('acceptance', accepted, 60_000)
    const stranger = createSpeaker({
      key: await keyOf('nobody'),
      peer: vu.peerId,
      organisation: 'VU',
      marketplace: made.contract.payload.marketplace,
      clock: systemClock
    })
    const inTheirName = await stranger.sign('acceptance', { ...accepted, organisation: 'VU' }, 60_000)
    const start = async (...acceptances: (typeof acceptance)[]) => {
      const answer = await eve.say(vu, { kind: 'start', contract, acceptances })
      return typeof answer === 'string' ? answer : answer.map((one) => ('code' in one ? one.code : one.kind))
    }
    expect(await start(acceptance)).to.deep.equal(['start-incomplete'])
    expect(await start(own.bytes)).to.deep.equal(['start-incomplete'])
    expect(await start(acceptance, acceptance)).to.deep.equal(['start-incomplete'])
    expect(await start(own.bytes, inTheirName.bytes)).to.equal('bad-signature')
    const request = body.request
    await eve.say(vu, { kind: 'abort', request, contract: made.contract.id, epoch: 1 })
    expect(await start(acceptance, own.bytes)).to.deep.equal(['epoch-superseded'])
  })

  it('runs once what she asks and starts twice', async () => {
    const request = await asked()
    const offered = await eve.ask(vu, request)
    const again = await eve.ask(vu, request)
    expect(again.offer.id).to.equal(offered.offer.id)
    const { body, sections } = honest(offered)
    const made = await eve.contract(body, sections)
    const section = made.sections[vu.peerId]
    if (section === undefined) throw new Error('expected a section for VU')
    const proposal: WireMessage = { kind: 'propose', contract: made.contract.bytes, sections: section }
    const { acceptance } = await eve.hear(vu, proposal, 'acceptance')
    expect((await eve.hear(vu, proposal, 'acceptance')).acceptance).to.deep.equal(acceptance)
    const own = await eve.speaker.sign(
      'acceptance',
      {
        contract: made.contract.id,
        request: body.request,
        epoch: 1,
        organisation: 'EVE',
        startBy: 20_000,
        statusNumber: 0,
        resultTerms: null,
        shares: [],
        log: { sequence: 1, head: 'a'.repeat(64) }
      },
      60_000
    )
    const start: WireMessage = {
      kind: 'start',
      contract: made.contract.bytes,
      acceptances: [acceptance, own.bytes]
    }
    const answers = await Promise.all([eve.say(vu, start), eve.say(vu, start), eve.say(vu, start)])
    expect(answers.flat()).to.deep.include({
      kind: 'started',
      request: body.request,
      contract: made.contract.id
    })
    await eve.say(vu, await outcomeBy(eve, made.contract))
    runOnce.push(made.contract.id)
  })
  const runOnce: string[] = []

  it('cannot ask in another’s name, nor repeat what another has asked', async () => {
    const uva = createSpeaker({
      key: eve.key,
      peer: market.agent('UVA').peerId,
      organisation: 'UVA',
      marketplace: (await asked()).request.payload.marketplace,
      clock: systemClock
    })
    const { request } = await asked()
    const { type: _type, version: _version, issuer: _issuer, ...body } = request.payload
    const inTheirName = await uva.sign('request', { ...body, organisation: 'UVA' }, 60_000)
    const ask = async (bytes: typeof request.bytes) =>
      await eve.say(vu, { kind: 'ask', epoch: 1, request: bytes, query: null })
    expect(await ask(inTheirName.bytes)).to.equal('bad-signature')
    const forOthers = await eve.speaker.sign('request', { ...body, organisation: 'UVA' }, 60_000)
    expect(await ask(forOthers.bytes)).to.equal('not-member')
    const user = { organisation: 'EVE', name: 'analyst@uva.nl' }
    const otherUser = await eve.speaker.sign('request', { ...body, user }, 60_000)
    expect(await ask(otherUser.bytes)).to.equal('consumer-not-permitted')
    const late = await eve.speaker.sign('request', body, -1000)
    expect(await ask(late.bytes)).to.equal('document-expired')
    const first = await ask((await eve.speaker.sign('request', body, 60_000)).bytes)
    expect(first).to.be.an('array')
    const sameNonce = await eve.speaker.sign('request', { ...body, purpose: 'other' }, 60_000)
    expect(await ask(sameNonce.bytes)).to.equal('request-replayed')
  })

  it('gets no flow open under a contract that does not name her', async () => {
    const id = await market.agent('UVA').submit(wageRequest({ providers: ['VU', 'RUG'] }))
    const view = await market.agent('UVA').outcome(id)
    expect(view.status).to.equal('completed')
    for (const agent of [market.agent('UVA'), vu]) {
      const stream = await eve.network.openStream(agent.peerId, FLOW_PROTOCOL)
      const error = await sendParts(
        stream,
        { contract: view.contract ?? '', flow: 0, epoch: 1, attempt: 1 },
        { known: () => [], async *parts() {} }
      ).then(
        () => 'it was taken',
        (thrown: unknown) => String(thrown)
      )
      expect(error).to.match(/flow-not-in-contract/)
    }
  })

  it('gets codes for messages about what she has no part in', async () => {
    const id = await market.agent('UVA').submit(wageRequest({ providers: ['VU', 'RUG'] }))
    for (const message of [
      { kind: 'abort', request: id, contract: null, epoch: 1 },
      { kind: 'cancel', request: id, result: 'cancelled', code: 'cancelled', hop: null },
      { kind: 'started', request: id, contract: id },
      { kind: 'rejected', request: id, contract: id, code: 'busy' },
      {
        kind: 'failure',
        request: id,
        contract: id,
        hop: vu.peerId,
        code: 'internal',
        step: null,
        position: null
      }
    ] satisfies WireMessage[])
      for (const agent of [market.agent('UVA'), vu, rug]) await eve.say(agent, message)
    const view = await market.agent('UVA').outcome(id)
    expect(view.status).to.equal('completed')
    expect(view.results?.[0]?.rows).to.deep.equal(averages(VU, RUG))
    expect(await eve.say(vu, { kind: 'abort', request: eve.peer, contract: null, epoch: 1 })).to.be.a(
      'string'
    )
  })

  it('disturbs nobody with garbage on every protocol', async () => {
    const garbage = [
      new Uint8Array(randomBytes(4096)),
      // A length prefix of a gigabyte.
      Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x04, 1, 2, 3),
      new Uint8Array(0),
      Uint8Array.of(3, 0xff, 0xff, 0xff)
    ]
    const honest = honestly()
    for (const protocol of [
      ...PROTOCOLS.map(protocolOf),
      FLOW_PROTOCOL,
      AGREEMENT_PROTOCOL,
      AGREEMENT_NOTICE_PROTOCOL
    ])
      for (const bytes of garbage) {
        const stream = await eve.network.openStream(vu.peerId, protocol)
        stream.send(bytes)
        await stream.close().catch(() => undefined)
      }
    await honest
    await honestly()
  })

  it('is held to her rate when she floods, and the exchange beside hers goes on', async () => {
    const { message } = await asked()
    const honest = honestly()
    const answers = await Promise.all(
      Array.from({ length: 400 }, async () => await eve.say(vu, message).catch(codeOf))
    )
    expect(answers.filter((answer) => answer === 'rate-limited').length).to.be.greaterThan(0)
    await honest
  })

  it('has left one run for what ran, and nothing for what was forged', async () => {
    await vu.stop()
    await vu.withStore(async (store) => {
      for (const contract of runOnce) expect(await store.work.of(contract)).to.have.length(1)
      expect(await store.work.interruptRunning(Date.now())).to.deep.equal([])
    })
    await vu.start()
  })
})
