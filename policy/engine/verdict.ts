import type { Refusal, RefusalCode, ResultTerms } from '../../protocol/documents/index.ts'
import type { Answer } from './engine.ts'
import type { OwnRule } from './own-rule.ts'

/** A denial. `refusal` may leave the organisation; `clauses` and `detail` are for its own log. */
export interface Denial {
  verdict: 'deny'
  refusal: Refusal
  /** Every clause and own rule that denied. */
  clauses: string[]
  /** Why there was no answer at all, when that is why. */
  detail: string | null
  /** sha2-256 in hex of what decided. */
  policy: string
}

export interface Permission {
  verdict: 'permit'
  /** Every clause that was checked and held. */
  clauses: string[]
  policy: string
}

/** What a data provider permits, and on which terms. */
export interface ProviderPermission extends Permission {
  agreement: { id: string; name: string }
  /** Clauses that could not be checked yet, because their facts are not known at this stage: asked again later. */
  deferred: string[]
  /** Services that must be in the chain. */
  requiredServices: string[]
  terms: ResultTerms
}

export type Verdict = Permission | Denial
export type ProviderVerdict = ProviderPermission | Denial

type Acceptable = NonNullable<Refusal['acceptable']>
export type AcceptableValue = Acceptable[string]

const MAX_LIST = 256
const MAX_TEXT = 4096
const MAX_NAME = 256

function bounded(value: AcceptableValue): AcceptableValue {
  if (typeof value === 'string') return value.slice(0, MAX_TEXT)
  return Array.isArray(value) ? value.slice(0, MAX_LIST).map((item) => item.slice(0, MAX_TEXT)) : value
}

/** A refusal within the limits of its document, whatever the names in it. */
export function refusalOf(
  code: RefusalCode,
  clause: string | null,
  reason: string,
  acceptable: Acceptable | null
): Refusal {
  return {
    code,
    clause: clause?.slice(0, MAX_NAME) ?? null,
    reason: reason.slice(0, MAX_TEXT),
    acceptable:
      acceptable === null
        ? null
        : Object.fromEntries(Object.entries(acceptable).map(([key, value]) => [key, bounded(value)])),
    position: null
  }
}

/** What is not known is denied; which fact it was stays in the log. */
export function undetermined(detail: string, policy: string): Denial {
  return {
    verdict: 'deny',
    refusal: refusalOf('policy-forbids', null, 'the policy here has no answer, so the answer is no', null),
    clauses: [],
    detail,
    policy
  }
}

/** An own rule says no. Its text is the organisation's own business, its `@message` was written to be shown. */
export function forbidden(organisation: string, rules: readonly OwnRule[], policy: string): Denial {
  const messages = rules.flatMap((rule) => (rule.message === null ? [] : [rule.message]))
  const reason = [`a rule of ${organisation} forbids it`, ...messages].join(': ')
  return {
    verdict: 'deny',
    refusal: refusalOf('policy-forbids', null, reason, null),
    clauses: rules.map((rule) => `policy#${rule.id}`),
    detail: null,
    policy
  }
}

/** A rule of the agreement says no. Whoever asks signed it, so it is named, with its `@message`. */
export function forbiddenByAgreement(
  name: string,
  { agreed, forbidding }: Pick<Answer, 'agreed' | 'forbidding'>,
  policy: string
): Denial {
  const said = agreed.map(({ id, message }) => (message === null ? `"${id}"` : `"${id}": ${message}`))
  const clauses = agreed.map(({ id }) => `${name}#cedar.${id}`)
  return {
    verdict: 'deny',
    refusal: refusalOf(
      'policy-forbids',
      clauses[0] ?? null,
      `agreement ${name}: its own rules forbid it: ${said.join('; ')}`,
      null
    ),
    clauses: [...clauses, ...forbidding.map(({ id }) => `policy#${id}`)],
    detail: null,
    policy
  }
}
