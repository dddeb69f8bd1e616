import type { Payload, RowAnswer } from '../../protocol/documents/index.ts'
import {
  type Answer,
  type CompositionInput,
  type HopAnswer,
  type HopRefusal,
  organisationOf
} from './plan.ts'
import { runsAgain } from './verifying.ts'

/**
 * What was asked of a hop when it answered so. One answer covers every part that the hop would play in a row; the clause
 * tells them apart, else the first part that it plays there.
 */
export function questionOf(
  request: Payload<'request'>,
  { peer, offer }: Pick<Answer, 'peer' | 'offer'>,
  answer: RowAnswer
): HopRefusal['question'] {
  const clause = answer.verdict === 'refuse' ? answer.refusal.clause : null
  if (clause?.startsWith('hosting#') === true) return 'host'
  if (clause?.startsWith('delivery#') === true) return 'accept'
  if (request.providers.includes(peer)) return 'offer'
  if (request.rows[answer.row]?.infrastructure === peer || runsAgain(request, peer, answer.row)) return 'host'
  const { as } = offer.payload
  return as.includes('recipient') ? 'accept' : as.includes('infrastructure') ? 'host' : 'offer'
}

/** The hops that a row needs, in the order in which data passes them; each once, whatever it does there. */
function hopsOf({ request, recipient }: CompositionInput, index: number): string[] {
  const infrastructure = request.rows[index]?.infrastructure ?? null
  return [
    ...new Set([
      ...request.providers,
      ...(infrastructure === null ? [] : [infrastructure]),
      ...(infrastructure === null || request.verify === undefined ? [] : [request.verify]),
      ...(recipient.peer === request.issuer ? [] : [recipient.peer])
    ])
  ]
}

/** Each hop's answer to one row; a hop that gave none is named with what is known of why. */
export function answersFor(input: CompositionInput, index: number): HopAnswer[] {
  return hopsOf(input, index).map((peer): HopAnswer => {
    const hop = organisationOf(input, peer)
    const dropped = input.without.get(peer)
    if (dropped !== undefined)
      return { hop, question: 'offer', verdict: 'none', code: dropped, reason: `${hop} dropped out` }
    const answer = input.answers.find((one) => one.peer === peer)
    const row = answer?.offer.payload.rows.find((one) => one.row === index)
    if (answer === undefined || row === undefined) {
      const refusal = input.silent.find((one) => one.peer === peer)?.refusal
      const { code = 'peer-silent', reason = `${hop} gave no answer to this row` } = refusal ?? {}
      return { hop, question: 'discover', verdict: 'none', code, reason }
    }
    const question = questionOf(input.request, answer, row)
    return row.verdict === 'permit'
      ? { hop, question, verdict: 'permit', clauses: row.clauses }
      : { hop, question, verdict: 'deny', refusal: row.refusal }
  })
}
