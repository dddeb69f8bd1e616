export const COSTS = [
  'losses',
  'duplicates',
  'crashes',
  'revocations',
  'failures',
  'cancels',
  'leaves',
  'timers',
  /** Of memberships. */
  'strikes',
  /** Of reservations. */
  'refusals',
  /** By people. */
  'approvals'
] as const
/** What may happen only so often. */
export type Cost = (typeof COSTS)[number]

/** How many bits of a number each budget takes; all together fit into one. */
const BITS: Readonly<Record<Cost, number>> = {
  losses: 3,
  duplicates: 3,
  crashes: 3,
  revocations: 2,
  failures: 3,
  cancels: 1,
  leaves: 1,
  timers: 3,
  strikes: 2,
  refusals: 2,
  approvals: 2
}
const PLACES = places()

function places(): ReadonlyMap<Cost, number> {
  const found = new Map<Cost, number>()
  let at = 0
  for (const cost of COSTS) {
    found.set(cost, at)
    at += BITS[cost]
  }
  return found
}

export function budgetOf(budgets: Partial<Record<Cost, number>>): number {
  let budget = 0
  for (const cost of COSTS) budget |= (budgets[cost] ?? 0) << (PLACES.get(cost) ?? 0)
  return budget
}

/** What is left of a budget. */
export function left(budget: number, cost: Cost): number {
  return (budget >>> (PLACES.get(cost) ?? 0)) & ((1 << BITS[cost]) - 1)
}

export function spend(budget: number, cost: Cost): number {
  return budget - (1 << (PLACES.get(cost) ?? 0))
}

/** Whether at least as much is left of each. */
export function isAtLeast(large: number, small: number): boolean {
  return large === small || COSTS.every((cost) => left(large, cost) >= left(small, cost))
}
