import { answersFor } from './answers.ts'
import { evaluateRow } from './evaluate.ts'
import { type Composition, type CompositionInput, organisationOf, type Plan } from './plan.ts'
import { ownRefusals, permitsSomething, refusalsOf } from './refusals.ts'
import { scoreCandidates } from './score.ts'

/**
 * Chooses how a request is carried out: of the candidate rows those that every needed hop permits and for which a valid
 * chain exists, scored by the asker's weights over what the hops estimated. Most data providers first, then the lowest
 * total. Pure: the same answers give the same plan, so that it can be explained.
 */
export function compose(input: CompositionInput): Composition {
  const evaluated = input.request.rows.map((row, index) => ({ row, index, found: evaluateRow(input, index) }))
  const feasible = evaluated.flatMap(({ index, found }) => ('plan' in found ? [{ index, ...found }] : []))
  const scored = scoreCandidates(
    feasible.map((one) => one.measures),
    input.preferences.optimise
  )
  const ranked = feasible
    .map((one, position) => ({ ...one, ...(scored[position] ?? { scores: one.measures, total: 0 }) }))
    .sort((a, b) => b.plan.data.length - a.plan.data.length || a.total - b.total || a.index - b.index)
  const best = ranked[0]
  const hops = refusalsOf(input, best?.index ?? null)
  const own =
    best === undefined
      ? ownRefusals(
          input,
          evaluated.map((one) => one.found),
          hops.length === 0
        )
      : []
  // What stands in every row's way comes first: that a hop dislikes one compute provider is seldom the reason.
  const decisive = hops.filter((one) => !permitsSomething(input, one.hop))
  const refusals = [...decisive, ...own, ...hops.filter((one) => !decisive.includes(one))]
  const included = new Set(best?.plan.data.map((answer) => answer.peer))
  const missing = input.request.providers
    .filter((peer) => !included.has(peer))
    .map((peer) => organisationOf(input, peer))
  return {
    plan: best?.plan ?? null,
    candidates: evaluated.map(({ row, index, found }) => {
      const rank = ranked.find((one) => one.index === index)
      const why =
        'plan' in found
          ? index === best?.index
            ? reasonForBest(ranked.length, found.plan, input)
            : `total ${(rank?.total ?? 0).toFixed(3)} with ${found.plan.data.length} provider(s)`
          : found.why
      return {
        row: index,
        archetype: row.archetype,
        infrastructure: row.infrastructure,
        scores: rank?.scores ?? null,
        total: rank?.total ?? null,
        chosen: index === best?.index,
        why,
        answers: answersFor(input, index)
      }
    }),
    refusals,
    missing: best === undefined ? [] : missing,
    notes: best === undefined ? [] : notesOf(best.plan),
    expected: best === undefined ? null : best.measures.time
  }
}

function notesOf(plan: Plan): string[] {
  const notes = new Set(plan.data.flatMap((answer) => answer.details?.notes ?? []))
  return [...notes]
}

function reasonForBest(count: number, plan: Plan, input: CompositionInput): string {
  if (count === 1) return 'the only candidate that every hop permits'
  const weights = Object.entries(input.preferences.optimise)
    .filter(([, weight]) => weight > 0)
    .map(([objective, weight]) => `${objective}×${weight}`)
  return `lowest total of ${count} permitted candidates (${weights.join(', ') || 'no weights'}), ${plan.data.length} provider(s)`
}
