import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Libp2p, PrivateKey, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { createLibp2p } from 'libp2p'
import { z } from 'zod'
import { expel } from '../../agent/membership/index.ts'
import type { Network } from '../../agent/network/index.ts'
import { codeOf, DynamosError } from '../../protocol/errors/index.ts'
import {
  exchangeOnce,
  HELLO_PROTOCOL,
  helloReply,
  KAD_PROTOCOL,
  PeerRefused,
  plainFrames,
  readFrames,
  writeFrames
} from '../../protocol/streams/index.ts'
import { keyOf, peerOf, TestMarketplace } from '../membership/builders.ts'
import { thrownBy } from '../streams/loopback.ts'
import { clockOff, event, Lab } from './harness.ts'

const ECHO = '/test/echo/1'
const said = z.strictObject({ said: z.string() })

function echo(network: Network): void {
  network.handle(ECHO, said, async ({ said: words }, { member }) => ({
    said: `${member.organisation}: ${words}`
  }))
}

describe('the network', () => {
  let lab: Lab
  const strangers: Libp2p[] = []
  beforeEach(async () => {
    lab = await Lab.open()
  })
  afterEach(async () => {
    await Promise.all(strangers.splice(0).map(async (node) => await node.stop()))
    await lab.stop()
  })

  async function twoParties(prepare: (network: Network) => void = echo) {
    const vu = await lab.start('VU', { prepare })
    const uva = await lab.start('UVA', { prepare })
    await uva.network.dial(vu.peer, vu.network.addresses)
    return { vu, uva }
  }

  async function aStranger(key?: PrivateKey): Promise<Libp2p> {
    const node = await createLibp2p({
      ...(key !== undefined && { privateKey: key }),
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionMonitor: { enabled: false }
    })
    strangers.push(node)
    return node
  }

  it('lets members ask each other, whoever dialled', async () => {
    const { vu, uva } = await twoParties()
    expect(await uva.network.ask(vu.peer, ECHO, { said: 'hi' }, said)).to.deep.equal({ said: 'UVA: hi' })
    expect(await vu.network.ask(uva.peer, ECHO, { said: 'hi' }, said)).to.deep.equal({ said: 'VU: hi' })
    expect(vu.members.organisationOf(uva.peer)).to.equal('UVA')
  })

  it('answers an agent that asks itself like any other', async () => {
    const { vu } = await twoParties()
    expect(await vu.network.ask(vu.peer, ECHO, { said: 'hi' }, said)).to.deep.equal({ said: 'VU: hi' })
    const error = await thrownBy(vu.network.ask(vu.peer, ECHO, { said: 1 }, said))
    expect(error).to.be.instanceOf(PeerRefused)
    expect(error.code).to.equal('malformed-document')
  })

  it('brings refusals with their code, and names what is not spoken', async () => {
    const { vu, uva } = await twoParties((network) =>
      network.handle(ECHO, said, async () => {
        throw new DynamosError('no-agreement', 'expected an agreement, found none')
      })
    )
    for (const peer of [vu.peer, uva.peer]) {
      expect((await thrownBy(uva.network.ask(peer, ECHO, { said: '' }, said))).code).to.equal('no-agreement')
      const error = await thrownBy(uva.network.ask(peer, '/test/unknown/1', {}, said))
      expect(error.code).to.equal('request-type-not-supported')
    }
  })

  it('names a peer that is silent at the deadline', async () => {
    const { vu, uva } = await twoParties((network) =>
      network.handle(ECHO, said, async () => await new Promise(() => {}))
    )
    const error = await thrownBy(uva.network.ask(vu.peer, ECHO, { said: '' }, said, { timeoutMs: 50 }))
    expect(error.code).to.equal('peer-silent')
    expect(error.message).to.contain('VU')
  })

  it('tells a handler to stop when the one who asked gives up', async () => {
    const begun = Promise.withResolvers<void>()
    const stopped = Promise.withResolvers<void>()
    const { vu, uva } = await twoParties((network) =>
      network.handle(ECHO, said, async (_message, { signal }) => {
        signal.addEventListener('abort', () => stopped.resolve())
        begun.resolve()
        await stopped.promise
      })
    )
    const controller = new AbortController()
    const asking = thrownBy(uva.network.ask(vu.peer, ECHO, { said: '' }, said, { signal: controller.signal }))
    await begun.promise
    controller.abort(new Error('not wanted'))
    await asking
    await stopped.promise
  })

  it('keeps streams between questions, and opens more for questions at the same time', async () => {
    const { vu, uva } = await twoParties()
    const ask = async () => await uva.network.ask(vu.peer, ECHO, { said: 'hi' }, said)
    const streams = () =>
      uva.network.node
        .getConnections()
        .flatMap((connection) => connection.streams)
        .filter(({ protocol }) => protocol === ECHO)
    for (let n = 0; n < 5; n++) await ask()
    expect(streams()).to.have.length(1)
    await Promise.all([ask(), ask(), ask()])
    expect(streams()).to.have.length(3)
    const [kept] = streams()
    kept?.abort(new Error('broken'))
    expect(await ask()).to.deep.equal({ said: 'UVA: hi' })
  })

  it('names a peer that cannot be reached', async () => {
    const { vu, uva } = await twoParties()
    const gone = event(uva.network, 'peer:gone')
    await vu.network.stop()
    await gone
    const error = await thrownBy(uva.network.ask(vu.peer, ECHO, { said: '' }, said))
    expect(error.code).to.equal('peer-unreachable')
    expect(error.message).to.contain('VU')
  })

  it('stops asking when the caller gives up', async () => {
    const { vu, uva } = await twoParties((network) =>
      network.handle(ECHO, said, async () => await new Promise(() => {}))
    )
    const controller = new AbortController()
    const asking = thrownBy(uva.network.ask(vu.peer, ECHO, { said: '' }, said, { signal: controller.signal }))
    controller.abort(new Error('not wanted'))
    expect((await asking).message).to.equal('not wanted')
  })

  it('limits the rate of each peer with a typed refusal', async () => {
    const { vu, uva } = await twoParties((network) =>
      network.handle(ECHO, said, async (message) => message, { ratePerSecond: 0.001, burst: 2 })
    )
    const ask = async () => await uva.network.ask(vu.peer, ECHO, { said: '' }, said)
    await ask()
    await ask()
    expect((await thrownBy(ask())).code).to.equal('rate-limited')
  })

  it('limits the agents of one organisation together, not those of others', async () => {
    const limited = (network: Network) =>
      network.handle(ECHO, said, async (message) => message, { ratePerSecond: 0.001, burst: 2 })
    const vu = await lab.start('VU', { prepare: limited })
    const names = ['UVA', 'UVA2', 'UVA3']
    const agents = await Promise.all(names.map(async (name) => peerOf(await keyOf(name))))
    const heard: string[] = []
    for (const [name, organisation] of [
      ...names.map((one) => [one, 'UVA'] as const),
      ['RUG', 'RUG'] as const
    ]) {
      const admission = organisation === 'UVA' ? { organisation, agents } : {}
      const { network } = await lab.start(name, { admission })
      await network.dial(vu.peer, vu.network.addresses)
      for (let question = 0; question < 2; question++)
        heard.push(
          await network.ask(vu.peer, ECHO, { said: name }, said).then(
            () => name,
            (error: unknown) => codeOf(error)
          )
        )
    }
    expect(heard).to.deep.equal(['UVA', 'UVA', 'UVA2', 'UVA2', 'rate-limited', 'rate-limited', 'RUG', 'RUG'])
  })

  it('carries streams of frames, to others and to oneself', async () => {
    const frame = z.strictObject({ n: z.int() })
    const codec = plainFrames(frame)
    const limits = { maxFrame: 1024, idleMs: 5_000 }
    const { vu, uva } = await twoParties((network) =>
      network.handleStream('/test/flow/1', async (stream) => {
        let sum = 0
        for await (const { n } of readFrames(stream, codec, ({ n: one }) => one === -1, limits)) sum += n
        received.push(sum)
        done.resolve()
      })
    )
    const received: number[] = []
    let done = Promise.withResolvers<void>()
    for (const peer of [vu.peer, uva.peer]) {
      done = Promise.withResolvers()
      const stream = await uva.network.openStream(peer, '/test/flow/1')
      await writeFrames(stream, codec, [{ n: 1 }, { n: 2 }], { n: -1 }, limits)
      await done.promise
    }
    expect(received).to.deep.equal([3, 3])
  })

  describe('a stranger', () => {
    const greeting = { marketplace: '', status: 0, capability: 0, clock: Date.now() }

    it('can say hello, and is told the marketplace and whom to ask', async () => {
      const vu = await lab.start('VU')
      const stranger = await aStranger()
      const stream = await stranger.dialProtocol(
        vu.network.addresses.map((one) => multiaddr(one)),
        HELLO_PROTOCOL
      )
      const reply = await exchangeOnce(stream, greeting, helloReply)
      expect(reply).to.have.nested.property('refused.code', 'not-member')
      expect(reply).to.have.nested.property('refused.contact', 'board@example.org')
      expect(reply).to.have.nested.property('refused.marketplace', vu.members.marketplace)
    })

    for (const protocol of [KAD_PROTOCOL, '/ipfs/id/1.0.0', '/ipfs/ping/1.0.0', ECHO]) {
      it(`is not heard on ${protocol}, before or after hello`, async () => {
        const vu = await lab.start('VU', { prepare: echo })
        const stranger = await aStranger()
        const addresses = vu.network.addresses.map((one) => multiaddr(one))
        const held = await stranger.dialProtocol(addresses, protocol)
        let heard = 0
        held.addEventListener('message', () => heard++)
        const closed = new Promise((resolve) => held.addEventListener('close', resolve))
        held.send(new Uint8Array(32))
        const hello = await stranger.dialProtocol(addresses, HELLO_PROTOCOL)
        await exchangeOnce(hello, greeting, helloReply)
        await closed
        expect(heard).to.equal(0)
        expect(held.status).to.equal('reset')
      })
    }

    it('of another marketplace is refused, and learns why', async () => {
      const vu = await lab.start('VU')
      const other = await lab.start('Other', { marketplace: await TestMarketplace.found(Date.now() - 1_000) })
      const error = await thrownBy(other.network.dial(vu.peer, vu.network.addresses))
      expect(error).to.be.instanceOf(PeerRefused)
      expect(error.code).to.equal('not-member')
      expect(vu.network.readyPeers()).to.deep.equal([])
    })

    it('that never says hello is let go', async () => {
      const armed = Promise.withResolvers<() => void>()
      const clock = {
        now: Date.now,
        after: (milliseconds: number, action: () => void) => {
          if (milliseconds === 5_000) armed.resolve(action)
          return () => {}
        }
      }
      const vu = await lab.start('VU', { clock })
      const stranger = await aStranger()
      const connection = await stranger.dial(vu.network.addresses.map((one) => multiaddr(one)))
      const closed = new Promise((resolve) => connection.addEventListener('close', resolve))
      const late = await armed.promise
      late()
      await closed
    })
  })

  it('holds at most 8 streams that come before hello, and runs them after it', async () => {
    const never = { now: Date.now, after: () => () => {} }
    const vu = await lab.start('VU', { prepare: echo, clock: never })
    const key = await keyOf('UVA')
    const { membership } = await lab.marketplace.admit('UVA', key)
    const early = await aStranger(key)
    const addresses = vu.network.addresses.map((one) => multiaddr(one))
    const streams: Stream[] = []
    const reset = Promise.withResolvers<void>()
    for (let n = 0; n < 9; n++) {
      const stream = await early.dialProtocol(addresses, ECHO)
      stream.addEventListener('close', () => reset.resolve())
      if (stream.status !== 'open') reset.resolve()
      streams.push(stream)
    }
    await reset.promise
    const held = streams.filter(({ status }) => status === 'open')
    expect(held).to.have.length(8)
    const replies = held.map(async (stream) => await exchangeOnce(stream, { said: 'early' }, said))
    const stream = await early.dialProtocol(addresses, HELLO_PROTOCOL)
    const hello = {
      marketplace: vu.members.marketplace,
      membership: membership.bytes,
      status: 1,
      capability: 0,
      clock: Date.now()
    }
    expect(await exchangeOnce(stream, hello, helloReply)).to.have.property('hello')
    for (const reply of await Promise.all(replies)) expect(reply).to.deep.equal({ said: 'UVA: early' })
  })

  it('refuses an agent whose clock is a day ahead, with both times', async () => {
    const vu = await lab.start('VU')
    const ahead = await lab.start('Ahead', { clock: clockOff(86_400_000) })
    const error = await thrownBy(ahead.network.dial(vu.peer, vu.network.addresses))
    expect(error.code).to.equal('clock-skew')
  })

  it('refuses to talk to an agent whose clock is a day behind', async () => {
    const vu = await lab.start('VU')
    const behind = await lab.start('Behind', { clock: clockOff(-86_400_000) })
    const error = await thrownBy(behind.network.dial(vu.peer, vu.network.addresses))
    expect(error.code).to.equal('clock-skew')
    if (vu.network.connected(behind.peer)) await event(vu.network, 'peer:gone')
    expect(vu.network.readyPeers()).to.deep.equal([])
  })

  it('cuts off an agent as soon as a status list that expels it arrives', async () => {
    const { vu, uva } = await twoParties()
    const { status } = await expel(lab.marketplace.marketplace, [uva.peer], {
      keys: [lab.marketplace.authority],
      now: Date.now()
    })
    const gone = event(uva.network, 'peer:gone')
    await vu.members.acceptStatus(status)
    await gone
    const error = await thrownBy(uva.network.dial(vu.peer, vu.network.addresses))
    expect(error.code).to.equal('expelled')
  })

  it('passes a newer status list on to everybody who is connected, and to those who come later', async () => {
    const { vu, uva } = await twoParties()
    const rug = await lab.start('RUG')
    await rug.network.dial(uva.peer, uva.network.addresses)
    const { status } = await expel(lab.marketplace.marketplace, [], {
      keys: [lab.marketplace.authority],
      now: Date.now()
    })
    const reached = [uva, rug].map(async ({ members }) => await event(members, 'status'))
    await vu.members.acceptStatus(status)
    await Promise.all(reached)
    const late = await lab.start('Late')
    const latecomer = event(late.members, 'status')
    await late.network.dial(rug.peer, rug.network.addresses)
    await latecomer
    expect(late.members.statusNumber).to.equal(2)
  })

  it('finds out that the authorities signed two lists under one number, at both ends', async () => {
    const { vu, uva } = await twoParties()
    const rug = await lab.start('RUG')
    const by = { keys: [lab.marketplace.authority] as const, now: Date.now() }
    const [one, two] = [
      await expel(lab.marketplace.marketplace, [peerOf(await keyOf('x'))], by),
      await expel(lab.marketplace.marketplace, [peerOf(await keyOf('y'))], by)
    ]
    await rug.members.acceptStatus(two.status)
    const spread = event(uva.members, 'status')
    await vu.members.acceptStatus(one.status)
    await spread
    const found = [uva, rug].map(async ({ members }) => await event(members, 'status'))
    await rug.network.dial(uva.peer, uva.network.addresses)
    await Promise.all(found)
    const lists = [one.status.id, two.status.id].sort()
    for (const { members } of [uva, rug])
      expect(members.statusConflicts).to.deep.equal([{ number: 2, lists }])
  })

  it('shows a newer membership of its own to whoever is connected', async () => {
    const { vu, uva } = await twoParties()
    const { membership } = await lab.marketplace.admit('VU', vu.key, { speaksFor: ['elsewhere.nl'] })
    const heard = event(uva.members, 'member')
    await vu.members.learn(membership, vu.peer)
    await heard
    expect(uva.members.speaksFor('VU', 'a@vu.nl')).to.equal(false)
    expect(uva.members.speaksFor('VU', 'a@elsewhere.nl')).to.equal(true)
  })

  it('lets go of the key before when an agent comes with a new one', async () => {
    const { vu, uva } = await twoParties()
    const key = await keyOf('UVA, new key')
    const contents = await lab.marketplace.admit('UVA', key)
    const dropped = event(vu.members, 'dropped')
    const gone = event(uva.network, 'peer:gone')
    await vu.members.learn(contents.membership, peerOf(key))
    expect(await dropped).to.deep.equal({ peers: [uva.peer], code: 'not-member' })
    await gone
    const error = await thrownBy(uva.network.dial(vu.peer, vu.network.addresses))
    expect(error.code).to.equal('not-member')
  })

  it('remembers by whose clock it is wrong, and who refused it', async () => {
    const { vu, uva } = await twoParties()
    const behind = await lab.start('Behind', { clock: clockOff(-60_000) })
    await behind.network.dial(vu.peer, vu.network.addresses)
    const [seen] = behind.network.encounters()
    expect(seen?.peer).to.equal(vu.peer)
    expect(Math.round((seen?.clockAhead ?? 0) / 10_000)).to.equal(6)
    const { status } = await expel(lab.marketplace.marketplace, [uva.peer], {
      keys: [lab.marketplace.authority],
      now: Date.now()
    })
    const gone = event(uva.network, 'peer:gone')
    await vu.members.acceptStatus(status)
    await gone
    await thrownBy(uva.network.dial(vu.peer, vu.network.addresses))
    expect(uva.network.encounters().map(({ peer, refusedUs }) => ({ peer, refusedUs }))).to.deep.include({
      peer: vu.peer,
      refusedUs: 'expelled'
    })
  })

  it('closes connections when a membership expires', async () => {
    let now = Date.now()
    const timers: { at: number; action: () => void }[] = []
    const clock = {
      now: () => now,
      after: (milliseconds: number, action: () => void) => {
        const timer = { at: now + milliseconds, action }
        timers.push(timer)
        return () => {
          timers.splice(timers.indexOf(timer), 1)
        }
      }
    }
    const vu = await lab.start('VU', { clock })
    const uva = await lab.start('UVA')
    await uva.network.dial(vu.peer, vu.network.addresses)
    const gone = event(uva.network, 'peer:gone')
    now += 91 * 86_400_000
    for (const timer of timers.filter(({ at }) => at <= now)) timer.action()
    await gone
  })

  it('finds its way back to a bootstrap agent that was restarted', async () => {
    const vu = await lab.start('VU')
    const listen = vu.network.addresses.map((address) => address.replace(/\/p2p\/.*/, ''))
    const uva = await lab.start('UVA', { bootstrap: vu.network.addresses })
    if (!uva.network.connected(vu.peer)) await event(uva.network, 'peer:ready')
    const gone = event(uva.network, 'peer:gone')
    await vu.network.stop()
    await gone
    const ready = event(uva.network, 'peer:ready')
    await lab.start('VU', { listen })
    await ready
    expect(uva.network.connected(vu.peer)).to.equal(true)
  })

  it('remembers its peers in its directory', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'dynamos-network-'))
    try {
      const vu = await lab.start('VU')
      const before = await lab.start('UVA', { directory })
      await before.network.dial(vu.peer, vu.network.addresses)
      await before.network.stop()
      const after = await lab.start('UVA', { directory })
      await after.network.dial(vu.peer)
      expect(after.network.connected(vu.peer)).to.equal(true)
      await after.network.stop()
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  it('says which address it cannot listen on', async () => {
    const vu = await lab.start('VU')
    const listen = vu.network.addresses.map((address) => address.replace(/\/p2p\/.*/, ''))
    const error = await thrownBy(lab.start('UVA', { listen }))
    expect(error.code).to.equal('cannot-listen')
    expect(error.message).to.contain(listen[0])
  })

  it('tells connected peers that a capability changed', async () => {
    const { vu, uva } = await twoParties()
    const heard = event<{ peer: string; capability: number }>(
      uva.network,
      'peer:changed',
      ({ capability }) => capability === 7
    )
    vu.network.capabilityChanged(7)
    expect((await heard).peer).to.equal(vu.peer)
  })
})
