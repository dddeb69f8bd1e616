import { createHash } from 'node:crypto'
import type { CedarValueJson, EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import { DynamosError, toError } from '../../protocol/errors/index.ts'
import type { Answer, Evaluation, OwnRule, PolicyEngine, RuleFinding, Value, Values } from './engine.ts'
import { type OwnRules, type RuleFile, readOwnRules } from './own-rules.ts'
import { clausesOf, RULES, rulesOf, SUBJECTS, type Subject } from './rules.ts'

export type Cedar = typeof import('@cedar-policy/cedar-wasm/nodejs')

function sha256(...parts: string[]): string {
  const hash = createHash('sha256')
  // Lengths first: no two lists of parts have the same bytes
  for (const part of parts) hash.update(`${part.length}:`).update(part)
  return hash.digest('hex')
}

function cedarValue(value: Value): CedarValueJson {
  if (typeof value !== 'object') return value
  if (Array.isArray(value)) return [...value]
  if ('datetime' in value) return { __extn: { fn: 'datetime', arg: new Date(value.datetime).toISOString() } }
  if ('entities' in value) return value.entities.map((entity) => ({ __entity: entity }))
  if ('any' in value) return { any: value.any, names: [...value.names] }
  if ('record' in value) return cedarRecord(value.record)
  throw new TypeError('expected a value of a fact')
}

function cedarRecord(values: Values): Record<string, CedarValueJson> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, cedarValue(value)]))
}

/** An evaluation in the form of Cedar. */
export function callOf(evaluation: Evaluation) {
  const { organisation, name } = evaluation.principal
  const principal = { type: 'User', id: `${organisation}/${name}` }
  const resource = { type: evaluation.subject, id: evaluation.resource.id }
  const entities: EntityJson[] = [
    { uid: principal, attrs: { organisation, name }, parents: [{ type: 'Organisation', id: organisation }] },
    { uid: resource, attrs: cedarRecord(evaluation.resource.attributes), parents: [] }
  ]
  const action = { type: 'Action', id: evaluation.question }
  return { principal, action, resource, entities, context: cedarRecord(evaluation.context) }
}

/** A failed call and a `forbid` that failed to evaluate, which Cedar skips and which would lift its clause. */
type Asked = { denied: string[]; errors: string[] }

function ask(cedar: Cedar, evaluation: Evaluation, policySet: string): Asked {
  const answer = cedar.statefulIsAuthorized({
    ...callOf(evaluation),
    validateRequest: false,
    preparsedPolicySetId: policySet
  })
  if (answer.type === 'failure') return { denied: [], errors: answer.errors.map((error) => error.message) }
  const { decision, diagnostics } = answer.response
  const errors = diagnostics.errors.map((failed) => failed.error.message)
  if (decision === 'allow') return { denied: [], errors }
  return {
    denied: diagnostics.reason,
    errors: diagnostics.reason.length > 0 ? errors : [...errors, 'nothing permits it']
  }
}

class CedarEngine implements PolicyEngine {
  readonly name = 'cedar'
  readonly policy: string
  readonly warnings: readonly RuleFinding[]
  readonly fixedRulesAlone: boolean
  readonly #cedar: Cedar
  readonly #own: OwnRules

  /**
   * One set for each subject: the fixed rules under their clauses, and the own ones. One call then answers for both, since
   * nearly all of its time goes into handing over the entities. Preparsed sets live as long as the process and cannot be
   * dropped: their name is their content, so equal ones are one.
   */
  constructor(cedar: Cedar, own: OwnRules) {
    this.#cedar = cedar
    this.#own = own
    this.warnings = own.warnings
    this.fixedRulesAlone = own.rules.size === 0
    this.policy = sha256(
      'cedar',
      cedar.getCedarVersion(),
      JSON.stringify(RULES),
      JSON.stringify(own.policies)
    )
    for (const subject of SUBJECTS) {
      const staticPolicies = { ...Object.fromEntries(rulesOf(subject)), ...own.policies }
      const parsed = cedar.preparsePolicySet(this.#setOf(subject), { staticPolicies })
      if (parsed.type !== 'success') {
        throw new DynamosError('internal', `Cedar: ${parsed.errors.map((error) => error.message).join('; ')}`)
      }
    }
  }

  evaluate(evaluation: Evaluation): Answer {
    const { subject, resource } = evaluation
    const answer: Answer = {
      broken: [],
      forbidding: [],
      undetermined: null,
      policy: sha256(this.policy, subject, resource.id)
    }
    try {
      const { denied, errors } = ask(this.#cedar, evaluation, this.#setOf(subject))
      const broken = clausesOf(subject).filter((clause) => denied.includes(clause))
      if (broken.length > 0)
        return { ...answer, broken, ...(errors.length === 0 ? {} : { incomplete: true as const }) }
      if (errors.length > 0) return { ...answer, undetermined: errors.join('; ') }
      const { rules } = this.#own
      return { ...answer, forbidding: denied.map((id) => rules.get(id) ?? { id, message: null }).sort(byId) }
    } catch (thrown) {
      return { ...answer, undetermined: toError(thrown).message }
    }
  }

  #setOf(subject: Subject): string {
    return `${subject}:${this.policy}`
  }
}

function byId(one: OwnRule, other: OwnRule): number {
  return one.id < other.id ? -1 : one.id > other.id ? 1 : 0
}

/** The first decision of a process takes 80 ms, the machine code of the engine being made; better at start than in a negotiation. */
function warmUp(engine: PolicyEngine): void {
  const principal = { organisation: 'nobody', name: 'nobody' }
  for (const subject of SUBJECTS) {
    engine.evaluate({
      subject,
      question: 'accept',
      principal,
      resource: { id: '', attributes: {} },
      context: {}
    })
  }
}

/**
 * The Cedar engine, with the organisation's own rules. Loading takes some 200 ms, once per process.
 *
 * @throws {RulesMalformed} when an own rule cannot be read or speaks of what the schema does not know
 */
export async function createCedarEngine(files: readonly RuleFile[] = []): Promise<PolicyEngine> {
  const cedar = await import('@cedar-policy/cedar-wasm/nodejs')
  const engine = new CedarEngine(cedar, readOwnRules(cedar, files))
  warmUp(engine)
  return engine
}
