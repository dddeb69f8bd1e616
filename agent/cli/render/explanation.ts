import type { AnswerView, RefusalView, RequestView } from '../../api/index.ts'
import { keyOf, renderCandidates } from './candidates.ts'
import { renderRefusal } from './refusal.ts'
import { renderScores } from './scores.ts'
import type { Style } from './style.ts'

/** So many refusals are told whole; a table of 64 candidates may have hundreds. */
const MOST_TOLD = 32
/** Answers to candidates are cut there. */
const LONGEST_REASON = 1000

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

interface Told {
  refusal: RefusalView
  /** All that it was said in; more than one where a clause stands against several compute providers. */
  reasons: Set<string>
}

/** Every refusal once: those that decided, in their order, then what else stands against a candidate. */
function refusalsOf(view: RequestView): Map<string, Told> {
  const found = new Map<string, Told>()
  const answers = view.candidates.flatMap((candidate) => candidate.answers ?? [])
  const denied = answers.filter(({ verdict }) => verdict !== 'permit').map(refusalOf)
  for (const refusal of [...(view.refusals ?? []), ...denied]) {
    const key = keyOf(refusal)
    const told = found.get(key) ?? { refusal, reasons: new Set() }
    told.reasons.add(refusal.reason.slice(0, LONGEST_REASON))
    found.set(key, told)
  }
  return found
}

function inWords({ refusal, reasons }: Told): RefusalView {
  const others = reasons.size - 1
  return others === 0 ? refusal : { ...refusal, reason: `${refusal.reason} (and ${others} more like it)` }
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
      ...told.map((one, index) => renderRefusal(inWords(one), { ...rendering, number: index + 1 })),
      ...(left === 0 ? [] : [`and ${left} more refusals: --json shows all`])
    ]
  }
}
