import type { Refusal } from '../documents/index.ts'
import type { Message } from './messages.ts'
import type { ContractView, EndCode } from './views.ts'

/** Every event says when it happens, in milliseconds of the agent's own clock; deadlines that passed are seen to first. */
interface At {
  readonly now: number
}

/** A message of an authenticated peer; documents in it are verified and `from` is who sent it. */
export interface Received extends At {
  readonly type: 'received'
  readonly from: string
  readonly message: Message
}

/** Nothing but time. */
export interface Tick extends At {
  readonly type: 'tick'
}

/**
 * The agent came up again; effects that were ordered may not have been carried out. `begun`: the contracts whose share had
 * begun here, from the unique table of (contract, step, round).
 */
export interface Restarted extends At {
  readonly type: 'restarted'
  readonly begun: readonly string[]
}

/** The hop's offer was made, signed and stored; valid until `until`. */
export interface OfferMade extends At {
  readonly type: 'offer-made'
  readonly epoch: number
  readonly offer: string
  readonly permits: boolean
  readonly until: number
}

/** Somebody here has to approve the request before an offer can be made: the other answer to `ask-policy` about an offer. */
export interface OfferWaits extends At {
  readonly type: 'offer-waits'
  readonly epoch: number
  /** When it is refused by itself. */
  readonly until: number
  readonly by: readonly string[]
}

/** It was approved or refused here: what an offer waits for. */
export interface ApprovalDecided extends At {
  readonly type: 'approval-decided'
}

/** The answer to `ask-policy`; `continue` comes unasked, when an input of the decision changed. */
export interface Verdict extends At {
  readonly type: 'verdict'
  readonly question: 'accept' | 'start' | 'continue'
  readonly contract: string
  /** Null: permitted. */
  readonly refusal: Refusal | null
  /** The party whose standing it is about; left out: this agent itself. */
  readonly hop?: string
}

/** The answer to `reserve`. */
export interface Reserved extends At {
  readonly type: 'reserved'
  readonly contract: string
  /** Null: slot, quota and budget are held. */
  readonly refusal: Refusal | null
}

/** What was made under the contract is about to leave this agent: from now on it is used. */
export interface OutputLeaves extends At {
  readonly type: 'output-leaves'
  readonly contract: string
}

/** All that this party has to do under the contract is done; at the recipient: the result is stored. */
export interface ShareDone extends At {
  readonly type: 'share-done'
  readonly contract: string
}

export interface ShareFailed extends At {
  readonly type: 'share-failed'
  readonly contract: string
  /** Who is to blame: this agent, or the party whose flow did not come. */
  readonly hop: string
  readonly code: EndCode
  readonly step: string | null
  readonly position: number | null
}

export type HopEvent =
  | Received
  | Tick
  | Restarted
  | OfferMade
  | OfferWaits
  | ApprovalDecided
  | Verdict
  | Reserved
  | OutputLeaves
  | ShareDone
  | ShareFailed

/** The answer to `compose`: a signed contract. */
export interface Planned extends At {
  readonly type: 'planned'
  readonly contract: ContractView
}

/** The other answer to `compose`. */
export interface Unplannable extends At {
  readonly type: 'unplannable'
  readonly epoch: number
  readonly code: EndCode
  readonly hop: string | null
}

/** A party cannot be reached any more. */
export interface Lost extends At {
  readonly type: 'lost'
  readonly peer: string
  /** Why, where more is known than that. */
  readonly code?: EndCode
}

/** The user takes the request back. */
export interface Cancel extends At {
  readonly type: 'cancel'
}

export type CoordinatorEvent = Received | Tick | Restarted | Planned | Unplannable | Lost | Cancel
