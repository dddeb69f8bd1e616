import type { Terms } from '../../protocol/documents/index.ts'
import { type AgreementInForce, agreementAttributes, agreementContext } from './agreement-entity.ts'
import { explainClause } from './agreement-refusal.ts'
import { decideAsProvider } from './decide-provider.ts'
import type { PolicyEngine, Values } from './engine.ts'
import type { ProviderFacts } from './facts.ts'
import type { OwnRule } from './own-rule.ts'
import { clausesOf } from './rules.ts'
import type { ProviderVerdict } from './verdict.ts'

/** What one rule says to one question. */
export interface Said {
  /** A clause of the agreement, a rule that stands in it, or a rule of the organisation's folder. */
  of: 'clause' | 'agreement' | 'folder'
  rule: string
  /** `later`: its facts are not known at this stage, so it is asked again. */
  says: 'permits' | 'forbids' | 'later'
  words: string
}

export interface Explanation {
  verdict: ProviderVerdict
  /** What the rules were told, in the names of the published schema. */
  facts: Values
  rules: Said[]
}

function ofRule(of: Said['of'], rule: OwnRule, forbidding: readonly OwnRule[]): Said {
  const forbids = forbidding.includes(rule)
  const place = rule.id === `${rule.file}:${rule.line}` ? '' : ` (${rule.file}:${rule.line})`
  const said = forbids ? `forbids it${rule.message === null ? '' : `: ${rule.message}`}` : 'does not apply'
  return { of, rule: rule.id, says: forbids ? 'forbids' : 'permits', words: `${said}${place}` }
}

/**
 * What a data provider would be asked about a request under one agreement, and what every rule says to it: also those that are
 * not asked once a clause is broken.
 */
export function explainAsProvider(
  engine: PolicyEngine,
  facts: ProviderFacts,
  agreement: AgreementInForce
): Explanation {
  const { id, payload } = agreement
  const verdict = decideAsProvider(engine, facts, [agreement])
  const context = agreementContext(agreement, facts)
  const text = payload.terms.cedar?.trim() === '' ? undefined : payload.terms.cedar
  const answer = engine.examine({
    subject: 'Agreement',
    question: facts.question,
    principal: facts.requester,
    resource: { id, attributes: agreementAttributes(agreement, facts) },
    context,
    ...(text === undefined ? {} : { rules: text })
  })
  const deferred = verdict.verdict === 'permit' ? verdict.deferred : laterClauses(facts, payload.terms)
  const window = Object.hasOwn(facts.requestsInWindow, id) ? facts.requestsInWindow[id] : undefined
  const clauses = clausesOf('Agreement').map((clause): Said => {
    if (answer.broken.includes(clause)) {
      const { reason } = explainClause(clause, payload, facts, window, id)
      return { of: 'clause', rule: clause, says: 'forbids', words: reason }
    }
    return deferred.some((one) => one === clause || one === `${payload.name}#${clause}`)
      ? {
          of: 'clause',
          rule: clause,
          says: 'later',
          words: 'not known before the query is inspected and a contract is made'
        }
      : { of: 'clause', rule: clause, says: 'permits', words: 'holds' }
  })
  return {
    verdict,
    facts: context,
    rules: [
      ...clauses,
      ...(text === undefined ? [] : engine.rulesIn(text)).map((rule) =>
        ofRule('agreement', rule, answer.agreed)
      ),
      ...engine.rules.map((rule) => ofRule('folder', rule, answer.forbidding))
    ]
  }
}

function laterClauses(
  { uses, services, sandboxes, approvals }: ProviderFacts,
  { approval }: Terms
): string[] {
  return [
    ...(uses === null ? ['tables', 'columns'] : []),
    ...(services === null ? ['services.forbid', 'services.require'] : []),
    ...(sandboxes === null ? ['sandbox'] : []),
    ...(approvals == null && approval !== undefined ? ['approval'] : [])
  ]
}

/** Facts as plain data. */
export function plainFacts(values: Values): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'object' && 'datetime' in value ? new Date(value.datetime).toISOString() : value
    ])
  )
}
