import { ANSWER_LETTERS, type AnswerView, valuesShown } from '../api/index.ts'
import type { HopAnswer } from '../composition/index.ts'

/** What people see of a hop's answer to one candidate. */
export function viewAnswer(answer: HopAnswer): AnswerView {
  const { hop, question, verdict } = answer
  switch (verdict) {
    case 'permit':
      return { hop, question, verdict, clauses: [...answer.clauses] }
    case 'none':
      return { hop, question, verdict, code: answer.code, reason: answer.reason.slice(0, ANSWER_LETTERS) }
    case 'deny': {
      const { code, clause, reason, acceptable, position } = answer.refusal
      return {
        hop,
        question,
        verdict,
        code,
        reason: reason.slice(0, ANSWER_LETTERS),
        ...(clause === null ? {} : { clause }),
        ...(acceptable === null ? {} : { acceptable: valuesShown(acceptable) }),
        ...(position === null ? {} : { position })
      }
    }
  }
}
