export const OBJECTIVES = ['energy', 'carbon', 'time', 'cost', 'load'] as const
export type Objective = (typeof OBJECTIVES)[number]
export type Scores = Record<Objective, number>

/**
 * Weighted sum over normalised objectives: each objective is divided by its largest value over the candidates, so that a
 * weight means the same for joules as for milliseconds. The lowest total wins; equal totals keep the order given.
 *
 * @param measures per candidate; same units over all candidates
 * @param weights not negative
 */
export function scoreCandidates(
  measures: readonly Scores[],
  weights: Readonly<Scores>
): { scores: Scores; total: number }[] {
  const largest = Object.fromEntries(
    OBJECTIVES.map((objective) => [objective, Math.max(0, ...measures.map((one) => one[objective]))])
  )
  return measures.map((one) => {
    const scores: Scores = { energy: 0, carbon: 0, time: 0, cost: 0, load: 0 }
    let total = 0
    for (const objective of OBJECTIVES) {
      const most = largest[objective] ?? 0
      scores[objective] = most === 0 ? 0 : one[objective] / most
      total += weights[objective] * scores[objective]
    }
    return { scores, total }
  })
}
