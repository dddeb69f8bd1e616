import type { Bounds } from './beginning.ts'

/** Bounds that are gone through to the end, or up to a number of states. */
export interface Configuration {
  name: string
  bounds: Bounds
  maxStates: number
  /** Whether, from each state, all come to an end in a kind world. */
  liveness?: boolean
}

const TWO = { eager: true, begin: 'proposed', dataProviders: 2, epochs: 2, anyRepeats: true } as const
const ONE = { ...TWO, dataProviders: 1 } as const
/** Here a word that was heard is gone, unless a duplicate is paid for. */
const TWO_ONCE = { ...TWO, anyRepeats: false } as const
const ONE_ONCE = { ...ONE, anyRepeats: false } as const
const ROOM = 2_000_000
const DEEP_ROOM = 20_000_000

/** What every change is checked with. */
export const CONFIGURATIONS: readonly Configuration[] = [
  {
    name: 'all together: two losses that are noticed, a crash, a revocation, another epoch',
    bounds: { ...TWO, budgets: { losses: 2, crashes: 1, revocations: 1 } },
    maxStates: ROOM
  },
  {
    name: 'any order, from the request on, questions to itself in between',
    bounds: { ...TWO, eager: false, begin: 'asked', budgets: {} },
    maxStates: ROOM
  },
  {
    name: 'a share that fails, a loss, another epoch',
    bounds: { ...TWO, budgets: { failures: 1, losses: 1 } },
    maxStates: ROOM
  },
  {
    name: 'a share that fails, a crash, another epoch',
    bounds: { ...TWO, budgets: { failures: 1, crashes: 1 } },
    maxStates: ROOM
  },
  {
    name: 'any one timer and a crash',
    bounds: { ...TWO, budgets: { timers: 1, crashes: 1 } },
    maxStates: ROOM
  },
  {
    name: 'any one timer and a revocation',
    bounds: { ...TWO, budgets: { timers: 1, revocations: 1 } },
    maxStates: ROOM
  },
  { name: 'a membership that ends', bounds: { ...TWO, budgets: { strikes: 1 } }, maxStates: ROOM },
  {
    name: 'a reservation that is refused, and a crash',
    bounds: { ...TWO, budgets: { refusals: 1, crashes: 1 } },
    maxStates: ROOM
  },
  {
    name: 'people who have to approve, and a crash, from the request on',
    bounds: { ...TWO, begin: 'asked', budgets: { approvals: 1, crashes: 1 } },
    maxStates: ROOM
  },
  {
    name: 'a requester who makes two contracts out of one set of offers, and a crash',
    bounds: { ...TWO, twoContracts: true, budgets: { crashes: 1 } },
    maxStates: ROOM
  },
  {
    name: 'words that are used up: two losses that are noticed and a duplicate',
    bounds: { ...TWO_ONCE, budgets: { losses: 2, duplicates: 1 } },
    maxStates: ROOM
  },
  {
    name: 'words that are used up: a loss, a duplicate, a crash and a revocation, one data provider',
    bounds: { ...ONE_ONCE, budgets: { losses: 1, duplicates: 1, crashes: 1, revocations: 1 } },
    maxStates: ROOM
  },
  {
    name: 'all end: two losses, a crash, and one who leaves for ever, one data provider, from the request on',
    bounds: { ...ONE_ONCE, begin: 'asked', budgets: { losses: 2, crashes: 1, leaves: 1 } },
    maxStates: ROOM,
    liveness: true
  },
  {
    name: 'all end: a loss, and one who leaves for ever',
    bounds: { ...TWO_ONCE, budgets: { losses: 1, leaves: 1 } },
    maxStates: ROOM,
    liveness: true
  },
  {
    name: 'all end: a revocation, a failure and any one timer, one data provider',
    bounds: { ...ONE_ONCE, budgets: { revocations: 1, failures: 1, timers: 1 } },
    maxStates: ROOM,
    liveness: true
  },
  {
    name: 'all end: a membership that ends, and a loss, one data provider',
    bounds: { ...ONE_ONCE, budgets: { strikes: 1, losses: 1 } },
    maxStates: ROOM,
    liveness: true
  },
  {
    name: 'all end: people who have to approve, a refused reservation and a loss, one data provider, from the request on',
    bounds: { ...ONE_ONCE, begin: 'asked', budgets: { approvals: 1, refusals: 1, losses: 1 } },
    maxStates: ROOM,
    liveness: true
  }
]

/** For a machine with time and memory to spare; those that are too large say so. */
export const DEEP: readonly Configuration[] = [
  {
    name: 'deep: all together, from the request on',
    bounds: { ...TWO, begin: 'asked', budgets: { losses: 2, crashes: 1, revocations: 1 } },
    maxStates: DEEP_ROOM
  },
  {
    name: 'deep: a share that fails, two losses, another epoch',
    bounds: { ...TWO, budgets: { failures: 1, losses: 2 } },
    maxStates: DEEP_ROOM
  },
  {
    name: 'deep: a share that fails and a revocation, another epoch',
    bounds: { ...TWO, budgets: { failures: 1, revocations: 1 } },
    maxStates: DEEP_ROOM
  },
  {
    name: 'deep: a membership that ends, and a loss',
    bounds: { ...TWO, budgets: { strikes: 1, losses: 1 } },
    maxStates: DEEP_ROOM
  },
  {
    name: 'deep: any two timers',
    bounds: { ...TWO, budgets: { timers: 2 } },
    maxStates: DEEP_ROOM
  },
  {
    name: 'deep: a crash, a revocation and a refused reservation',
    bounds: { ...TWO, budgets: { crashes: 1, revocations: 1, refusals: 1 } },
    maxStates: DEEP_ROOM
  },
  {
    name: 'deep: everything but timers, one data provider',
    bounds: {
      ...ONE,
      budgets: { losses: 2, crashes: 1, revocations: 1, failures: 1, cancels: 1 }
    },
    maxStates: DEEP_ROOM
  }
]
