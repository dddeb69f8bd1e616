import type { AnswerView, RefusalView, RequestView } from '../../api/index.ts'
import { keyOf, renderCandidates } from './candidates.ts'
import { renderRefusal } from './refusal.ts'
import { renderScores } from './scores.ts'
import type { Style } from './style.ts'

/** So many refusals are told whole; a table of 64 candidates may have hundreds. */
const MOST_TOLD = 32

function refusalOf({
  hop,
  question,
  code = '',
  clause,
  reason = '',
  acceptable,
  position
}: AnswerView): RefusalView {
  return {
    hop,
    question,
    code,
    reason,
    clause: clause ?? null,
    acceptable: acceptable ?? null,
    ...(position === undefined ? {} : { position })
  }
}

/** Every refusal once: those that decided, in their order, then what else stands against a candidate. */
function refusalsOf(view: RequestView): Map<string, RefusalView> {
  const found = new Map<string, RefusalView>()
  const answers = view.candidates.flatMap((candidate) => candidate.answers ?? [])
  const denied = answers.filter(({ verdict }) => verdict !== 'permit').map(refusalOf)
  for (const refusal of [...(view.refusals ?? []), ...denied]) {
    const key = keyOf(refusal)
    if (!found.has(key)) found.set(key, refusal)
  }
  return found
}

/** Each candidate with what each hop said of it, the scores of those that are permitted, and each refusal in words. */
export function renderExplanation(
  view: RequestView,
  rendering: { style: Style; columns?: number; sql?: string }
): { candidates: string; scores: string; refusals: string[] } {
  const refusals = refusalsOf(view)
  const numbers = new Map([...refusals.keys()].map((key, index) => [key, index + 1]))
  const told = [...refusals.values()].slice(0, MOST_TOLD)
  const left = refusals.size - told.length
  return {
    candidates: renderCandidates(view.candidates, {
      ...rendering,
      numberOf: (answer) => numbers.get(keyOf(refusalOf(answer)))
    }),
    scores: renderScores(view.candidates, rendering),
    refusals: [
      ...told.map((refusal, index) => renderRefusal(refusal, { ...rendering, number: index + 1 })),
      ...(left === 0 ? [] : [`and ${left} more refusals: --json shows all`])
    ]
  }
}
