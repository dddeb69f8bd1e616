import type { Refusal, SaltedSection, Signed, Verification } from '../../protocol/documents/index.ts'
import type { WireMessage } from '../../protocol/messages/index.ts'
import type { Effect, EndCode, Exchange } from '../../protocol/negotiation/index.ts'
import type { Store } from '../store/index.ts'
import type { Dossier } from './dossier.ts'
import type { Body, Speaker } from './speaker.ts'

/** Milliseconds since 1970, and timers; a test brings its own. */
export interface Clock {
  now(): number
  /** @returns a function that cancels it */
  after(milliseconds: number, run: () => void): () => void
}

export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface MadeOffer {
  offer: Signed<'offer'>
  details: SaltedSection
  permits: boolean
}

/** An offer that waits for somebody here to approve the request; it is on disk that it does. */
export interface AwaitedOffer {
  /** When it is refused by itself. */
  until: number
  /** Who may approve it: told to the asker, who is a party to the agreement that says so. */
  by: readonly string[]
}

/** Why what was permitted may not begin, or not go on. */
export interface Objection {
  refusal: Refusal
  /** Whose standing it is about: this agent's own permission, or a party that may take part no longer. */
  hop: string
}

/** What a hop decides about requests and contracts of others. */
export interface HopDecisions {
  /** Answers every row of a request, once everybody has approved of it who must. Reserves nothing. */
  offer(dossier: Dossier, epoch: number): Promise<MadeOffer | AwaitedOffer>
  /** The request is over: nobody need approve it any more. */
  withdrawApproval(dossier: Dossier): Promise<void>
  /** Null when the contract is what was offered and policy permits it. */
  accept(dossier: Dossier, contract: string): Promise<Refusal | null>
  /** Asked again with the full set of acceptances at hand. */
  start(dossier: Dossier, contract: string): Promise<Objection | null>
  /** Asked from the start until the end: when something it rests on has changed, and before each part. */
  continue(dossier: Dossier, contract: string): Promise<Objection | null>
  /** Slot, quota and budget. Null: held. */
  reserve(dossier: Dossier, contract: string): Promise<Refusal | null>
  /** Holds again what was reserved before a restart and is not on disk: the slot. */
  hold(dossier: Dossier, contract: string): void
  release(dossier: Dossier, contract: string, spent: boolean): Promise<void>
  /** What this agent adds to its acceptance: terms of the result, shares of the pseudonym key. */
  acceptance(
    dossier: Dossier,
    contract: string
  ): Promise<Pick<Body<'acceptance'>, 'resultTerms' | 'shares' | 'statusNumber'>>
}

/** A share that could not be done; `hop` is whom this agent blames. */
export interface ShareFailure {
  hop: string
  code: EndCode
  step: string | null
  position: number | null
}

/** What a share asks while it runs. */
export interface ShareGate {
  /** Output is about to leave: from then on it is used. @throws {ShareFailed} when the share was stopped meanwhile */
  leaving(): Promise<void>
  /** Before each part. @throws {StoppedByPolicy} */
  mayContinue(): Promise<void>
}

/** Carries out this agent's share of a contract: jobs and flows. */
export interface ShareRunner {
  /** Resolves when all is done; at the recipient: when the result is stored. @throws {ShareFailed} */
  run(dossier: Dossier, contract: string, signal: AbortSignal, gate: ShareGate): Promise<void>
  /** What the steps of a finished share cost, for receipts. */
  receipts(contract: string): Omit<Body<'receipt'>, 'log' | 'decisions'>[]
  /** Digests of what two parties made of the same, where the share failed because they differ. */
  differing(contract: string): Verification | undefined
  /** Removes what an earlier run of this agent left of any contract; before anything runs. */
  clear(): Promise<void>
  /** Lets go of what is kept for a contract that has ended: outbox, parts, keys. */
  forget(contract: string): Promise<void>
}

export interface Composed {
  contract: Signed<'contract'>
  /** By party. */
  sections: ReadonlyMap<string, SaltedSection>
}

/** The asker's side: choosing and writing contracts, and telling its people. */
export interface Coordination {
  compose(
    dossier: Dossier,
    order: Extract<Effect, { do: 'compose' }>
  ): Promise<Composed | { code: EndCode; hop: string | null }>
  /** A stored request was taken up again after a restart. */
  reopened(dossier: Dossier): Promise<void>
  /** A hop could not be asked. */
  unanswered(request: string, peer: string, error: unknown): void
  /** After every change that is on disk. */
  changed(dossier: Dossier, exchange: Exchange): void
  received(dossier: Dossier, message: WireMessage, from: string): void
}

export interface ExchangePorts {
  self: string
  clock: Clock
  log: Logger
  store: Store
  speaker: Speaker
  decisions: HopDecisions
  shares: ShareRunner
  coordination: Coordination
  /** Sends one message and returns the answers that were ready at once. */
  post(to: string, message: WireMessage): Promise<WireMessage[]>
  organisationOf(peer: string): string | undefined
  /** The code of why an agent is trusted no longer; undefined for one that is. */
  whyNot(peer: string): string | undefined
  /** An answer of a peer was not taken: nobody throws it back, so it is noted here. */
  notTaken?(peer: string, kind: WireMessage['kind'], code: string): void
}
