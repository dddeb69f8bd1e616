/** The columns of a query that an aggregate works on: those that tell groups apart, and those it adds up. */
export interface AggregateRoles {
  keys: readonly string[]
  values: readonly string[]
}

type Parameters = Readonly<Record<string, unknown>>

const names = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter((one): one is string => typeof one === 'string')

/** What may leave where single people are protected: counts, sums, means, variances and sums of products, nothing else. */
const ROLES: Readonly<Record<string, (parameters: Parameters) => AggregateRoles>> = {
  average: ({ value, by }) => ({ keys: names(by), values: names(value) }),
  correlation: ({ columns }) => ({ keys: [], values: names(columns) }),
  crosstab: ({ rows, columns }) => ({ keys: [...names(rows), ...names(columns)], values: [] }),
  histogram: ({ value, by }) => ({ keys: [...names(by), ...names(value)], values: [] }),
  regression: ({ outcome, predictors }) => ({ keys: [], values: [...names(outcome), ...names(predictors)] })
}

/** Algorithms whose results are aggregates alone. */
export const AGGREGATES: readonly string[] = Object.keys(ROLES)

/** @returns undefined for an algorithm that may give single values away */
export function aggregateRoles(algorithm: string, parameters: Parameters): AggregateRoles | undefined {
  return Object.hasOwn(ROLES, algorithm) ? ROLES[algorithm]?.(parameters) : undefined
}
