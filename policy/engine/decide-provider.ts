import type { Terms } from '../../protocol/documents/index.ts'
import {
  didYouMean,
  requiredServices,
  type Unenforceable,
  unenforceableClauses,
  unenforceableRelease
} from '../agreement/index.ts'
import { resultTermsOf } from '../terms/index.ts'
import { type AgreementInForce, agreementAttributes, agreementContext } from './agreement-entity.ts'
import { explainClause } from './agreement-refusal.ts'
import { type PolicyEngine, permits } from './engine.ts'
import type { ProviderFacts } from './facts.ts'
import { unknownProviderFact } from './known.ts'
import { clausesOf } from './rules.ts'
import {
  type Denial,
  forbidden,
  forbiddenByAgreement,
  type ProviderVerdict,
  refusalOf,
  undetermined
} from './verdict.ts'

const CLAUSES = clausesOf('Agreement')
const ALWAYS = ['valid.from', 'valid.until', 'consumers', 'dataset']

/** The clauses that a question is about, in the order in which they are reported. */
function askedClauses(facts: ProviderFacts, { approval }: Terms): { checked: string[]; deferred: string[] } {
  if (facts.question === 'discover') return { checked: ALWAYS, deferred: [] }
  const unknown = [
    ...(facts.uses === null ? ['tables', 'columns'] : []),
    ...(facts.services === null ? ['services.forbid', 'services.require'] : []),
    ...(facts.sandboxes === null ? ['sandbox'] : []),
    ...(facts.approvals == null && approval !== undefined ? ['approval'] : [])
  ]
  const asked = CLAUSES.filter(
    (clause) => clause !== 'limits' || facts.question === 'offer' || facts.question === 'accept'
  )
  return { checked: asked.filter((clause) => !unknown.includes(clause)), deferred: unknown }
}

/** Whoever signed no agreement about this learns nothing: neither that there is one, nor what would be acceptable. */
function noAgreement(facts: ProviderFacts, policy: string, wish = ''): Denial {
  const reason = `no agreement with ${facts.organisation} permits this${wish}`
  return {
    verdict: 'deny',
    refusal: refusalOf('no-agreement', null, reason, null),
    clauses: [],
    detail: null,
    policy
  }
}

/** How far an agreement is from permitting: the nearest one gives the reason. */
interface Attempt {
  agreement: AgreementInForce
  verdict: ProviderVerdict
  distance: number
  /** The asker is none of its consumers. */
  forOthers?: boolean
}

/** Of two as near, one that is about the asker tells more than one that is about somebody else. */
function nearer(one: Attempt, other: Attempt): boolean {
  if (one.distance !== other.distance) return one.distance < other.distance
  return one.forOthers !== true && other.forOthers === true
}

/** Farther than any number of broken clauses. */
const NOT_IN_FORCE = 1000
const NOT_ENFORCEABLE = 2000

/** A signed agreement may come from an agent whose schema knows more than this one's. */
function unreadableRules({ cedar }: Terms, engine: PolicyEngine): Unenforceable[] {
  const [first] = cedar === undefined ? [] : engine.objections(cedar)
  return first === undefined
    ? []
    : [{ clause: 'cedar', reason: `line ${first.line}, column ${first.column}: ${first.message}` }]
}

/** Under this placement; the agreement may permit another. */
function unreleasable(agreement: string, { clause, reason }: Unenforceable, engine: PolicyEngine): Denial {
  const named = `${agreement}#${clause}`
  return {
    verdict: 'deny',
    refusal: refusalOf('clause-not-enforceable', named, `agreement ${agreement}: ${clause}: ${reason}`, null),
    clauses: [named],
    detail: null,
    policy: engine.policy
  }
}

function notEnforceable(
  { payload }: AgreementInForce,
  engine: PolicyEngine,
  facts: ProviderFacts
): Denial | null {
  const clauses = [...unenforceableClauses(payload.terms), ...unreadableRules(payload.terms, engine)]
  const unheld = unenforceableRelease(payload.terms, facts)
  const [first = unheld] = clauses
  if (first === null) return null
  if (first === unheld) return unreleasable(payload.name, unheld, engine)
  return {
    verdict: 'deny',
    refusal: refusalOf(
      'clause-not-enforceable',
      `${payload.name}#${first.clause}`,
      `the agreement ${payload.name} has a clause that cannot be enforced here, so nothing is permitted under it: ${first.clause} (${first.reason})`,
      null
    ),
    clauses: clauses.map(({ clause }) => `${payload.name}#${clause}`),
    detail: null,
    policy: engine.policy
  }
}

function rulesOf({ cedar }: Terms): { rules?: string } {
  return cedar === undefined || cedar.trim() === '' ? {} : { rules: cedar }
}

function attempt(engine: PolicyEngine, facts: ProviderFacts, agreement: AgreementInForce): Attempt {
  const { id, payload } = agreement
  const refused = notEnforceable(agreement, engine, facts)
  if (refused !== null) return { agreement, verdict: refused, distance: NOT_ENFORCEABLE }
  const answer = engine.evaluate({
    subject: 'Agreement',
    question: facts.question,
    principal: facts.requester,
    resource: { id, attributes: agreementAttributes(agreement, facts) },
    context: agreementContext(agreement, facts),
    ...rulesOf(payload.terms)
  })
  const { policy } = answer
  const named = (clauses: readonly string[]) => clauses.map((clause) => `${payload.name}#${clause}`)
  if (permits(answer)) {
    const { checked, deferred } = askedClauses(facts, payload.terms)
    return {
      agreement,
      distance: 0,
      verdict: {
        verdict: 'permit',
        agreement: { id, name: payload.name },
        clauses: named('rules' in rulesOf(payload.terms) ? [...checked, 'cedar'] : checked),
        deferred: named(deferred),
        requiredServices: requiredServices(payload.terms),
        terms: resultTermsOf(payload.terms, facts.requester.organisation),
        policy
      }
    }
  }
  if (answer.undetermined !== null) {
    return { agreement, distance: NOT_IN_FORCE, verdict: undetermined(answer.undetermined, policy) }
  }
  const [first] = answer.broken
  if (first === undefined && answer.agreed.length > 0) {
    const verdict = forbiddenByAgreement(payload.name, answer, policy)
    return { agreement, distance: answer.agreed.length, verdict }
  }
  if (first === undefined) {
    const verdict = forbidden(facts.organisation, answer.forbidding, policy)
    return { agreement, distance: answer.forbidding.length, verdict }
  }
  const window = Object.hasOwn(facts.requestsInWindow, id) ? facts.requestsInWindow[id] : undefined
  const explanations = answer.broken.map((clause) => explainClause(clause, payload, facts, window, id))
  const [explained] = explanations
  const acceptable = Object.assign({}, ...explanations.map((one) => one.acceptable))
  return {
    agreement,
    distance: first.startsWith('valid.') ? NOT_IN_FORCE : answer.broken.length,
    forOthers: answer.broken.includes('consumers'),
    verdict: {
      verdict: 'deny',
      refusal: refusalOf(
        explained?.code ?? 'policy-forbids',
        `${payload.name}#${first}`,
        `agreement ${payload.name}: ${explanations.map((one) => one.reason).join('; ')}`,
        acceptable
      ),
      clauses: named(answer.broken),
      detail: null,
      policy
    }
  }
}

function byId(one: AgreementInForce, other: AgreementInForce): number {
  return one.id < other.id ? -1 : one.id > other.id ? 1 : 0
}

/**
 * A data provider's decision. A request is permitted under exactly one agreement, which permits it whole: the one that was
 * wished for, else the lowest id that permits; clauses of two are never mixed. When none does, the agreement that came
 * nearest gives the reason (fewest broken clauses, then one of which the asker is a consumer, then lowest id; one that is not in
 * force or not enforceable last).
 *
 * Of several broken clauses the first in this order gives the code: valid, consumers, purposes, archetypes,
 * computeProviders, recipients, algorithms, tables, columns, services.forbid, services.require, sandbox, limits, approval; all
 * are listed, with everything that would be acceptable. The agreement's own rules and those of the
 * organisation are asked once no clause is broken.
 *
 * An asker whose organisation is a party to no agreement about the dataset gets `no-agreement` and nothing else, whatever
 * it asks or wishes for.
 *
 * @param agreements every signed agreement here that no newer one replaced
 * @param wished name of the agreement that the requester wants to run under
 */
export function decideAsProvider(
  engine: PolicyEngine,
  facts: ProviderFacts,
  agreements: readonly AgreementInForce[],
  wished?: string
): ProviderVerdict {
  const unknown = unknownProviderFact(facts)
  if (unknown !== null) return undetermined(`the fact "${unknown}" is not known`, engine.policy)
  const { requester, organisation, dataset } = facts
  const own = agreements.filter(
    ({ payload }) =>
      payload.provider === organisation &&
      payload.dataset === dataset &&
      payload.parties.includes(requester.organisation)
  )
  const eligible = own.filter(({ payload }) => wished === undefined || payload.name === wished).sort(byId)
  let nearest: Attempt | undefined
  for (const agreement of eligible) {
    const tried = attempt(engine, facts, agreement)
    if (tried.verdict.verdict === 'permit') return tried.verdict
    if (nearest === undefined || nearer(tried, nearest)) nearest = tried
  }
  if (nearest !== undefined) return nearest.verdict
  // Names of agreements are told to their parties alone.
  const names = own.map(({ payload }) => payload.name)
  const wish =
    wished === undefined || names.length === 0
      ? ''
      : ` under the name "${wished.slice(0, 128)}"${didYouMean(wished, names)}`
  return noAgreement(facts, engine.policy, wish)
}
