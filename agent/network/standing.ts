import { openDocument } from '../../protocol/documents/index.ts'
import { codeOf, DynamosError, instantText } from '../../protocol/errors/index.ts'
import {
  CHANGED_PROTOCOL,
  changed,
  MEMBERSHIP_PROTOCOL,
  nothing,
  STATUS_PROTOCOL,
  shownMembership,
  statusReply
} from '../../protocol/streams/index.ts'
import type { Members, MembershipChange } from '../membership/index.ts'
import type { Asking } from './asking.ts'
import type { Clock, Log } from './clock.ts'

/** Memberships change seldom, and each that is new is stored. */
const MEMBERSHIP_LIMITS = { maxBytes: 1 << 17, ratePerSecond: 1, burst: 10 }

interface StandingComponents {
  members: Members
  clock: Clock
  log: Log
  network: Asking
  cut: (peer: string, error: Error) => void
  /** A peer says that its capability changed. */
  capabilityOf: (peer: string, sequence: number) => void
}

/** Keeps members members: newer status lists are fetched and passed on, those who no longer belong are cut off. */
export class Standing {
  readonly #components: StandingComponents
  #capability = 0
  #cancelExpiry = (): void => {}

  constructor(components: StandingComponents) {
    this.#components = components
    const { network, members } = components
    network.handle(STATUS_PROTOCOL, nothing, async () => ({ status: members.status.bytes }))
    network.handle(CHANGED_PROTOCOL, changed, async ({ status, list, capability }, { peer }) => {
      this.heard(peer, status, list)
      components.capabilityOf(peer, capability)
      return {}
    })
    network.handle(
      MEMBERSHIP_PROTOCOL,
      shownMembership,
      async ({ membership }, { peer }) => {
        await members.learn(await openDocument('membership', membership), peer)
        return {}
      },
      MEMBERSHIP_LIMITS
    )
  }

  /** Sequence number of our own capability, as told to others. */
  get capability(): number {
    return this.#capability
  }

  set capability(sequence: number) {
    this.#capability = sequence
    this.#tell()
  }

  start(): void {
    const { members } = this.#components
    members.on('dropped', this.#onDropped)
    members.on('status', this.#tell)
    members.on('member', this.#armExpiry)
    members.on('change', this.#onChange)
    if (members.statusTooOld()) this.#warnOfAge()
    this.#armExpiry()
  }

  stop(): void {
    const { members } = this.#components
    members.off('dropped', this.#onDropped)
    members.off('status', this.#tell)
    members.off('member', this.#armExpiry)
    members.off('change', this.#onChange)
    this.#cancelExpiry()
  }

  /** A peer holds this status list; if it is newer than ours, or another of the same number, we want it. */
  heard(peer: string, number: number, list?: string): void {
    const { members, network, log } = this.#components
    if (peer === members.self || number < members.statusNumber) return
    if (number === members.statusNumber && (list === undefined || members.knowsStatus(list))) return
    const pull = async (): Promise<void> => {
      const { status } = await network.ask(peer, STATUS_PROTOCOL, {}, statusReply)
      const taken = await members.acceptStatus(await openDocument('status', status))
      if (taken) log.info({ peer, number: members.statusNumber }, 'newer status list taken')
    }
    pull().catch((thrown: unknown) => log.warn({ peer, code: codeOf(thrown) }, 'status list not taken'))
  }

  readonly #onDropped = ({ peers, code }: { peers: readonly string[]; code: string }): void => {
    for (const peer of peers) {
      this.#components.log.warn({ peer, code }, 'no longer a member')
      this.#components.cut(peer, new DynamosError(code, `${peer} is no longer a member`))
    }
  }

  readonly #onChange = (change: MembershipChange): void => {
    const { log, members } = this.#components
    if (change.kind === 'status') {
      this.#armExpiry()
      const conflict = members.statusConflicts.find(({ number }) => number === change.number)
      if (conflict !== undefined)
        log.error(conflict, 'the authorities signed several status lists under one number; all of them count')
    }
    if (change.kind === 'member') this.#showMembership(change.organisation)
    if (change.kind === 'status-aged') this.#warnOfAge()
  }

  #warnOfAge(): void {
    const { log, members } = this.#components
    const until = instantText(members.statusHoldsUntil)
    log.error(
      { number: members.statusNumber, code: 'status-list-too-old', until },
      'the status list is too old to act on'
    )
  }

  readonly #armExpiry = (): void => {
    const { members, clock } = this.#components
    this.#cancelExpiry()
    const next = members.nextExpiry()
    if (next === undefined) return
    this.#cancelExpiry = clock.after(next - clock.now(), () => {
      members.recheck()
      this.#armExpiry()
    })
  }

  /** A newer membership of our own: those who are connected need not wait for the next hello, or for the older one to end. */
  #showMembership(organisation: string): void {
    const { members, network, log } = this.#components
    const document = members.lastOwn
    if (document.payload.organisation !== organisation || members.whyNot(members.self) !== undefined) return
    for (const peer of network.readyPeers()) {
      network
        .ask(peer, MEMBERSHIP_PROTOCOL, { membership: document.bytes }, nothing)
        .catch((thrown: unknown) => log.debug({ peer, code: codeOf(thrown) }, 'membership not shown'))
    }
  }

  readonly #tell = (): void => {
    const { network, members, log } = this.#components
    const message = {
      status: members.statusNumber,
      list: members.status.id,
      capability: this.#capability
    }
    for (const peer of network.readyPeers()) {
      network.ask(peer, CHANGED_PROTOCOL, message, nothing).catch((thrown: unknown) => {
        log.debug({ peer, code: codeOf(thrown) }, 'change not told')
      })
    }
  }
}
