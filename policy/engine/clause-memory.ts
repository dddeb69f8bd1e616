import { type Answer, type Evaluation, evaluatingBy, type PolicyEngine } from './engine.ts'
import { clausesOf, rulesOf, SUBJECTS, type Subject } from './rules.ts'

const CONTEXT = /\bcontext(?:\.| has )(?<name>\w+)/g

/** What each clause's rule reads of the context; all of them may read question, principal and resource. */
function readsOf(subject: Subject): ReadonlyMap<string, readonly string[]> {
  const rules = rulesOf(subject)
  return new Map(
    clausesOf(subject).map((clause) => {
      const names = [...(rules.get(clause) ?? '').matchAll(CONTEXT)].map(({ groups }) => groups?.name ?? '')
      return [clause, [...new Set(names)]]
    })
  )
}

const READS = new Map(SUBJECTS.map((subject) => [subject, readsOf(subject)]))

/** What is remembered of one subject, question, principal and resource. */
interface Memory {
  policy: string
  /** By clause, and what its rule reads of the context: whether it is broken. */
  clauses: Map<string, boolean>
}

/**
 * The same engine for decisions that are taken together, such as those about all rows of a request: a clause depends on
 * nothing but what its rule reads, so of eight archetypes at eight compute providers each is asked about once and not in each
 * combination. For a short time only, since nothing is forgotten. Rules that somebody wrote may read anything: with them,
 * and for whatever had no answer, the engine is asked each time.
 */
export function rememberingClauses(engine: PolicyEngine): PolicyEngine {
  if (!engine.fixedRulesAlone) return engine
  const memories = new Map<string, Memory>()
  return evaluatingBy(engine, (evaluation) => {
    if (evaluation.rules !== undefined) return engine.evaluate(evaluation)
    const { subject, question, principal, resource } = evaluation
    const about = JSON.stringify([subject, question, principal, resource])
    const keys = keysOf(evaluation)
    const memory = memories.get(about)
    if (memory !== undefined && keys.every(({ key }) => memory.clauses.has(key)))
      return {
        broken: keys.flatMap(({ clause, key }) => (memory.clauses.get(key) === true ? [clause] : [])),
        forbidding: [],
        agreed: [],
        undetermined: null,
        policy: memory.policy
      }
    const answer = engine.evaluate(evaluation)
    if (isWhole(answer)) {
      const kept = memory ?? { policy: answer.policy, clauses: new Map<string, boolean>() }
      memories.set(about, kept)
      for (const { clause, key } of keys) kept.clauses.set(key, answer.broken.includes(clause))
    }
    return answer
  })
}

function keysOf({ subject, context }: Evaluation): { clause: string; key: string }[] {
  return [...(READS.get(subject) ?? [])].map(([clause, names]) => ({
    clause,
    key: JSON.stringify([clause, ...names.map((name) => context[name] ?? null)])
  }))
}

/** Every clause was evaluated. */
function isWhole({ undetermined, incomplete }: Answer): boolean {
  return undetermined === null && incomplete === undefined
}
