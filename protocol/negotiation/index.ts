/**
 * Negotiation as a pure state machine, used by both sides of a request. It does no I/O, reads no clock, decides no policy and
 * checks no signature: time, verdicts and verified documents arrive in events, and what is to be done leaves as effects.
 *
 * An agent keeps at most two machines per request: a `coordinator` when its own user asked, and a `hop` when it is to do
 * something (data provider, compute provider, recipient). Both talk through messages, also within one agent.
 *
 * A hop:
 *
 * ```
 *           ask            offer-made            accept, reserved            complete start, permitted
 *   idle ─────────▶ idle ─────────────▶ offered ────────────────▶ accepted ───────────────────────▶ started
 *    ▲                                     ▲  abort                  │   ▲ epoch n+1 replaces n         │
 *    │                                     └─────────────────────────┤   └──────────────────────────────┤
 *    │ start refused by policy                                       │                                  │
 *    └───────────────────────────────────────────────────────────────┤ startBy passed                   │ share done (recipient),
 *                                                                    ▼                                  ▼ outcome heard, deadline
 *                                                                  ended ◀──────────────────────────────┘
 * ```
 *
 * The coordinator:
 *
 * ```
 *   collecting ──all offers or time──▶ composing ──planned──▶ proposing ──all acceptances──▶ running ──recipient's outcome──▶ ended
 *       ▲                                  ▲                      │                             │                               ▲
 *       │                                  └──decline, silence────┘ (next epoch)                │                               │
 *       └───────────────────────────────party failed or lost (next epoch)───────────────────────┤                               │
 *                                                                                               └─cancel, no epoch left─▶ closing
 * ```
 *
 * Why no two outcomes contradict. Until a start may have left, only the coordinator signs (`failed`, `cancelled`), and then
 * nothing ever starts, because nobody else holds all acceptances. From then on `completed`, `failed` and `cancelled` are
 * signed by the recipient alone, who signs once; its receipt is the commit point, and later epochs keep the recipient. All
 * others adopt its outcome or end as `expired`, by their own deadline or because their own policy took back what it had
 * permitted; that contradicts nothing. A party that hears why another one ended stops what it does with that one's share.
 *
 * What is used up. A contract holds slot, quota and budget from its acceptance on. `output-leaves` comes before the first byte
 * leaves an agent, and whoever is told to stop before it sends nothing: up to then quota and budget are given back, from then
 * on never. After a crash in between they are spent.
 *
 * Why an offer is used once. It is used by the acceptance that rests on it. When that is given back before its start, so is
 * the offer, and the next epoch's contract may rest on it; once started it is used up, and hops are asked anew (`ask` with
 * the next epoch).
 *
 * How to drive it: parse the stored state with `parseExchange`; `advance`; in one transaction store the new state and what
 * signing orders produced; then carry out the effects in order; arm one timer for `wakeAt` and send `tick`. After a restart
 * send `restarted` first, before anything else.
 */
import { z } from 'zod'
import { parsePlain } from '../documents/index.ts'
import { advanceCoordinator } from './coordinator.ts'
import { type Coordinator, coordinator, coordinatorWakeAt } from './coordinator-state.ts'
import type { Advance } from './effects.ts'
import type { CoordinatorEvent, HopEvent } from './events.ts'
import { advanceHop } from './hop.ts'
import { type Hop, hop, hopWakeAt } from './hop-state.ts'

export { createCoordinator, PlanInvalid } from './coordinator-plan.ts'
export type { Coordinator, CoordinatorLimits, CoordinatorStage } from './coordinator-state.ts'
export type { Advance, Effect } from './effects.ts'
export type {
  ApprovalDecided,
  Cancel,
  CoordinatorEvent,
  HopEvent,
  Lost,
  OfferMade,
  OfferWaits,
  Planned,
  Received,
  Reserved,
  Restarted,
  ShareDone,
  ShareFailed,
  Tick,
  Unplannable,
  Verdict
} from './events.ts'
export { isComplete } from './hop-share.ts'
export { createHop, flowRefusal, type Hop, type HopLimits, type HopStage } from './hop-state.ts'
export { addressees, type Message, message } from './messages.ts'
export {
  type AcceptanceView,
  type ContractView,
  type EndCode,
  endCode,
  type OutcomeView,
  type PartyView,
  recipientOf,
  viewAcceptance,
  viewContract,
  viewOutcome
} from './views.ts'

const exchange = z.discriminatedUnion('machine', [hop, coordinator])
/** One request at one agent, as plain data. */
export type Exchange = Hop | Coordinator

/** A stored state. @throws {MalformedDocument} */
export function parseExchange(stored: unknown): Exchange {
  return parsePlain(stored, exchange)
}

/** Answers an event: the next state, and what to do once it is stored. */
export function advance(exchange: Hop, event: HopEvent): Advance<Hop>
export function advance(exchange: Coordinator, event: CoordinatorEvent): Advance<Coordinator>
export function advance(exchange: Exchange, event: HopEvent | CoordinatorEvent): Advance<Exchange> {
  if (exchange.machine === 'hop')
    return isHopEvent(event) ? advanceHop(exchange, event) : { exchange, effects: [] }
  return isCoordinatorEvent(event) ? advanceCoordinator(exchange, event) : { exchange, effects: [] }
}

function isCoordinatorEvent(event: HopEvent | CoordinatorEvent): event is CoordinatorEvent {
  switch (event.type) {
    case 'received':
    case 'tick':
    case 'restarted':
    case 'planned':
    case 'unplannable':
    case 'lost':
    case 'cancel':
      return true
    default:
      return false
  }
}

function isHopEvent(event: HopEvent | CoordinatorEvent): event is HopEvent {
  switch (event.type) {
    case 'planned':
    case 'unplannable':
    case 'lost':
    case 'cancel':
      return false
    default:
      return true
  }
}

/** When the next deadline passes, in the agent's own clock; null when nothing is waited for. */
export function wakeAt(exchange: Exchange): number | null {
  return exchange.machine === 'hop' ? hopWakeAt(exchange) : coordinatorWakeAt(exchange)
}
