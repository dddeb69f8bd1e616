import type { PolicyView } from '../api/index.ts'
import type { PolicyStatus } from './policies.ts'

/** The rules in force, for people and programs. */
export function viewPolicy(status: PolicyStatus, decisionPoint: string | null): PolicyView {
  const { folder, policy, since, files, ignored, rules, warnings, broken } = status
  return {
    folder,
    policy,
    since: new Date(since).toISOString(),
    files,
    ignored,
    rules,
    warnings: [...warnings],
    broken: broken === null ? null : { ...broken, since: new Date(broken.since).toISOString() },
    decisionPoint
  }
}
