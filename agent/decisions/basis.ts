import type { PolicyEngine } from '../../policy/index.ts'
import { type Basis, type PolicyCall, rulesetOf } from '../audit/index.ts'

/** Something that the rules were asked, and whether they permitted it. */
export interface Called {
  call: PolicyCall
  permits: boolean
}

/** The part of a verdict that says how it came about. */
type Verdict = { verdict: 'permit' } | { verdict: 'deny'; refusal: { code: string } }

/**
 * What a decision rested on, to be kept beside the log: a permission on everything that was asked, a denial on what denied;
 * where the rules denied nothing, on what stands beside them.
 */
export function basisOf(
  engine: PolicyEngine,
  verdict: Verdict,
  called: readonly Called[]
): Basis | undefined {
  const rules = rulesetOf(engine.source)
  if (rules === null) return undefined
  const denied = verdict.verdict === 'permit' ? [] : called.filter((one) => !one.permits)
  return {
    engine: engine.source.engine,
    policy: engine.policy,
    rules: rules.id,
    calls: (denied.length === 0 ? called : denied).map(({ call }) => call),
    besides: verdict.verdict === 'permit' || denied.length > 0 ? null : verdict.refusal.code
  }
}

/** Of a denial about which the rules were not asked: it stands beside them. */
export function besidesOf(engine: PolicyEngine, refusal: { code: string }): Basis | undefined {
  return basisOf(engine, { verdict: 'deny', refusal }, [])
}
