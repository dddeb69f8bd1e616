import type {
  Advance,
  ContractView,
  Coordinator,
  CoordinatorEvent,
  Effect,
  Hop,
  HopEvent,
  Message,
  OutcomeView
} from '../../protocol/negotiation/index.ts'

/** The requester's agent: coordinator, and recipient of the result. */
export const ASKER = 'asker'
export const DATA_1 = 'data-1'
export const DATA_2 = 'data-2'
export const COMPUTE = 'compute'
/** Carries the status list. */
export const AUTHORITY = 'authority'
export const PEERS: readonly string[] = [ASKER, DATA_1, DATA_2, COMPUTE]

/**
 * Time is only "passed" or "to come": now is always zero and every deadline this far away, until it is fired. So each armed
 * timer may go off at any moment, alone, whatever the others: more than real clocks allow, never less.
 */
export const TO_COME = 1_000_000_000

/** What travels: a message, the news that a contract did not arrive or was not taken, or that somebody is no member any more. */
export type Word = Message | { kind: 'unreachable' } | { kind: 'struck'; peer: string }

export interface Envelope {
  from: string
  to: string
  word: Word
}

export type Question = Extract<Effect, { do: 'ask-policy' | 'reserve' | 'compose' }>

export interface Machines {
  hop: Hop | null
  coordinator: Coordinator | null
}

/** Everything of one agent. */
export interface Local extends Machines {
  self: string
  /** Gone for ever: it neither hears nor speaks. */
  gone: boolean
  disk: Machines
  /** In memory: questions under way, words from one machine to the other, the share that runs. */
  asked: readonly Question[]
  queue: readonly { machine: 'hop' | 'coordinator'; message: Message }[]
  running: string | null
  /** Signed and stored. */
  acceptances: readonly { contract: string; epoch: number }[]
  outcome: OutcomeView | null
  /** The unique table of (contract, step). */
  begun: readonly string[]
  /** Contracts under which this agent has done its share: its data, or what was made of it, is out. */
  produced: readonly string[]
  /** Every offer that was ever made here. */
  offers: readonly { id: string; permits: boolean }[]
  /** From now on policy here permits nothing. */
  revoked: boolean
  isMember: boolean
  /** Who is no member any more, as far as this agent knows. */
  struck: string | null
  /** The next reservation is refused. */
  full: boolean
  /** For which contract there is room, until that is accepted. */
  room: string | null
  /** Whether people here have to approve the request, and whether they have. */
  people: 'trust' | 'ask' | 'asked'
}

/** The transition functions and the driver's two promises, as they are or with a fault put in by a test. */
export interface Rules {
  readonly hop: (hop: Hop, event: HopEvent) => Advance<Hop>
  readonly coordinator: (coordinator: Coordinator, event: CoordinatorEvent) => Advance<Coordinator>
  /** Whether a step is on disk before its effects are carried out. */
  readonly stores: (before: Machines, after: Machines, effects: readonly Effect[]) => boolean
  /** Whether the table of shares drops a second beginning. */
  readonly runsOnce: boolean
}

export interface Surroundings {
  readonly rules: Rules
  /** Questions of an agent to itself are answered before anything else happens there. */
  readonly eager: boolean
  /** The requester's agent makes two contracts out of each set of offers, and proposes both. */
  readonly twoContracts: boolean
  readonly contracts: Map<string, ContractView>
}
