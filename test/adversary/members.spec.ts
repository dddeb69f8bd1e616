import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { fromString } from 'uint8arrays'
import { z } from 'zod'
import { auditProofView } from '../../agent/api/index.ts'
import { loadKey } from '../../agent/identity/index.ts'
import { createSpeaker } from '../../agent/negotiation/index.ts'
import { decodeSigned, openDocument } from '../../protocol/documents/index.ts'
import { protocolOf, type WireMessage } from '../../protocol/messages/index.ts'
import { CHANGED_PROTOCOL, DESCRIBE_PROTOCOL, frameOf, nothing } from '../../protocol/streams/index.ts'
import { Market, type TestAgent } from '../integration/harness.ts'
import type { HostilePeer, Offered } from '../integration/hostile-peer.ts'
import { MovedClock } from '../integration/seams.ts'
import { provider, UVA, wageAgreement, wageDataset, wages } from '../integration/wages.ts'
import {
  acceptanceBy,
  agreementWithEve,
  askedBy,
  codeSaid,
  EVE,
  honestContract,
  proposeTo,
  turnedHostile
} from './hostile-asker.ts'
import { beside, evidence, keptAt, logOf } from './hostile-edge.ts'
import { agentsOfEve } from './hostile-members.ts'

const VU = wages(1, 20)
const RUG = wages(101, 20)
const HONEST = { VU, RUG }
const DAY = 86_400_000
/** Beyond what her agent has said of itself. */
const SEQUENCE = 1000
/** Longer than an acceptance waits for its start. */
const START_BY_MS = 21_000

const proofsView = z.object({ proofs: z.array(auditProofView) })
/** Organisation of the request, user as it is or may be taken for, and the code of the refusal. */
const POSED: [string, { organisation: string; name: string }, string][] = [
  ...[
    'analyst@uva.nl',
    'ANALYST@UVA.NL',
    'analyst@uva.nl ',
    '\u0430nalyst@uva.nl',
    'analyst@uv\u0430.nl',
    'analyst@uva.nl\u200b',
    'analyst\uff20uva.nl',
    'analyst@uva.nl.eve.nl',
    'UVA/analyst@uva.nl',
    'User::"UVA/analyst@uva.nl"'
  ].map((name) => posed('EVE', name, 'consumer-not-permitted')),
  // Of her own domain she names whom she likes: they are hers.
  ...['analyst@uva.nl@eve.nl', '"analyst@uva.nl"@eve.nl', 'UVA/analyst@eve.nl', 'x" || true || "@eve.nl'].map(
    (name) => posed('EVE', name, 'no-agreement')
  ),
  ...['UVA', 'uva', 'UVA '].map((organisation) => posed(organisation, 'analyst@uva.nl', 'not-member'))
]

function posed(organisation: string, name: string, code: string): (typeof POSED)[number] {
  return [organisation, { organisation, name }, code]
}

/** Why every row of an offer is refused. */
async function refusedRows(answer: readonly WireMessage[]): Promise<string> {
  const [offer] = answer
  if (offer?.kind !== 'offer') return offer?.kind ?? 'nothing'
  const { rows } = (await openDocument('offer', offer.offer)).payload
  return rows.map((row) => (row.verdict === 'permit' ? 'permit' : row.refusal.code)).join()
}

describe('A member that lies', function () {
  this.timeout(120_000)
  let market: Market
  let eve: HostilePeer
  let vu: TestAgent
  let rug: TestAgent
  const clock = new MovedClock()

  before(async () => {
    market = await Market.open(
      [
        UVA,
        provider('VU', VU, { datasets: [wageDataset('wages', VU), wageDataset('private', VU)] }),
        provider('RUG', RUG, { datasets: [wageDataset('wages', RUG), wageDataset('private', RUG)] }),
        { name: 'EVE', users: [EVE] }
      ],
      { seams: { clock } }
    )
    vu = market.agent('VU')
    rug = market.agent('RUG')
    for (const agent of [vu, rug]) {
      await agent.sign(wageAgreement(agent.name))
      await agent.sign(agreementWithEve(agent.name))
    }
    eve = await turnedHostile(market, 'EVE', {
      clock,
      prepare: (network) =>
        network.handle(DESCRIBE_PROTOCOL, z.unknown(), async () => ({
          capability: (await description()).bytes,
          confidential: []
        }))
    })
  })
  after(async () => {
    await eve?.stop()
    await market?.closeClean()
  })

  const refusedAt = async (agent: TestAgent, kind: 'ask' | 'propose' | 'start', code: string) =>
    await evidence(agent, 'refusal', { code, peer: eve.peer, protocol: protocolOf(kind) })

  /** What an agent shows of contradicting statements of a peer about its log, once it is on disk. */
  const proofAt = async (agent: TestAgent, peer: string) => {
    const limit = AbortSignal.timeout(20_000)
    for (;;) {
      const { proofs } = await agent.client.get('/api/v1/audit/proofs', proofsView, { signal: limit })
      const found = proofs.find((proof) => proof.peer === peer)
      if (found !== undefined) return found
    }
  }

  /** What Eve says she is: under one number, with another load each time. */
  let told = 0
  const description = async () =>
    await eve.speaker.sign(
      'capability',
      {
        sequence: SEQUENCE,
        organisation: 'EVE',
        agent: 'dynamos-agent/0.0.0',
        roles: [],
        datasets: [],
        services: [],
        algorithms: [],
        archetypes: [],
        resources: { cores: 1, memory: 0, disk: 0, milliwatts: { idle: 0, full: 0 }, carbon: 0 },
        sandbox: 'none',
        load: told++,
        // Whoever hears of her asks again.
        keepFor: 0
      },
      DAY
    )

  /** Everybody's offers of one request. */
  const offers = async (): Promise<(Offered & { of: TestAgent })[]> => {
    const asked = await askedBy(eve, [vu, rug])
    return await Promise.all([vu, rug].map(async (of) => ({ of, ...(await eve.ask(of, asked)) })))
  }
  const body = async () => {
    const { request } = await askedBy(eve, [vu])
    const { type: _type, version: _version, issuer: _issuer, ...rest } = request.payload
    return { ...rest, nonce: new Uint8Array(randomBytes(16)) }
  }
  const ask = async (changed: Partial<Awaited<ReturnType<typeof body>>>, lifetime = 60_000) => {
    const { bytes } = await eve.speaker.sign('request', { ...(await body()), ...changed }, lifetime)
    return await codeSaid(eve, vu, { kind: 'ask', epoch: 1, request: bytes, query: null })
  }

  it('cannot pose as another organisation’s user', async () => {
    const user = { organisation: 'UVA', name: 'analyst@uva.nl' }
    for (const changed of [{ user: { ...user, organisation: 'EVE' } }, { user }]) {
      expect(await beside(market, HONEST, async () => await ask(changed))).to.equal('consumer-not-permitted')
      await refusedAt(vu, 'ask', 'consumer-not-permitted')
    }
    expect(await ask({ organisation: 'UVA', user })).to.equal('not-member')
    await refusedAt(vu, 'ask', 'not-member')
  })

  it('cannot use a nonce for another request, nor hand on what somebody else asked', async () => {
    const { nonce } = await body()
    const heard = await beside(market, HONEST, async () => [
      await ask({ nonce }),
      await ask({ nonce, purpose: 'other' })
    ])
    expect(heard).to.deep.equal(['offer', 'request-replayed'])
    await refusedAt(vu, 'ask', 'request-replayed')
    const rugs = createSpeaker({
      key: await loadKey(rug.config.identity.key),
      peer: rug.peerId,
      organisation: 'RUG',
      marketplace: eve.members.marketplace,
      clock
    })
    const { bytes } = await rugs.sign('request', { ...(await body()), organisation: 'RUG' }, 60_000)
    const relayed = { kind: 'ask' as const, epoch: 1, request: bytes, query: null }
    expect(await codeSaid(eve, vu, relayed)).to.equal('bad-signature')
    await refusedAt(vu, 'ask', 'bad-signature')
  })

  it('cannot ask from another day', async () => {
    const tomorrow = createSpeaker({
      key: eve.key,
      peer: eve.peer,
      organisation: 'EVE',
      marketplace: eve.members.marketplace,
      clock: { now: () => clock.now() + DAY }
    })
    const { bytes } = await tomorrow.sign('request', await body(), 60_000)
    const early = { kind: 'ask' as const, epoch: 1, request: bytes, query: null }
    expect(await beside(market, HONEST, async () => await codeSaid(eve, vu, early))).to.equal('clock-skew')
    await refusedAt(vu, 'ask', 'clock-skew')
    expect(await ask({}, -1000)).to.equal('document-expired')
    await refusedAt(vu, 'ask', 'document-expired')
  })

  const changes: [string, string, (made: ReturnType<typeof honestContract>) => void][] = [
    [
      'the placement',
      'contract-invalid',
      ({ body: contract }) => {
        contract.chain = contract.chain.map((step) =>
          step.service === 'algorithm' ? { ...step, at: eve.peer } : step
        )
      }
    ],
    [
      'the recipients',
      'contract-differs-from-offer',
      ({ body: contract }) => {
        contract.recipients = ['EVE', 'UVA']
      }
    ],
    [
      'what is anonymised',
      'service-required',
      ({ body: contract }) => {
        contract.chain = contract.chain
          .filter(({ service }) => service !== 'anonymize')
          .map((one, step) => ({ ...one, step }))
        contract.flows = contract.flows.map((flow, index) => ({ ...flow, step: index * 2 + 1 }))
      }
    ],
    [
      'the SQL',
      'contract-differs-from-offer',
      ({ sections }) => {
        for (const section of Object.values(sections).flat())
          if (section.as === 'data') section.query = { sql: 'SELECT * FROM person', parameters: {} }
      }
    ]
  ]
  for (const [what, code, change] of changes)
    it(`cannot change ${what} after the offer, and the refusal is on record`, async () => {
      const made = honestContract(eve, await offers())
      change(made)
      const contract = await eve.contract(made.body, made.sections)
      const answer = await beside(market, HONEST, async () => await proposeTo(eve, vu, contract))
      expect(answer).to.deep.equal({ code })
      const declines = (await logOf(vu)).filter(
        (entry) => entry.kind === 'decline' && entry.contract === contract.contract.id
      )
      expect(declines.map((entry) => entry.fields)).to.deep.include({ epoch: 1, code })
    })

  it('starts nobody when she shows contracts that differ, or a part of the acceptances, and is waited for no longer than was promised', async () => {
    const { body: shown, sections } = honestContract(eve, await offers())
    const one = await eve.contract(shown, sections)
    const two = await eve.contract({ ...shown, deadline: shown.deadline - 1000 }, sections)
    const [atVu, atRug, again] = await beside(market, HONEST, async () => [
      await proposeTo(eve, vu, one),
      await proposeTo(eve, rug, two),
      await proposeTo(eve, vu, two)
    ])
    if (atVu?.acceptance === undefined || atRug?.acceptance === undefined)
      throw new Error(`expected acceptances, found ${JSON.stringify([atVu, atRug])}`)
    expect(again, 'two contracts out of one set of offers').to.deep.equal({ code: 'already-accepted' })
    const contract = one.contract.bytes
    const own = await acceptanceBy(eve, one)
    const start = async (...acceptances: (typeof own)[]) =>
      await codeSaid(eve, vu, { kind: 'start', contract, acceptances })
    expect(await start(atVu.acceptance, own)).to.equal('start-incomplete')
    await refusedAt(vu, 'start', 'start-incomplete')
    expect(await start(atVu.acceptance, atRug.acceptance, own)).to.equal('start-incomplete')

    clock.move(START_BY_MS)
    for (const [agent, accepted] of [
      [vu, one],
      [rug, two]
    ] as const) {
      const ended = await evidence(agent, 'outcome', { result: 'expired' })
      expect(ended.contract).to.equal(accepted.contract.id)
      const about = (await logOf(agent)).filter((entry) => entry.contract === accepted.contract.id)
      expect(about.map(({ kind }) => kind))
        .to.include('acceptance')
        .and.not.include('job-started')
    }
    // Too late for any start.
    const late = await codeSaid(eve, vu, { kind: 'start', contract, acceptances: [atVu.acceptance, own] })
    expect(late).to.equal('outcome')
    await beside(market, HONEST, async () => undefined)
  })

  it('leaves proof of two capabilities under one sequence number, at whoever is told both', async () => {
    await beside(market, HONEST, async () => {
      // Who asks while an answer is on its way is given that one.
      while (told < 5)
        for (const { peerId } of [vu, rug])
          await eve.network.ask(peerId, CHANGED_PROTOCOL, { status: 0, capability: SEQUENCE }, nothing)
    })
    const first = []
    for (const agent of [vu, rug]) {
      const { fields } = await evidence(agent, 'refusal', {
        code: 'malformed-document',
        peer: eve.peer,
        protocol: DESCRIBE_PROTOCOL
      })
      const { proof } = z.looseObject({ proof: z.array(z.string()).length(2) }).parse(fields)
      const kept = await keptAt(agent, proof)
      expect(new Set(kept.map(({ payload }) => payload.load)).size).to.equal(2)
      for (const { payload, signers } of kept) {
        expect(payload).to.deep.include({ issuer: eve.peer, sequence: SEQUENCE })
        expect(signers).to.deep.equal([eve.peer])
      }
      first.push(...proof.slice(0, 1))
    }
    // What each was shown first is proof too, once they put it together.
    expect(new Set(first).size).to.equal(2)
  })

  it('leaves proof of two heads of her log under one number', async () => {
    const made = honestContract(eve, (await offers()).slice(0, 1))
    const contract = await eve.contract(made.body, made.sections)
    const answer = await beside(market, HONEST, async () => await proposeTo(eve, vu, contract))
    if (answer.acceptance === undefined) throw new Error(`expected an acceptance, found ${answer.code}`)
    const heads = ['b', 'c'].map((digit) => digit.repeat(64))
    const acceptances = await Promise.all(heads.map(async (head) => await acceptanceBy(eve, contract, head)))
    const start = { kind: 'start' as const, contract: contract.contract.bytes, acceptances }
    expect(await codeSaid(eve, vu, start)).to.equal('start-incomplete')
    await refusedAt(vu, 'start', 'start-incomplete')
    const { statements = [], ...whose } = await proofAt(vu, eve.peer)
    expect(whose).to.deep.include({ organisation: 'EVE', sequence: 1 })
    expect(statements.map(({ head }) => head)).to.include.members(heads)
    // Each of them is a document that she signed.
    for (const { document } of statements) {
      const { signers, payload } = await decodeSigned('acceptance', fromString(document, 'base64'))
      expect(signers).to.deep.equal([eve.peer])
      expect(payload.log.sequence).to.equal(1)
    }
    clock.move(START_BY_MS)
    await evidence(vu, 'outcome', { result: 'expired' })
  })

  it('cannot pass for another organisation’s user by a name that looks like theirs', async () => {
    const [poser] = await agentsOfEve(market, { poses: 0 })
    if (poser === undefined) throw new Error('expected an agent of hers')
    try {
      await poser.connect(vu)
      const { request, query } = await askedBy(poser, [vu])
      const wages = { ...request.payload, datasets: ['wages'] }
      const heard = await beside(market, HONEST, async () => {
        const codes: string[] = []
        for (const [organisation, user] of POSED) {
          const nonce = new Uint8Array(randomBytes(16))
          const asked = { ...wages, nonce, organisation, user }
          const { bytes } = await poser.speaker.sign('request', asked, 60_000)
          const answer = await poser.say(vu, { kind: 'ask', epoch: 1, request: bytes, query })
          codes.push(typeof answer === 'string' ? answer : await refusedRows(answer))
        }
        return codes
      })
      expect(heard).to.deep.equal(POSED.map(([, , code]) => code))
      for (const code of ['consumer-not-permitted', 'not-member'])
        await evidence(vu, 'refusal', { code, peer: poser.peer, protocol: protocolOf('ask') })
      await evidence(vu, 'decision', { question: 'offer', verdict: 'deny', code: 'no-agreement' })
    } finally {
      await poser.stop()
    }
  })

  it('is told what is wrong with her bytes, deep, long or none that mean anything', async () => {
    // Arrays in arrays, a length of a gigabyte, and noise.
    const deep = new Uint8Array(50_000).fill(0x81)
    const attacks: [Parameters<typeof protocolOf>[0], Uint8Array][] = [
      ['offer', frameOf(deep).subarray()],
      ['propose', Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x04, 1, 2, 3)],
      ['receipt', frameOf(new Uint8Array(randomBytes(4096))).subarray()]
    ]
    await beside(market, HONEST, async () => {
      for (const [kind, bytes] of attacks) {
        const stream = await eve.network.openStream(vu.peerId, protocolOf(kind))
        stream.send(bytes)
        await stream.close().catch(() => undefined)
      }
    })
    for (const [kind] of attacks)
      await evidence(vu, 'refusal', {
        code: 'malformed-document',
        peer: eve.peer,
        protocol: protocolOf(kind)
      })
  })

  it('is held to her rate when she floods, and fills no log with it', async () => {
    const { message } = await askedBy(eve, [vu])
    const answers = await beside(
      market,
      HONEST,
      async () => await Promise.all(Array.from({ length: 400 }, async () => await codeSaid(eve, vu, message)))
    )
    expect(answers.filter((answer) => answer === 'rate-limited').length).to.be.greaterThan(0)
    await refusedAt(vu, 'ask', 'rate-limited')
    const hers = (await logOf(vu)).filter(
      (entry) => entry.kind === 'refusal' && Reflect.get(entry.fields, 'peer') === eve.peer
    )
    expect(hers.length).to.be.lessThan(40)
    await beside(market, HONEST, async () => undefined)
  })
})
