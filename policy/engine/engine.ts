import type { Question, User } from '../../protocol/documents/index.ts'
import type { OwnRule, RuleFile } from './own-rule.ts'
import type { RuleFinding } from './rule-finding.ts'
import type { Subject } from './rules.ts'

/** A value of a fact or attribute, in no engine's own form. */
export type Value =
  | boolean
  | number
  | string
  | readonly string[]
  | { readonly datetime: number }
  | { readonly entities: readonly { type: string; id: string }[] }
  | { readonly any: boolean; readonly names: readonly string[] }
  | { readonly record: Values }

export interface Values {
  readonly [name: string]: Value
}

export interface Evaluation {
  subject: Subject
  question: Question
  principal: User
  /** What the rules are about; evaluated alone, so that no other agreement can matter. `id` names its content. */
  resource: { id: string; attributes: Values }
  context: Values
  /** Rules that stand in the agreement itself, as Cedar text: they forbid beside all others. */
  rules?: string
}

export interface Answer {
  /** Clauses of the fixed rules that are broken, in the order of reporting. */
  broken: string[]
  /** Own rules that forbid; asked only when no clause is broken. */
  forbidding: OwnRule[]
  /** Rules of the agreement itself that forbid; asked only when no clause is broken. */
  agreed: OwnRule[]
  /** Why there is no answer, which is a denial; for the local log. */
  undetermined: string | null
  /** sha2-256 in hex of everything that decided. */
  policy: string
  /** A clause is broken, and some other rule could not be evaluated. */
  incomplete?: true
}

/** Decides by the fixed rules and by the organisation's own, which must both permit. Synchronous and pure. */
export interface PolicyEngine {
  readonly name: string
  /** What it was made of: by the same version of it, from the same rules, another one decides alike. */
  readonly source: { readonly engine: string; readonly files: readonly RuleFile[] }
  /** What looks odd in the organisation's own rules, and does not keep them from being used. */
  readonly warnings: readonly RuleFinding[]
  /** The organisation's own rules. */
  readonly rules: readonly OwnRule[]
  /** What keeps the rules of an agreement from being decided by; nothing: they can be. */
  objections(rules: string): readonly RuleFinding[]
  /** The rules of an agreement, of its text. */
  rulesIn(rules: string): readonly OwnRule[]
  evaluate(evaluation: Evaluation): Answer
  /** For people: what every rule says, also those that `evaluate` need not ask. */
  examine(evaluation: Evaluation): Answer
  /** Nothing but the fixed rules decides, so that a clause depends on what its rule reads and on nothing else. */
  readonly fixedRulesAlone: boolean
  /** The id of what decides when there is no agreement to decide by. */
  readonly policy: string
}

/** Permitted means: nothing broken, nothing forbidden, nothing unknown. */
export function permits(answer: Answer): boolean {
  const { broken, forbidding, agreed, undetermined } = answer
  return broken.length + forbidding.length + agreed.length === 0 && undetermined === null
}

/** The same engine, with something beside each evaluation. */
export function evaluatingBy(engine: PolicyEngine, evaluate: PolicyEngine['evaluate']): PolicyEngine {
  return {
    name: engine.name,
    source: engine.source,
    policy: engine.policy,
    warnings: engine.warnings,
    rules: engine.rules,
    fixedRulesAlone: engine.fixedRulesAlone,
    objections: (rules) => engine.objections(rules),
    rulesIn: (rules) => engine.rulesIn(rules),
    examine: (evaluation) => engine.examine(evaluation),
    evaluate
  }
}
