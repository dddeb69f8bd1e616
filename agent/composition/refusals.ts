import type { Refusal } from '../../protocol/documents/index.ts'
import { questionOf } from './answers.ts'
import type { CompositionInput, Feasible, HopRefusal, Infeasible } from './plan.ts'

/**
 * The refusals worth showing: of each hop that is not in the chosen chain, one per code and clause. A hop that permits one
 * row and refuses another says so in the candidates.
 */
export function refusalsOf(input: CompositionInput, chosen: number | null): HopRefusal[] {
  const found: HopRefusal[] = input.silent.map(({ organisation, refusal }) => ({
    hop: organisation,
    question: 'discover',
    refusal
  }))
  for (const answer of input.answers) {
    const rows = answer.offer.payload.rows
    if (chosen !== null && rows.some((one) => one.row === chosen && one.verdict === 'permit')) continue
    if (chosen !== null && !input.request.providers.includes(answer.peer)) continue
    const seen = new Set<string>()
    for (const row of rows) {
      if (row.verdict === 'permit') continue
      const key = `${row.refusal.code}|${row.refusal.clause}`
      if (seen.has(key)) continue
      seen.add(key)
      found.push({
        hop: answer.organisation,
        question: questionOf(input.request, answer, row),
        refusal: row.refusal
      })
    }
  }
  return found
}

/** Whether a hop would take part in some row. */
export function permitsSomething({ answers }: CompositionInput, organisation: string): boolean {
  return answers.some(
    (answer) =>
      answer.organisation === organisation &&
      answer.offer.payload.rows.some((row) => row.verdict === 'permit')
  )
}

/** What the asker's own agent found against every row: said as a refusal too, so that no request ends without a reason. */
export function ownRefusals(
  input: CompositionInput,
  found: readonly (Feasible | Infeasible)[],
  alone: boolean
): HopRefusal[] {
  const own = new Map<string, HopRefusal>()
  for (const one of found) {
    if ('plan' in one || (one.code === undefined && !alone)) continue
    const code = one.code ?? 'no-candidate'
    const refusal: Refusal = { code, clause: null, reason: one.why, acceptable: null, position: null }
    own.set(`${code}|${one.why}`, { hop: one.hop ?? input.request.organisation, question: 'offer', refusal })
  }
  return [...own.values()]
}
