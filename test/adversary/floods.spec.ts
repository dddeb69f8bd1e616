import { connect, type Socket } from 'node:net'
import type { Connection, Stream } from '@libp2p/interface'
import { expect } from 'chai'
import { protocolOf } from '../../protocol/messages/index.ts'
import { HELLO_PROTOCOL } from '../../protocol/streams/index.ts'
import { FLOW_PROTOCOL } from '../../protocol/transfer/index.ts'
import { Market, type TestAgent } from '../integration/harness.ts'
import type { HostilePeer } from '../integration/hostile-peer.ts'
import { MovedClock } from '../integration/seams.ts'
import { JOINED, provider, UVA, wageAgreement, wageDataset, wages } from '../integration/wages.ts'
import { agreementWithEve, askedBy, EVE, turnedHostile } from './hostile-asker.ts'
import { addressesOf, beside, evidence, logOf, Stranger } from './hostile-edge.ts'

const VU = wages(1, 20)
/** From where she dials: the honest ones come from 127.0.0.1. */
const ELSEWHERE = '127.0.0.2'
const DIALS = 200
/** What one address may have waiting at an agent. */
const HALF_OPEN = 40
/** What one agent may have open at another, of one protocol. */
const STREAMS = 128
const CONNECTIONS = 4
const HELLO_MS = 5_000
/** Looked at one after the other; 16 wait. */
const QUERIES = 50
/** Entries at most, however much came. */
const FEW = 60

describe('Whoever comes too often', function () {
  this.timeout(120_000)
  let market: Market
  let eve: HostilePeer
  let vu: TestAgent
  const clock = new MovedClock()

  before(async () => {
    market = await Market.open(
      [
        UVA,
        provider('VU', VU, { datasets: [wageDataset('wages', VU), wageDataset('private', VU)] }),
        { name: 'EVE', users: [EVE] }
      ],
      { seams: { clock } }
    )
    vu = market.agent('VU')
    await vu.sign(wageAgreement('VU'))
    await vu.sign(agreementWithEve('VU'))
    eve = await turnedHostile(market, 'EVE', { clock })
  })
  after(async () => {
    await eve?.stop()
    await market?.closeClean()
  })

  const logged = async () => (await logOf(vu)).filter(({ kind }) => kind === 'refusal').length
  const ended = async (what: Stream | Connection) => {
    const target: EventTarget = what
    if (what.status === 'open') await new Promise((resolve) => target.addEventListener('close', resolve))
  }

  it('has some places for dials that stop half way, and leaves the others to those from elsewhere', async () => {
    const port = Number(/\/tcp\/(\d+)/.exec(vu.config.listen[0] ?? '')?.[1])
    const sockets: Socket[] = []
    const before = await logged()
    try {
      const held = await beside(market, { VU }, async () => {
        const turnedAway = Promise.withResolvers<void>()
        let closed = 0
        for (let index = 0; index < DIALS; index++) {
          const socket = connect({ port, host: '127.0.0.1', localAddress: ELSEWHERE })
          sockets.push(socket)
          socket.on('error', () => undefined)
          socket.on('connect', () => index % 2 === 0 && socket.write(Buffer.alloc(16, index)))
          socket.on('close', () => {
            closed++
            if (closed === DIALS - HALF_OPEN) turnedAway.resolve()
          })
        }
        await turnedAway.promise
        const one = await Stranger.start()
        try {
          expect(await one.hello(vu, { marketplace: '' })).to.equal('not-member')
        } finally {
          await one.stop()
        }
        return sockets.filter((socket) => !socket.closed).length
      })
      expect(held).to.be.at.most(HALF_OPEN)
    } finally {
      for (const socket of sockets) socket.destroy()
    }
    await evidence(vu, 'refusal', {
      code: 'rate-limited',
      peer: `/ip4/${ELSEWHERE}`,
      protocol: HELLO_PROTOCOL
    })
    expect((await logged()) - before).to.be.below(FEW)
  })

  it('is let go when no hello comes, and is named', async () => {
    const strangers = await Promise.all(Array.from({ length: 5 }, async () => await Stranger.start()))
    try {
      const silent = await beside(
        market,
        { VU },
        async () => await Promise.all(strangers.map(async ({ node }) => await node.dial(addressesOf(vu))))
      )
      const gone = Promise.all(silent.map(ended))
      clock.move(HELLO_MS)
      await gone
      for (const { peer } of strangers)
        await evidence(vu, 'refusal', { code: 'not-member', peer, protocol: HELLO_PROTOCOL })
    } finally {
      await Promise.all(strangers.map(async (one) => await one.stop()))
    }
  })

  it('keeps the newest of her connections', async () => {
    const { node } = eve.network
    const opened = await beside(market, { VU }, async () => {
      const all: Connection[] = []
      for (let index = 0; index < 3 * CONNECTIONS; index++)
        all.push(await node.dial(addressesOf(vu), { force: true }))
      await Promise.all(all.slice(0, -CONNECTIONS).map(ended))
      return all
    })
    expect(opened.filter(({ status }) => status === 'open')).to.have.length.at.most(CONNECTIONS)
    await evidence(vu, 'refusal', { code: 'rate-limited', peer: eve.peer, protocol: HELLO_PROTOCOL })
  })

  it('has so many streams of a protocol, though she writes to none of them', async () => {
    for (const protocol of [protocolOf('ask'), FLOW_PROTOCOL]) {
      const streams: Stream[] = []
      await beside(market, { VU }, async () => {
        const [connection] = eve.network.node
          .getConnections()
          .filter(({ remotePeer }) => remotePeer.toString() === vu.peerId)
        if (connection === undefined) throw new Error('expected a connection')
        for (let index = 0; index < STREAMS + 20; index++)
          streams.push(await connection.newStream(protocol, { maxOutboundStreams: 1000 }))
        await Promise.all(streams.slice(STREAMS).map(ended))
      })
      expect(streams.filter(({ status }) => status === 'open')).to.have.length.at.most(STREAMS)
      await evidence(vu, 'refusal', { code: 'rate-limited', peer: eve.peer, protocol })
      for (const stream of streams) stream.abort(new Error('enough'))
    }
  })

  it('waits for her own queries to be looked at, and nobody else does', async () => {
    const terms = Array.from({ length: 30 }, (_, at) => `length(gender) * ${at}`).join(' + ')
    const wide = (index: number): string =>
      `SELECT ${Array.from({ length: 30 }, (_, at) => `${index} + ${terms} AS c${at}`).join()} FROM person`
    const asked = await Promise.all(
      Array.from({ length: QUERIES }, async (_, index) => await askedBy(eve, [vu], wide(index)))
    )
    const codes = await beside(
      market,
      { VU },
      async () =>
        await Promise.all(
          asked.map(async (one) => {
            // On a slow machine she may have asked for more than is looked at while she waits.
            const offered = await eve.ask(vu, one).catch(() => null)
            const [answer] = offered?.offer.payload.rows ?? []
            return answer?.verdict === 'refuse' ? answer.refusal.code : answer?.verdict
          })
        ),
      { query: `${JOINED} WHERE j.wage > 0` }
    )
    expect(codes).to.include('busy')
    const denied = await evidence(vu, 'decision', { question: 'offer', verdict: 'deny', code: 'busy' })
    expect(asked.map(({ request }) => request.id)).to.include(denied.request)
  })
})
