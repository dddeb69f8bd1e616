/** What the API answers about policy, as schemas; see views.ts. */
import { z } from 'zod'

export const ruleFindingView = z.object({
  file: z.string(),
  line: z.number(),
  column: z.number(),
  message: z.string(),
  source: z.string().exactOptional()
})

export const policyView = z.object({
  folder: z.string(),
  /** Digest of what decides; offers name it, and what decisions name follows from it. */
  policy: z.string(),
  since: z.string(),
  files: z.array(z.string()),
  ignored: z.array(z.string()),
  rules: z.number(),
  warnings: z.array(ruleFindingView),
  /** The folder has changed into something that cannot be used; the last good rules stay in force. */
  broken: z.object({ since: z.string(), findings: z.array(ruleFindingView) }).nullable(),
  /** URL of the second engine. */
  decisionPoint: z.string().nullable()
})
export type PolicyView = z.infer<typeof policyView>

export const lintFindingView = ruleFindingView.extend({
  level: z.enum(['error', 'warning']),
  kind: z.string(),
  rule: z.string().nullable()
})
export const lintView = z.object({ findings: z.array(lintFindingView) })
export type LintView = z.infer<typeof lintView>

const saidView = z.object({
  /** `clause`: of the agreement; `agreement`: its own rules; `folder`: the organisation's. */
  of: z.enum(['clause', 'agreement', 'folder']),
  rule: z.string(),
  says: z.enum(['permits', 'forbids', 'later']),
  words: z.string()
})

export const explanationView = z.object({
  provider: z.string(),
  agreement: z.string(),
  archetype: z.string(),
  infrastructure: z.string().nullable(),
  verdict: z.enum(['permit', 'deny']),
  code: z.string().nullable(),
  /** Why there is no answer, when that is why. */
  undetermined: z.string().nullable(),
  facts: z.record(z.string(), z.unknown()),
  rules: z.array(saidView)
})
export const policyExplained = z.object({
  explanations: z.array(explanationView),
  notes: z.array(z.string())
})
export type PolicyExplained = z.infer<typeof policyExplained>

const verdictView = z.object({
  verdict: z.enum(['permit', 'deny']),
  code: z.string().nullable(),
  clause: z.string().nullable()
})

export const changedVerdict = z.object({
  request: z.string(),
  at: z.string(),
  user: z.string(),
  purpose: z.string(),
  dataset: z.string(),
  archetype: z.string(),
  infrastructure: z.string().nullable(),
  old: verdictView,
  new: verdictView
})

export const policySimulated = z.object({
  /** Requests and rows that were replayed. */
  requests: z.number(),
  rows: z.number(),
  /** Requests that could not be, with the reason. */
  skipped: z.array(z.object({ request: z.string(), reason: z.string() })),
  changes: z.array(changedVerdict),
  notes: z.array(z.string())
})
export type PolicySimulated = z.infer<typeof policySimulated>
