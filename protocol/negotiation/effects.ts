import type { Refusal } from '../documents/index.ts'
import type { Message } from './messages.ts'
import type { EndCode, OutcomeView } from './views.ts'

/**
 * What is to be done, in this order, after the new state is on disk. All are safe to repeat: after a restart the machine
 * orders again what may have been lost.
 *
 * - signing is by key: one acceptance per (request, epoch), one decline per contract, one receipt per contract and step, one
 *   outcome per request; a repeated order gives the document there is;
 * - `reserve` and `release` are by contract, except for quota and budget, which count a request once;
 * - `run-share` inserts (contract, step, round) into a unique table in the transaction that starts the job; when the row is
 *   there already, the order is dropped.
 */
export type Effect =
  /** The driver attaches the signed document that the message stands for. `to` may be this agent itself. */
  | { readonly do: 'send'; readonly to: string; readonly message: Message }
  /** `offer` is answered by `offer-made` or `offer-waits`, the others by `verdict`. */
  | {
      readonly do: 'ask-policy'
      readonly question: 'offer' | 'accept' | 'start'
      readonly contract: string | null
      readonly epoch: number
    }
  /** Slot, quota and budget; answered by `reserved`. */
  | { readonly do: 'reserve'; readonly contract: string }
  /** The slot is free; quota and budget are given back unless they were `spent`, or another contract of the request holds them. */
  | { readonly do: 'release'; readonly contract: string; readonly spent: boolean }
  | { readonly do: 'run-share'; readonly contract: string }
  /** `code`: why, for whoever is in the middle of it. */
  | { readonly do: 'stop-share'; readonly contract: string; readonly code?: EndCode }
  /** `startBy`: milliseconds from the signature. */
  | {
      readonly do: 'sign-acceptance'
      readonly contract: string
      readonly epoch: number
      readonly startBy: number
    }
  | {
      readonly do: 'sign-decline'
      readonly contract: string
      readonly epoch: number
      readonly refusal: Refusal
    }
  | { readonly do: 'sign-receipt'; readonly contract: string }
  | { readonly do: 'sign-outcome'; readonly outcome: OutcomeView }
  /** Nobody need approve the request any more: it is over. */
  | { readonly do: 'withdraw-approval' }
  /** Choose the best row that does without `without` and sign its contract for `epoch`; answered by `planned` or `unplannable`. */
  | {
      readonly do: 'compose'
      readonly epoch: number
      /** By hop, the offers that permit something. */
      readonly offers: readonly { readonly hop: string; readonly offer: string }[]
      /** Hops that gave no answer in time. */
      readonly silent: readonly string[]
      /** Hops that declined, failed or were lost in an earlier epoch. */
      readonly without: readonly { readonly hop: string; readonly code: EndCode }[]
      /** Once an epoch has started the recipient stays. */
      readonly recipient: string | null
      /** It waited for somebody's approval, perhaps for days and over restarts. */
      readonly waited: boolean
    }

/** A new state and what it orders. */
export interface Advance<State> {
  readonly exchange: State
  readonly effects: readonly Effect[]
}

/** A step that changes nothing. */
export function stay<State>(exchange: State, ...effects: Effect[]): Advance<State> {
  return { exchange, effects }
}

/** Does one thing after another. */
export function then<State>(
  first: Advance<State>,
  next: (exchange: State) => Advance<State>
): Advance<State> {
  const second = next(first.exchange)
  return { exchange: second.exchange, effects: [...first.effects, ...second.effects] }
}

export function send(to: string, message: Message): Effect {
  return { do: 'send', to, message }
}
