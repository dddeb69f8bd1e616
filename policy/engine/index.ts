/**
 * Decisions: a closed list of questions, answered by fixed rules over an agreement, a hosting clause, a delivery or a
 * contract, and by the organisation's own rules, which can only forbid. What is not known is denied.
 *
 * @example
 * const engine = await createCedarEngine([{ file: 'night.cedar', text }])
 * const verdict = decideAsProvider(engine, facts, agreements, request.agreements.VU)
 */
export { QUESTIONS, type Question } from '../../protocol/documents/index.ts'
export type { AgreementInForce } from './agreement-entity.ts'
export { createCedarEngine } from './cedar.ts'
export { rememberingClauses } from './clause-memory.ts'
export { decideFlow } from './decide-flow.ts'
export { decideAsHost, decideAsRecipient } from './decide-place.ts'
export { decideAsProvider } from './decide-provider.ts'
export {
  createDisclosureRules,
  type DisclosureFacts,
  type DisclosureRules,
  type DisclosureVerdict
} from './disclosure.ts'
export {
  type Answer,
  type Evaluation,
  evaluatingBy,
  type PolicyEngine,
  permits,
  type Value,
  type Values
} from './engine.ts'
export { type Explanation, explainAsProvider, plainFacts, type Said } from './explain.ts'
export {
  type Approval,
  approvalUnder,
  discoveryFacts,
  type FlowFacts,
  type HostFacts,
  type Place,
  type ProviderFacts,
  type ProviderQuestion,
  type RecipientFacts,
  type TableUse,
  type WindowCount
} from './facts.ts'
export { LINT_KINDS, type LintFinding, type LintKind, type RulePlace } from './lint.ts'
export { type KnownNames, NAME_KINDS } from './named-in-rules.ts'
export { columnKey } from './names.ts'
export type { OwnRule, RuleFile } from './own-rule.ts'
export { MAX_RULES_LENGTH, RulesMalformed } from './own-rules.ts'
export { protectedRefusal } from './protected-output.ts'
export { quoted, type RuleFinding } from './rule-finding.ts'
export { loadRuleReader, type RuleReader } from './rule-reader.ts'
export { clausesOf, type Subject } from './rules.ts'
export { SCHEMA } from './schema.ts'
export type { Denial, Permission, ProviderPermission, ProviderVerdict, Verdict } from './verdict.ts'
