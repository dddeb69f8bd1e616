import { EventEmitter } from 'node:events'
import { decodeSigned, type Expulsion, encodeSigned, type Signed } from '../../protocol/documents/index.ts'
import { codeOf, DynamosError } from '../../protocol/errors/index.ts'
import { FromTheFuture, NotMember } from './errors.ts'
import type { MembershipPackage } from './files.ts'
import { type StatusConflict, StatusLists } from './status-lists.ts'
import { FormerStewards } from './stewards.ts'
import { claimOn, speakerFor } from './users.ts'
import {
  assertByAuthorities,
  MAX_CLOCK_SKEW_MS,
  type Member,
  type Trust,
  verifyMember,
  verifyStatus
} from './verify.ts'

/** Where memberships and status lists of others survive a restart. */
export interface MembershipStore {
  load(kind: 'membership' | 'status'): Promise<Uint8Array[]>
  save(kind: 'membership' | 'status', id: string, bytes: Uint8Array): Promise<void>
  remove(kind: 'membership' | 'status', id: string): Promise<void>
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
  /** A newer status list is in force, or a second one under the same number. */
  status: [{ number: number }]
  /** Anything of this: for who has to ask again whether what runs may go on. */
  change: [MembershipChange]
}

export type MembershipChange =
  /** A membership was added or replaced: its keys, roles or whom it speaks for may differ. */
  | { readonly kind: 'member'; readonly organisation: string }
  /** These agents are trusted no longer. */
  | { readonly kind: 'dropped'; readonly peers: readonly string[]; readonly code: string }
  | { readonly kind: 'status'; readonly number: number }
  /** The own status list became too old to act on. */
  | { readonly kind: 'status-aged'; readonly number: number }

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
  /** When the newest membership of an organisation was issued, whether it still holds or not: no earlier one comes back. */
  readonly #issued = new Map<string, number>()
  /** Agents that were trusted once, and why not any more. */
  readonly #gone = new Map<string, string>()
  readonly #stewards = new FormerStewards()
  readonly #lists: StatusLists
  #aged = false
  #own: Signed<'membership'>

  private constructor(init: MembersInit, { store, now }: MembersComponents) {
    super()
    this.charter = init.package.charter
    this.discoveryKey = init.package.discoveryKey
    this.self = init.self
    this.#store = store
    this.#now = now
    this.#lists = new StatusLists(init.package.status)
    this.#own = init.package.membership
  }

  /**
   * @throws {NotMember} when the package is for another agent; {MembershipExpired}, {Expelled} when it no longer holds
   */
  static async open(init: MembersInit, components: MembersComponents): Promise<Members> {
    const members = new Members(init, components)
    await members.#restore()
    members.#keep(members.verifyMembership(init.package.membership, init.self))
    members.#aged = members.statusTooOld()
    return members
  }

  /** Calls `listener` after every change of who is trusted. @returns what ends that */
  onChange(listener: (change: MembershipChange) => void): () => void {
    this.on('change', listener)
    return () => this.off('change', listener)
  }

  /** This agent's own organisation. @throws {MembershipExpired}, {Expelled} once it no longer holds */
  get own(): Member {
    return this.verifyMembership(this.#own, this.self)
  }

  /** The newest membership that lists this agent, whether it holds or not. */
  get lastOwn(): Signed<'membership'> {
    return this.#own
  }

  get marketplace(): string {
    return this.charter.id
  }

  get status(): Signed<'status'> {
    return this.#lists.newest
  }

  get statusNumber(): number {
    return this.status.payload.number
  }

  /** Whether it is, or counts beside, the list in force. */
  knowsStatus(list: string): boolean {
    return this.#lists.ids.includes(list)
  }

  /** Numbers under which the authorities signed more than one list. */
  get statusConflicts(): StatusConflict[] {
    return this.#lists.conflicts
  }

  /** The last moment at which this agent may act on its status list, in milliseconds since 1970. */
  get statusHoldsUntil(): number {
    return this.status.payload.issuedAt + this.charter.payload.statusMaxAge
  }

  /** Whether the status list is older than the charter allows to act on. */
  statusTooOld(now: number = this.#now()): boolean {
    return now > this.statusHoldsUntil
  }

  /** Every key that the status list names. */
  expelled(): Expulsion[] {
    return [...this.#lists.expelled.values()]
  }

  /** What the status list says of a key, if it names it. */
  expulsionOf(key: string): Expulsion | undefined {
    return this.#lists.expelled.get(key)
  }

  /**
   * Keys whose signatures make an agreement an organisation's own: those of its stewards now, and of earlier ones for what was
   * issued in their time. A key on the status list counts for what this agent held already, unless it was stolen before.
   *
   * @param heldSince when this agent saw the agreement signed, in milliseconds since 1970; undefined for one that is new
   */
  stewardKeys(organisation: string, agreement: { issuedAt: number; heldSince?: number }): string[] {
    const current = this.byOrganisation(organisation)?.document.payload.stewards ?? []
    const { issuedAt, heldSince } = agreement
    return [...current, ...this.#stewards.at(organisation, issuedAt)].filter((key) =>
      heldSince === undefined ? this.expulsionOf(key) === undefined : !this.distrusts(key, heldSince)
    )
  }

  /** Whether a key was stolen before this agent held what the key signed. */
  distrusts(key: string, heldSince: number): boolean {
    const stolenFrom = this.expulsionOf(key)?.stolenFrom
    return stolenFrom !== undefined && heldSince >= stolenFrom
  }

  /** Why an agent is not trusted; undefined for one that is. */
  whyNot(peer: string): string | undefined {
    if (this.expulsionOf(peer) !== undefined) return 'expelled'
    if (this.memberOf(peer) !== undefined) return undefined
    const organisation = this.#byAgent.get(peer)
    return organisation === undefined ? (this.#gone.get(peer) ?? 'not-member') : 'membership-expired'
  }

  /**
   * Believes a membership or says why not; remembers nothing.
   *
   * @param peer the agent that shows it: it must be listed, here or in a newer membership of the same organisation
   */
  verifyMembership(document: Signed<'membership'>, peer?: string): Member {
    const member = verifyMember(document, this.#trust, this.#now(), peer)
    if ((this.#issued.get(member.organisation) ?? 0) <= member.issuedAt) return member
    const known = this.#byOrganisation.get(member.organisation)
    if (known === undefined)
      throw new NotMember(
        `expected the newest membership of ${member.organisation}, found an earlier one; the newest holds no longer`
      )
    return verifyMember(known.document, this.#trust, this.#now(), peer)
  }

  /** Believes what a peer showed, and remembers it. @throws as {@link verifyMembership} */
  async learn(document: Signed<'membership'>, peer: string): Promise<Member> {
    const member = this.verifyMembership(document, peer)
    const known = this.#byOrganisation.get(member.organisation)
    if (known?.document.id === member.document.id) return known
    assertIssued(member.document, this.#now())
    await this.#store.save('membership', member.document.id, encodeSigned(member.document))
    // While it was written another may have come.
    if ((this.#issued.get(member.organisation) ?? 0) > member.issuedAt)
      return this.verifyMembership(document, peer)
    const replaced = this.#keep(member)
    // One that lists former stewards is kept: what they signed is checked by it.
    if (known !== undefined && !this.#stewards.replaced(known.document, member.document))
      await this.#store.remove('membership', known.document.id)
    this.emit('member', member)
    this.emit('change', { kind: 'member', organisation: member.organisation })
    this.#drop(replaced, 'not-member')
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
    return claimOn(this.byOrganisation(organisation), user) !== undefined
  }

  /**
   * The one organisation that speaks for an address. The user's name stays the whole address, since an organisation may speak
   * for several domains. A membership that lists the user goes before one that lists the domain; two equal claims are none.
   */
  resolveUser(user: string): { organisation: string; name: string } | undefined {
    const organisation = speakerFor(this.all(), user)
    return organisation === undefined ? undefined : { organisation, name: user.toLowerCase() }
  }

  /**
   * Takes a status list with a higher number, drops whom it expels, and remembers it. A second list under the same number is
   * kept beside the first, and counts as well.
   *
   * @returns whether it was new
   * @throws {NotMember}, {BadSignature}, {FromTheFuture}
   */
  async acceptStatus(status: Signed<'status'>): Promise<boolean> {
    verifyStatus(status, this.charter)
    assertIssued(status, this.#now())
    if (this.#lists.judge(status) === 'known') return false
    await this.#store.save('status', status.id, encodeSigned(status))
    const before = this.status
    const taken = this.#lists.take(status)
    if (taken === 'known') return false
    const isProof = this.statusConflicts.some(({ lists }) => lists.includes(before.id))
    if (taken === 'newer' && !isProof) await this.#store.remove('status', before.id)
    this.#aged = this.statusTooOld()
    this.emit('status', { number: status.payload.number })
    this.emit('change', { kind: 'status', number: status.payload.number })
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
        const checked = verifyMember(member.document, this.#trust, this.#now())
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
    for (const [code, peers] of dropped) this.#drop(peers, code)
    if (this.#aged || !this.statusTooOld()) return
    this.#aged = true
    this.emit('change', { kind: 'status-aged', number: this.statusNumber })
  }

  /** When to {@link recheck}: the next membership ends, or the status list becomes too old. Milliseconds since 1970. */
  nextExpiry(): number | undefined {
    const ends = [...this.#byOrganisation.values()].map((member) => member.expires)
    if (!this.#aged) ends.push(this.statusHoldsUntil + 1)
    return ends.length === 0 ? undefined : Math.min(...ends)
  }

  get #trust(): Trust {
    return { charter: this.charter, expelled: this.#lists.expelled }
  }

  #drop(peers: readonly string[], code: string): void {
    if (peers.length === 0) return
    for (const peer of peers) this.#gone.set(peer, code)
    this.emit('dropped', { peers, code })
    this.emit('change', { kind: 'dropped', peers, code })
  }

  /** @returns agents of an earlier membership that this one no longer lists */
  #keep(member: Member): string[] {
    const before = this.#byOrganisation.get(member.organisation)
    this.#byOrganisation.set(member.organisation, member)
    this.#sawIssued(member.document)
    const removed = before?.agents.filter((agent) => !member.agents.includes(agent)) ?? []
    for (const agent of removed) this.#byAgent.delete(agent)
    for (const agent of member.agents) {
      this.#byAgent.set(agent, member.organisation)
      this.#gone.delete(agent)
    }
    if (member.agents.includes(this.self)) this.#own = member.document
    return removed
  }

  #forget(organisation: string): void {
    for (const agent of this.#byOrganisation.get(organisation)?.agents ?? []) this.#byAgent.delete(agent)
    this.#byOrganisation.delete(organisation)
  }

  #sawIssued({ payload }: Signed<'membership'>): void {
    const known = this.#issued.get(payload.organisation) ?? 0
    this.#issued.set(payload.organisation, Math.max(known, payload.issuedAt))
  }

  /** What the store holds is checked like anything from outside; what no longer holds is left out. */
  async #restore(): Promise<void> {
    const lists: Signed<'status'>[] = [this.status]
    for (const bytes of await this.#store.load('status'))
      await unlessRefused(async () => {
        lists.push(verifyStatus(await decodeSigned('status', bytes), this.charter))
      })
    this.#lists.restore(lists)
    const memberships: Signed<'membership'>[] = []
    for (const bytes of await this.#store.load('membership'))
      await unlessRefused(async () => {
        const document = await decodeSigned('membership', bytes)
        assertByAuthorities(document, this.charter.payload)
        this.#sawIssued(document)
        memberships.push(document)
      })
    memberships.sort((one, other) => one.payload.issuedAt - other.payload.issuedAt)
    for (const [index, document] of memberships.entries()) {
      const { organisation } = document.payload
      const before = memberships
        .slice(0, index)
        .findLast(({ payload }) => payload.organisation === organisation)
      if (before !== undefined) this.#stewards.replaced(before, document)
      await unlessRefused(async () => void this.#keep(this.verifyMembership(document)))
    }
  }
}

/** @throws {FromTheFuture}: what is dated ahead could never be replaced, and would never age */
function assertIssued({ type, payload }: Signed<'membership'> | Signed<'status'>, now: number): void {
  if (payload.issuedAt > now + MAX_CLOCK_SKEW_MS) throw new FromTheFuture(type, payload.issuedAt, now)
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
