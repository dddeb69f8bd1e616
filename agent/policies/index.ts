/**
 * The organisation's own rules, which may only forbid: read from a folder, and again when it changes. Other rooms ask
 * `engine` for what is in force, and hear of changes by `onChange`.
 */
export { type ExplainInit, explainRequest } from './explain.ts'
export { type PolicyFolder, readPolicyFolder } from './folder.ts'
export {
  type BrokenPolicy,
  Policies,
  type PoliciesComponents,
  type PolicyChange,
  type PolicyStatus
} from './policies.ts'
export { viewPolicy } from './views.ts'
export { type Watch, watchFolder } from './watch.ts'
