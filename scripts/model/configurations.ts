import type { Bounds } from './beginning.ts'

/** Bounds that are gone through to the end, or up to a number of states. */
export interface Configuration {
  name: string
  bounds: Bounds
  maxStates: number
  /** Whether, from each state, all come to an end in a kind world. */
  liveness?: boolean
}

const TWO = { eager: true, begin: 'proposed', dataProviders: 2, epochs: 2 } as const
const ONE = { ...TWO, dataProviders: 1 } as const
const ROOM = 2_000_000
const DEEP_ROOM = 20_000_000

/** What every change is checked with. */
export const CONFIGURATIONS: readonly Configuration[] = [
  {
    name: 'any order, from the request on, questions to itself in between',
    bounds: { ...TWO, eager: false, begin: 'asked', budgets: {} },
    maxStates: ROOM
  },
  {
    name: 'two losses that are noticed and a duplicate',
    bounds: { ...TWO, budgets: { losses: 2, duplicates: 1 } },
    maxStates: ROOM
  },
  { name: 'a crash', bounds: { ...TWO, budgets: { crashes: 1 } }, maxStates: ROOM },
  { name: 'a revocation', bounds: { ...TWO, budgets: { revocations: 1 } }, maxStates: ROOM },
  {
    name: 'a share that fails, and another epoch',
    bounds: { ...TWO, budgets: { failures: 1 } },
    maxStates: ROOM
  },
  { name: 'any one timer', bounds: { ...TWO, budgets: { timers: 1 } }, maxStates: ROOM },
  {
    name: 'a loss, a duplicate, a crash and a revocation, one data provider',
    bounds: { ...ONE, budgets: { losses: 1, duplicates: 1, crashes: 1, revocations: 1 } },
    maxStates: ROOM
  },
  {
    name: 'a requester who makes two contracts out of one set of offers, a duplicate and a crash',
    bounds: { ...ONE, twoContracts: true, budgets: { duplicates: 1, crashes: 1 } },
    maxStates: ROOM
  },
  {
    name: 'all end: two losses, a crash, and one who leaves for ever, from the request on',
    bounds: { ...ONE, begin: 'asked', budgets: { losses: 2, crashes: 1, leaves: 1 } },
    maxStates: ROOM,
    liveness: true
  },
  {
    name: 'all end: a loss, and one who leaves for ever, two data providers',
    bounds: { ...TWO, budgets: { losses: 1, leaves: 1 } },
    maxStates: ROOM,
    liveness: true
  },
  {
    name: 'all end: a revocation, a failure and any one timer, one data provider',
    bounds: { ...ONE, budgets: { revocations: 1, failures: 1, timers: 1 } },
    maxStates: ROOM,
    liveness: true
  }
]

/** For a machine with time and 4 GB to spare; those that are too large say so. */
export const DEEP: readonly Configuration[] = [
  {
    name: 'deep: a failed share, another epoch and a duplicate',
    bounds: { ...TWO, budgets: { failures: 1, duplicates: 1 } },
    maxStates: DEEP_ROOM
  },
  {
    name: 'deep: a failed share, another epoch and a crash',
    bounds: { ...TWO, budgets: { failures: 1, crashes: 1 } },
    maxStates: DEEP_ROOM
  },
  {
    name: 'deep: two losses, a duplicate and a crash',
    bounds: { ...TWO, budgets: { losses: 2, duplicates: 1, crashes: 1 } },
    maxStates: DEEP_ROOM
  },
  {
    name: 'deep: everything, one data provider',
    bounds: {
      ...ONE,
      budgets: { losses: 2, duplicates: 1, crashes: 1, revocations: 1, failures: 1, cancels: 1, timers: 1 }
    },
    maxStates: DEEP_ROOM
  },
  {
    name: 'deep: a requester who makes two contracts out of one set of offers',
    bounds: { ...TWO, twoContracts: true, budgets: {} },
    maxStates: DEEP_ROOM
  }
]
