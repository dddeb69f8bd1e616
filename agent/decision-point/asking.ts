import {
  type Denial,
  type Evaluation,
  evaluatingBy,
  type PolicyEngine,
  permits,
  type Verdict
} from '../../policy/index.ts'
import { toError } from '../../protocol/errors/index.ts'
import type { HttpPoint } from './http-point.ts'
import type { PointAnswer } from './wire.ts'

/** Decisions that are taken together: the rules here first, then, about what they permit, the decision point. */
export interface Asking {
  /** The same rules. What they permit is what the decision point will be asked about. */
  engine: PolicyEngine
  /** The verdict, or the denial of the decision point about what it permits. */
  confirm<V extends Verdict>(verdict: V): Promise<V | Denial>
}

/** A second engine, which can only forbid. */
export interface DecisionPoint {
  asking(engine: PolicyEngine): Asking
}

/** None is configured: nothing is recorded, nothing waits. */
export const noDecisionPoint: DecisionPoint = {
  asking: (engine) => ({ engine, confirm: async (verdict) => verdict })
}

export interface PointComponents {
  http: Pick<HttpPoint, 'ask'>
  organisation: string
  log: { warn(fields: object, message: string): void }
}

export function askedByHttp(components: PointComponents): DecisionPoint {
  return { asking: (engine) => new PointAsking(components, engine) }
}

class PointAsking implements Asking {
  readonly engine: PolicyEngine
  readonly #components: PointComponents
  /** What the rules permitted since the last verdict, by resource: the last word about each. */
  #permitted = new Map<string, Evaluation>()
  readonly #answers = new Map<string, PointAnswer>()
  /** Once there was no answer there is none to the rest: otherwise each would wait for its own. */
  #failure: Denial | null = null

  constructor(components: PointComponents, engine: PolicyEngine) {
    this.#components = components
    this.engine = evaluatingBy(engine, (evaluation) => {
      const answer = engine.evaluate(evaluation)
      const key = `${evaluation.subject}:${evaluation.resource.id}`
      if (permits(answer)) this.#permitted.set(key, evaluation)
      else this.#permitted.delete(key)
      return answer
    })
  }

  async confirm<V extends Verdict>(verdict: V): Promise<V | Denial> {
    const permitted = [...this.#permitted.values()]
    this.#permitted = new Map()
    if (verdict.verdict === 'deny') return verdict
    for (const evaluation of permitted.filter((one) => restsOn(verdict, one))) {
      const denial = this.#failure ?? (await this.#ask(evaluation, verdict.policy))
      if (denial !== null) return denial
    }
    return { ...verdict, clauses: [...verdict.clauses, 'decision-point'] }
  }

  async #ask(evaluation: Evaluation, policy: string): Promise<Denial | null> {
    const { http, organisation, log } = this.#components
    const { resource, ...asked } = evaluation
    const key = JSON.stringify([asked, resource.id, resource.attributes])
    try {
      const answer = this.#answers.get(key) ?? (await http.ask(evaluation))
      this.#answers.set(key, answer)
      return answer.verdict === 'permit' ? null : forbidden(organisation, answer, policy)
    } catch (error) {
      const detail = toError(error).message
      log.warn(
        { question: evaluation.question, reason: detail },
        'the decision point gave no answer, which is a no'
      )
      this.#failure = unavailable(organisation, detail, policy)
      return this.#failure
    }
  }
}

/** Agreements that were looked at on the way have no part in a verdict that does not name them. */
function restsOn(verdict: Verdict, { subject, resource }: Evaluation): boolean {
  const { name } = resource.attributes
  return subject !== 'Agreement' || verdict.clauses.some((clause) => clause.startsWith(`${String(name)}#`))
}

function forbidden(organisation: string, { reasons = [] }: PointAnswer, policy: string): Denial {
  const said = reasons.flatMap(({ message }) => (message === undefined ? [] : [message]))
  const reason = [`the decision point of ${organisation} forbids it`, ...said].join(': ').slice(0, 4096)
  const clauses = reasons.map(({ rule }) => `decision-point#${rule}`)
  return {
    verdict: 'deny',
    refusal: { code: 'policy-forbids', clause: null, reason, acceptable: null, position: null },
    clauses: clauses.length === 0 ? ['decision-point'] : clauses,
    detail: null,
    policy
  }
}

function unavailable(organisation: string, detail: string, policy: string): Denial {
  const reason = `the decision point of ${organisation} gave no answer, so the answer is no`
  return {
    verdict: 'deny',
    refusal: { code: 'decision-point-unavailable', clause: null, reason, acceptable: null, position: null },
    clauses: ['decision-point'],
    detail,
    policy
  }
}
