import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { loadKey } from '../../agent/identity/index.ts'
import { Members, type MembershipPackage, openPackage } from '../../agent/membership/index.ts'
import { type Body, createSpeaker, type Speaker } from '../../agent/negotiation/index.ts'
import { type Clock, createNetwork, type Network, silentLog, systemClock } from '../../agent/network/index.ts'
import {
  type OfferDetails,
  offerDetails,
  openDocument,
  openSection,
  type SaltedSection,
  type Section,
  type Signed
} from '../../protocol/documents/index.ts'
import { codeOf } from '../../protocol/errors/index.ts'
import {
  MESSAGE_LIMITS,
  protocolOf,
  type WireMessage,
  type WireOf,
  wireReply
} from '../../protocol/messages/index.ts'
import type { TestAgent } from './harness.ts'

/** An offer as the one who asked holds it. */
export interface Offered {
  request: Signed<'request'>
  query: SaltedSection
  offer: Signed<'offer'>
  details: OfferDetails
  /** The details as they came. */
  section: SaltedSection
}

const LISTEN = ['/ip4/127.0.0.1/tcp/0']
const nothing = { load: async () => [], save: async () => undefined, remove: async () => undefined }

/** A real member of the marketplace, with a real connection, that says what it likes. */
export class HostilePeer {
  readonly peer: string
  readonly speaker: Speaker
  readonly network: Network
  readonly key: PrivateKey

  private constructor(
    peer: string,
    speaker: Speaker,
    network: Network,
    key: PrivateKey,
    /** Whom it believes to be whom: it carries memberships and status lists like anybody. */
    readonly members: Members
  ) {
    this.peer = peer
    this.speaker = speaker
    this.network = network
    this.key = key
  }

  /** @param prepare what else it answers, before it starts */
  static async start(
    { config }: TestAgent,
    clock: Clock = systemClock,
    prepare: (network: Network) => void = () => undefined
  ): Promise<HostilePeer> {
    return await HostilePeer.as(
      {
        key: await loadKey(config.identity.key),
        contents: await openPackage(await readFile(config.marketplace, 'utf8')),
        listen: config.listen,
        bootstrap: config.bootstrap
      },
      clock,
      prepare
    )
  }

  /** With a key and a membership of the caller's choice. */
  static async as(
    {
      key,
      contents,
      listen = LISTEN,
      bootstrap = []
    }: { key: PrivateKey; contents: MembershipPackage; listen?: string[]; bootstrap?: string[] },
    clock: Clock = systemClock,
    prepare: (network: Network) => void = () => undefined
  ): Promise<HostilePeer> {
    const peerId = peerIdFromPrivateKey(key).toString()
    const members = await Members.open(
      { package: contents, self: peerId },
      { store: nothing, now: () => clock.now() }
    )
    const network = createNetwork({ key, listen, bootstrap }, { members, clock, log: silentLog })
    prepare(network)
    await network.start()
    const speaker = createSpeaker({
      key,
      peer: peerId,
      organisation: members.own.organisation,
      marketplace: members.marketplace,
      clock
    })
    return new HostilePeer(peerId, speaker, network, key, members)
  }

  async stop(): Promise<void> {
    await this.network.stop()
  }

  async connect({ peerId, config }: TestAgent): Promise<void> {
    await this.network.dial(peerId, config.listen)
  }

  /** Says something to an agent. @returns what it answers at once, or the code of its error */
  async say(to: TestAgent, message: WireMessage): Promise<WireMessage[] | string> {
    const { timeoutMs } = MESSAGE_LIMITS[message.kind]
    try {
      const reply = await this.network.ask(to.peerId, protocolOf(message.kind), message, wireReply, {
        timeoutMs
      })
      return reply.messages
    } catch (error) {
      return codeOf(error)
    }
  }

  /** Says something that is answered with a message of a kind. */
  async hear<K extends WireMessage['kind']>(
    to: TestAgent,
    message: WireMessage,
    kind: K
  ): Promise<WireOf<K>> {
    const answer = await this.say(to, message)
    const found =
      typeof answer === 'string' ? undefined : answer.find((one): one is WireOf<K> => one.kind === kind)
    if (found === undefined) throw new Error(`expected ${kind}, heard ${JSON.stringify(answer)}`)
    return found
  }

  async request(
    of: Omit<Body<'request'>, 'nonce' | 'query' | 'organisation'>,
    sql: string
  ): Promise<{ request: Signed<'request'>; query: SaltedSection; message: WireOf<'ask'> }> {
    const { section, digest } = await this.speaker.section({ sql, parameters: {} })
    const request = await this.speaker.sign(
      'request',
      {
        ...of,
        organisation: this.speaker.organisation,
        nonce: new Uint8Array(randomBytes(16)),
        query: digest
      },
      of.deadline
    )
    return {
      request,
      query: section,
      message: { kind: 'ask', epoch: 1, request: request.bytes, query: section }
    }
  }

  /** Asks like anybody and opens the offer. */
  async ask(to: TestAgent, asked: Awaited<ReturnType<HostilePeer['request']>>): Promise<Offered> {
    const heard = await this.hear(to, asked.message, 'offer')
    const offer = await openDocument('offer', heard.offer)
    const details = await openSection(heard.details, offer.payload.details, offerDetails)
    return { request: asked.request, query: asked.query, offer, details, section: heard.details }
  }

  /** Puts a contract together as it likes; sections by peer. */
  async contract(
    body: Omit<Body<'contract'>, 'parties'> & {
      parties: Omit<Body<'contract'>['parties'][number], 'section'>[]
    },
    sections: Record<string, Section[]>,
    speaker: Speaker = this.speaker
  ): Promise<{ contract: Signed<'contract'>; sections: Record<string, SaltedSection> }> {
    const sealed: Record<string, SaltedSection> = {}
    const parties: Body<'contract'>['parties'] = []
    for (const party of body.parties) {
      const { section, digest } = await this.speaker.section(sections[party.peer] ?? [])
      sealed[party.peer] = section
      parties.push({ ...party, section: digest })
    }
    const contract = await speaker.sign('contract', { ...body, parties }, body.deadline + 3_600_000)
    return { contract, sections: sealed }
  }
}
