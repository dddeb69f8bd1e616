import type { Submission } from '../config/index.ts'
import type { AttachedFiles } from './attached-files.ts'
import type { Caller } from './caller.ts'
import type { LintView, PolicyExplained, PolicySimulated, PolicyView } from './policy-views.ts'

/** A file with rules. */
export interface RuleText {
  file: string
  text: string
}

/** Rules that are not in force: of a folder, or in an agreement. */
export interface PolicyDraft {
  files?: readonly RuleText[]
  agreement?: { text: string; files?: AttachedFiles }
}

/** What the agent says and does about its own rules. */
export interface PolicyOperations {
  status(): Promise<PolicyView>
  reload(): Promise<PolicyView>
  /** Of a draft; without one, of the rules in force. */
  lint(draft: PolicyDraft): Promise<LintView>
  /** What would be asked about a request here, with which facts, and what each rule says. */
  explain(submission: Submission, draft: PolicyDraft, caller: Caller): Promise<PolicyExplained>
  /** Which of the past verdicts here would be others under a draft. */
  simulate(draft: PolicyDraft, since: number, signal: AbortSignal): Promise<PolicySimulated>
}
