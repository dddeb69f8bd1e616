import type { Connection } from '@libp2p/interface'
import { openDocument } from '../../protocol/documents/index.ts'
import { codeOf, DynamosError, toError } from '../../protocol/errors/index.ts'
import {
  exchangeOnce,
  HELLO_PROTOCOL,
  type Hello,
  type HelloReply,
  helloReply,
  hello as helloSchema,
  PeerRefused
} from '../../protocol/streams/index.ts'
import { MAX_CLOCK_SKEW_MS, type Member, type Members, NotMember } from '../membership/index.ts'
import type { Encounters } from './encounters.ts'
import { ClockSkew } from './errors.ts'

/** What both ends know of each other once hello succeeded. */
export interface Introduction {
  readonly member: Member
  readonly status: number
  /** Id of its status list. */
  readonly list: string | undefined
  readonly capability: number
}

export interface IntroducerComponents {
  members: Members
  now: () => number
  /** Sequence number of our own capability. */
  capability: () => number
  encounters: Encounters
}

/** Says and answers `/dynamos/hello/1`: each end shows its membership and checks the other's, and both clocks. */
export class Introducer {
  readonly #components: IntroducerComponents

  constructor(components: IntroducerComponents) {
    this.#components = components
  }

  /** The dialler's part. @throws {PeerRefused} with the listener's code, or why the listener is not believed */
  async say(connection: Connection, options: { signal: AbortSignal }): Promise<Introduction> {
    const stream = await connection.newStream(HELLO_PROTOCOL, options)
    const reply = await exchangeOnce(stream, this.#hello(), helloReply, { ...options, maxBytes: 1 << 17 })
    if ('refused' in reply) {
      this.#components.encounters.refusedBy(connection.remotePeer.toString(), reply.refused.code)
      throw new PeerRefused(reply.refused.code, reply.refused.message)
    }
    return await this.#verify(reply.hello, connection)
  }

  /** The listener's part: what it answers, and what it now knows, if it believes the dialler. */
  async answer(
    theirs: Hello,
    connection: Connection
  ): Promise<{ reply: HelloReply; introduction: Introduction } | { reply: HelloReply; error: DynamosError }> {
    const { members } = this.#components
    try {
      const introduction = await this.#verify(theirs, connection)
      return { reply: { hello: this.#hello() }, introduction }
    } catch (thrown) {
      if (!(thrown instanceof DynamosError)) throw toError(thrown)
      const { id, payload } = members.charter
      return {
        error: thrown,
        reply: {
          refused: {
            code: codeOf(thrown),
            message: thrown.message.slice(0, 1024),
            marketplace: id,
            contact: payload.contact
          }
        }
      }
    }
  }

  #hello(): Hello {
    const { members, now, capability } = this.#components
    return helloSchema.parse({
      marketplace: members.marketplace,
      membership: members.own.document.bytes,
      status: members.statusNumber,
      list: members.status.id,
      capability: capability(),
      clock: now()
    })
  }

  async #verify(theirs: Hello, connection: Connection): Promise<Introduction> {
    const { members, now } = this.#components
    if (theirs.marketplace !== members.marketplace || theirs.membership === undefined) {
      throw new NotMember(`expected a member of marketplace ${members.marketplace}, found a stranger`)
    }
    const peer = connection.remotePeer.toString()
    const document = await openDocument('membership', theirs.membership)
    members.verifyMembership(document, peer)
    this.#components.encounters.clock(peer, theirs.clock - now())
    // Whoever is behind would refuse all that is said here: both are to hear it at once.
    if (Math.abs(theirs.clock - now()) > MAX_CLOCK_SKEW_MS) throw new ClockSkew(theirs.clock, now())
    const member = await members.learn(document, peer)
    return { member, status: theirs.status, list: theirs.list, capability: theirs.capability }
  }
}
