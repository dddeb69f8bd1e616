import { EventEmitter } from 'node:events'
import { decodeSigned, encodeSigned, type Signed } from '../../protocol/documents/index.ts'
import { codeOf, DynamosError } from '../../protocol/errors/index.ts'
import { NotMember } from './errors.ts'
import type { MembershipPackage } from './files.ts'
import { type Member, verifyMember, verifyStatus } from './verify.ts'

/** Where memberships and status lists of others survive a restart. */
export interface MembershipStore {
  load(kind: 'membership' | 'status'): Promise<Uint8Array[]>
  save(kind: 'membership' | 'status', id: string, bytes: Uint8Array): Promise<void>
}

export interface MembersInit {
  package: MembershipPackage
  /** This agent's peer id; its membership must list it. */
  self: string
}

export interface MembersComponents {
  store: MembershipStore
  /** Milliseconds since 1970. */
  now: () => number
}

export interface MembersEvents {
  /** A membership was added or replaced. */
  member: [Member]
  /** Agents that are no longer to be trusted: expelled, expired, or no longer listed. */
  dropped: [{ peers: readonly string[]; code: string }]
  /** A newer status list is in force. */
  status: [{ number: number }]
}

/**
 * Whom this agent believes to be whom: its own membership, the memberships that others showed, and the newest status list.
 * Nothing enters unless the charter's authorities signed it.
 */
export class Members extends EventEmitter<MembersEvents> {
  readonly charter: Signed<'charter'>
  readonly discoveryKey: Uint8Array
  readonly self: string
  readonly #store: MembershipStore
  readonly #now: () => number
  readonly #byOrganisation = new Map<string, Member>()
  readonly #byAgent = new Map<string, string>()
  #status: Signed<'status'>
  #own: Signed<'membership'>

  private constructor(init: MembersInit, { store, now }: MembersComponents) {
    super()
    this.charter = init.package.charter
    this.discoveryKey = init.package.discoveryKey
    this.self = init.self
    this.#store = store
    this.#now = now
    this.#status = init.package.status
    this.#own = init.package.membership
  }

  /**
   * @throws {NotMember} when the package is for another agent; {MembershipExpired}, {Expelled} when it no longer holds
   */
  static async open(init: MembersInit, components: MembersComponents): Promise<Members> {
    const members = new Members(init, components)
    await members.#restore()
    members.#keep(members.verifyMembership(init.package.membership, init.self))
    return members
  }

  /** This agent's own organisation. @throws {MembershipExpired}, {Expelled} once it no longer holds */
  get own(): Member {
    return this.verifyMembership(this.#own, this.self)
  }

  get marketplace(): string {
    return this.charter.id
  }

  get status(): Signed<'status'> {
    return this.#status
  }

  get statusNumber(): number {
    return this.#status.payload.number
  }

  /** Whether the status list is older than the charter allows to act on. */
  statusTooOld(now: number = this.#now()): boolean {
    return now - this.#status.payload.issuedAt > this.charter.payload.statusMaxAge
  }

  /**
   * Believes a membership or says why not; remembers nothing.
   *
   * @param peer the agent that shows it: it must be listed, here or in a newer membership of the same organisation
   */
  verifyMembership(document: Signed<'membership'>, peer?: string): Member {
    const trust = { charter: this.charter, status: this.#status }
    const member = verifyMember(document, trust, this.#now(), peer)
    const known = this.#byOrganisation.get(member.organisation)
    if (known === undefined || known.issuedAt <= member.issuedAt) return member
    return verifyMember(known.document, trust, this.#now(), peer)
  }

  /** Believes what a peer showed, and remembers it. @throws as {@link verifyMembership} */
  async learn(document: Signed<'membership'>, peer: string): Promise<Member> {
    const member = this.verifyMembership(document, peer)
    const known = this.#byOrganisation.get(member.organisation)
    if (known?.document.id === member.document.id) return known
    await this.#store.save('membership', member.document.id, encodeSigned(member.document))
    const replaced = this.#keep(member)
    this.emit('member', member)
    if (replaced.length > 0) this.emit('dropped', { peers: replaced, code: 'not-member' })
    return member
  }

  /** The member an agent belongs to, as of now. */
  memberOf(peer: string): Member | undefined {
    const organisation = this.#byAgent.get(peer)
    return organisation === undefined ? undefined : this.byOrganisation(organisation)
  }

  organisationOf(peer: string): string | undefined {
    return this.memberOf(peer)?.organisation
  }

  byOrganisation(organisation: string): Member | undefined {
    const member = this.#byOrganisation.get(organisation)
    return member !== undefined && member.expires > this.#now() ? member : undefined
  }

  /** Every member known here, this agent's own organisation included. */
  all(): Member[] {
    return [...this.#byOrganisation.values()].filter((member) => member.expires > this.#now())
  }

  /** Whether an organisation's membership lists this user, or the domain of the address. */
  speaksFor(organisation: string, user: string): boolean {
    return this.#claims(organisation, user) !== undefined
  }

  /**
   * The one organisation that speaks for an address. The user's name stays the whole address, since an organisation may speak
   * for several domains. A membership that lists the user goes before one that lists the domain; two equal claims are none.
   */
  resolveUser(user: string): { organisation: string; name: string } | undefined {
    const claims = this.all().map(({ organisation }) => ({
      organisation,
      claim: this.#claims(organisation, user)
    }))
    for (const kind of ['user', 'domain'] as const) {
      const found = claims.filter(({ claim }) => claim === kind)
      if (found.length > 1) return undefined
      if (found[0] !== undefined) return { organisation: found[0].organisation, name: user.toLowerCase() }
    }
    return undefined
  }

  /**
   * Takes a status list with a higher number, drops whom it expels, and remembers it.
   *
   * @returns whether it was newer
   * @throws {NotMember}, {BadSignature}
   */
  async acceptStatus(status: Signed<'status'>): Promise<boolean> {
    verifyStatus(status, this.charter)
    if (status.payload.number <= this.statusNumber) return false
    await this.#store.save('status', status.id, encodeSigned(status))
    if (status.payload.number <= this.statusNumber) return false
    this.#status = status
    this.emit('status', { number: status.payload.number })
    this.recheck()
    return true
  }

  /** Looks at every membership again: expired ones and expelled agents are dropped, with an event. */
  recheck(): void {
    const dropped = new Map<string, string[]>()
    const drop = (peers: readonly string[], code: string): void => {
      if (peers.length > 0) dropped.set(code, [...(dropped.get(code) ?? []), ...peers])
    }
    for (const [organisation, member] of [...this.#byOrganisation]) {
      try {
        const checked = verifyMember(
          member.document,
          { charter: this.charter, status: this.#status },
          this.#now()
        )
        drop(
          member.agents.filter((agent) => !checked.agents.includes(agent)),
          'expelled'
        )
        this.#keep(checked)
      } catch (thrown) {
        drop(member.agents, codeOf(thrown))
        this.#forget(organisation)
      }
    }
    for (const [code, peers] of dropped) this.emit('dropped', { peers, code })
  }

  /** When the next membership known here ends, in milliseconds since 1970. */
  nextExpiry(): number | undefined {
    const ends = [...this.#byOrganisation.values()].map((member) => member.expires)
    return ends.length === 0 ? undefined : Math.min(...ends)
  }

  #claims(organisation: string, user: string): 'user' | 'domain' | undefined {
    const address = user.toLowerCase()
    const claims = this.byOrganisation(organisation)?.speaksFor.map((one) => one.toLowerCase()) ?? []
    const at = address.lastIndexOf('@')
    if (at <= 0) return undefined
    if (claims.includes(address)) return 'user'
    return claims.includes(address.slice(at + 1)) ? 'domain' : undefined
  }

  /** @returns agents of an earlier membership that this one no longer lists */
  #keep(member: Member): string[] {
    const before = this.#byOrganisation.get(member.organisation)
    this.#byOrganisation.set(member.organisation, member)
    const removed = before?.agents.filter((agent) => !member.agents.includes(agent)) ?? []
    for (const agent of removed) this.#byAgent.delete(agent)
    for (const agent of member.agents) this.#byAgent.set(agent, member.organisation)
    if (member.agents.includes(this.self)) this.#own = member.document
    return removed
  }

  #forget(organisation: string): void {
    for (const agent of this.#byOrganisation.get(organisation)?.agents ?? []) this.#byAgent.delete(agent)
    this.#byOrganisation.delete(organisation)
  }

  /** What the store holds is checked like anything from outside; what no longer holds is left out. */
  async #restore(): Promise<void> {
    for (const bytes of await this.#store.load('status')) {
      await unlessRefused(async () => {
        const status = verifyStatus(await decodeSigned('status', bytes), this.charter)
        if (status.payload.number > this.statusNumber) this.#status = status
      })
    }
    for (const bytes of await this.#store.load('membership'))
      await unlessRefused(async () => {
        this.#keep(this.verifyMembership(await decodeSigned('membership', bytes)))
      })
  }
}

async function unlessRefused(take: () => Promise<void>): Promise<void> {
  try {
    await take()
  } catch (thrown) {
    if (!(thrown instanceof DynamosError)) throw thrown
  }
}

/** @throws {NotMember} naming the peer */
export function assertMember(members: Members, peer: string): Member {
  const member = members.memberOf(peer)
  if (member === undefined) throw new NotMember(`${peer} showed no membership that holds`)
  return member
}
