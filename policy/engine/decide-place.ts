import type { Hosting, RefusalCode } from '../../protocol/documents/index.ts'
import { didYouMean } from '../agreement/index.ts'
import { type Answer, type Evaluation, type PolicyEngine, permits, type Values } from './engine.ts'
import { computing, type HostFacts, type RecipientFacts } from './facts.ts'
import { unknownHostFact, unknownRecipientFact } from './known.ts'
import { listed, namesValue } from './names.ts'
import { clausesOf } from './rules.ts'
import { type AcceptableValue, forbidden, refusalOf, undetermined, type Verdict } from './verdict.ts'

interface Explanation {
  code: RefusalCode
  reason: string
  acceptable: Record<string, AcceptableValue> | null
}

function contextOf(facts: HostFacts | RecipientFacts): Values {
  return {
    now: { datetime: facts.now },
    instant: facts.now,
    hour: new Date(facts.now).getUTCHours(),
    self: facts.organisation,
    requester: facts.requester.organisation,
    purpose: facts.purpose,
    archetype: facts.archetype,
    algorithm: facts.algorithm,
    datasets: facts.datasets,
    dataProviders: facts.dataProviders,
    infrastructure: computing(facts),
    recipients: facts.recipients
  }
}

function verdictOf(
  answer: Answer,
  evaluation: Evaluation,
  organisation: string,
  clauseOf: (clause: string) => string,
  explain: (clause: string) => Explanation
): Verdict {
  const { policy } = answer
  if (permits(answer)) {
    return { verdict: 'permit', clauses: clausesOf(evaluation.subject).map(clauseOf), policy }
  }
  if (answer.undetermined !== null) return undetermined(answer.undetermined, policy)
  const [first] = answer.broken
  if (first === undefined) return forbidden(organisation, answer.forbidding, policy)
  const { code, reason, acceptable } = explain(first)
  return {
    verdict: 'deny',
    refusal: refusalOf(code, clauseOf(first), reason, acceptable),
    clauses: answer.broken.map(clauseOf),
    detail: null,
    policy
  }
}

/**
 * A compute provider's decision, by whom it computes for. Its hosting clause is public (it stands in its capability), so a
 * refusal says what would be acceptable to anybody.
 *
 * @param hosting null when this organisation computes for nobody
 */
export function decideAsHost(engine: PolicyEngine, facts: HostFacts, hosting: Hosting | null): Verdict {
  const unknown = unknownHostFact(facts)
  if (unknown !== null) return undetermined(`the fact "${unknown}" is not known`, engine.policy)
  const { organisation, requester, algorithm } = facts
  if (hosting === null) {
    const refusal = refusalOf('role-not-offered', null, `${organisation} does not compute for others`, null)
    return { verdict: 'deny', refusal, clauses: [], detail: null, policy: engine.policy }
  }
  const clause = { for: hosting.for, algorithms: hosting.algorithms }
  const evaluation: Evaluation = {
    subject: 'Hosting',
    question: facts.question,
    principal: requester,
    resource: {
      id: JSON.stringify(clause),
      attributes: { hostedFor: namesValue(clause.for), algorithms: namesValue(clause.algorithms) }
    },
    context: contextOf(facts)
  }
  return verdictOf(
    engine.evaluate(evaluation),
    evaluation,
    organisation,
    (name) => `hosting#${name}`,
    (name): Explanation => {
      if (name === 'infrastructure') {
        return {
          code: 'contract-invalid',
          reason: `${organisation} is not the compute provider of this`,
          acceptable: null
        }
      }
      const names = name === 'for' ? clause.for : clause.algorithms
      const acceptable = { [name]: names === '*' ? ['*'] : names }
      return name === 'for'
        ? {
            code: 'hosting-not-offered',
            reason: `${organisation} does not compute for ${requester.organisation}; it does for: ${listed(acceptable.for ?? [])}`,
            acceptable
          }
        : {
            code: 'algorithm-not-permitted',
            reason: `${organisation} does not run "${algorithm}"; it runs: ${listed(acceptable.algorithms ?? [])}${didYouMean(algorithm, acceptable.algorithms ?? [])}`,
            acceptable
          }
    }
  )
}

/** A recipient's decision: it takes what it asked for and is named for, or what somebody there agreed to take; nothing else. */
export function decideAsRecipient(engine: PolicyEngine, facts: RecipientFacts): Verdict {
  const unknown = unknownRecipientFact(facts)
  if (unknown !== null) return undetermined(`the fact "${unknown}" is not known`, engine.policy)
  const { organisation, asked, consents } = facts
  const evaluation: Evaluation = {
    subject: 'Delivery',
    question: facts.question,
    principal: facts.requester,
    resource: { id: 'delivery', attributes: { asked, consents } },
    context: contextOf(facts)
  }
  return verdictOf(
    engine.evaluate(evaluation),
    evaluation,
    organisation,
    (name) => `delivery#${name}`,
    (name): Explanation =>
      name === 'recipients'
        ? {
            code: 'recipient-not-permitted',
            reason: `${organisation} is not among the recipients: ${listed(facts.recipients)}`,
            acceptable: null
          }
        : {
            code: 'recipient-declines',
            reason: `${organisation} did not ask for this, and takes no results of ${facts.requester.organisation} for ${facts.purpose}`,
            acceptable: null
          }
  )
}
