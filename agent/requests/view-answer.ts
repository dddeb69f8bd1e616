import type { AnswerView } from '../api/index.ts'
import type { HopAnswer } from '../composition/index.ts'

/** An answer stands in each of up to 64 candidates; what is cut here stands whole in the refusals. */
const MOST_LETTERS = 1000
const MOST_VALUES = 64

type Acceptable = NonNullable<AnswerView['acceptable']>

function bounded(acceptable: Acceptable): Acceptable {
  return Object.fromEntries(
    Object.entries(acceptable).map(([key, value]) => [
      key,
      Array.isArray(value) ? value.slice(0, MOST_VALUES) : value
    ])
  )
}

/** What people see of a hop's answer to one candidate. */
export function viewAnswer(answer: HopAnswer): AnswerView {
  const { hop, question, verdict } = answer
  switch (verdict) {
    case 'permit':
      return { hop, question, verdict, clauses: [...answer.clauses] }
    case 'none':
      return { hop, question, verdict, code: answer.code, reason: answer.reason.slice(0, MOST_LETTERS) }
    case 'deny': {
      const { code, clause, reason, acceptable, position } = answer.refusal
      return {
        hop,
        question,
        verdict,
        code,
        reason: reason.slice(0, MOST_LETTERS),
        ...(clause === null ? {} : { clause }),
        ...(acceptable === null ? {} : { acceptable: bounded(acceptable) }),
        ...(position === null ? {} : { position })
      }
    }
  }
}
