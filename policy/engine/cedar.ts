import { createHash } from 'node:crypto'
import type { CedarValueJson, EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import { DynamosError, toError } from '../../protocol/errors/index.ts'
import type { Answer, Evaluation, PolicyEngine, Value, Values } from './engine.ts'
import { type OwnRules, type RuleFile, readOwnRules } from './own-rules.ts'
import { clausesOf, RULES, SUBJECTS } from './rules.ts'
import { SCHEMA } from './schema.ts'

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

/** The parts of a call that the fixed and the own rules share. */
function callOf(evaluation: Evaluation) {
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

type Call = ReturnType<typeof callOf>

/**
 * The ids of the policies that made Cedar deny, or why it has no answer. A `forbid` that fails to evaluate is skipped by
 * Cedar and would lift its clause: any such error is no answer, which is a denial.
 */
function ask(
  cedar: Cedar,
  call: Call,
  policySet: string,
  schema?: string
): { denied: string[] } | { error: string } {
  const validation = schema === undefined ? {} : { preparsedSchemaName: schema }
  const answer = cedar.statefulIsAuthorized({
    ...call,
    ...validation,
    validateRequest: schema !== undefined,
    preparsedPolicySetId: policySet
  })
  if (answer.type === 'failure') return { error: answer.errors.map((error) => error.message).join('; ') }
  const { decision, diagnostics } = answer.response
  const [failed] = diagnostics.errors
  if (failed !== undefined) return { error: failed.error.message }
  if (decision === 'allow') return { denied: [] }
  return diagnostics.reason.length > 0 ? { denied: diagnostics.reason } : { error: 'nothing permits it' }
}

function assertParsed(parsed: { type: string; errors?: readonly { message: string }[] }): void {
  if (parsed.type !== 'success') {
    throw new DynamosError('internal', `Cedar: ${parsed.errors?.map((error) => error.message).join('; ')}`)
  }
}

/** Cedar names policies of a text by their position; the fixed sets are read under their clauses. */
function prepareFixed(cedar: Cedar): Map<string, string[]> {
  assertParsed(cedar.preparseSchema('dynamos', SCHEMA))
  const clauses = new Map<string, string[]>()
  for (const subject of SUBJECTS) {
    assertParsed(cedar.preparsePolicySet(subject, { staticPolicies: RULES[subject] }))
    clauses.set(subject, clausesOf(subject))
  }
  return clauses
}

class CedarEngine implements PolicyEngine {
  readonly name = 'cedar'
  readonly policy: string
  readonly #cedar: Cedar
  readonly #clauses: Map<string, string[]>
  readonly #own: (OwnRules & { set: string }) | null

  constructor(cedar: Cedar, own: OwnRules | null) {
    this.#cedar = cedar
    this.#clauses = prepareFixed(cedar)
    const ownText = own === null ? '' : JSON.stringify(own.policies)
    this.policy = sha256('cedar', cedar.getCedarVersion(), JSON.stringify(RULES), ownText)
    // Preparsed sets live as long as the process and cannot be dropped: the name is the content, so equal ones are one
    const set = `own:${this.policy}`
    this.#own = own === null ? null : { ...own, set }
    if (own !== null) assertParsed(cedar.preparsePolicySet(set, { staticPolicies: own.policies }))
  }

  get warnings() {
    return this.#own?.warnings ?? []
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
      const call = callOf(evaluation)
      const fixed = ask(this.#cedar, call, subject)
      if ('error' in fixed) return { ...answer, undetermined: fixed.error }
      if (fixed.denied.length > 0) return { ...answer, broken: this.#clausesOf(subject, fixed.denied) }
      if (this.#own === null) return answer
      const { set, rules } = this.#own
      const own = ask(this.#cedar, call, set, 'dynamos')
      if ('error' in own) return { ...answer, undetermined: own.error }
      const forbidding = own.denied.map((id) => rules.get(id) ?? { id, message: null })
      return { ...answer, forbidding: forbidding.sort((one, other) => (one.id < other.id ? -1 : 1)) }
    } catch (thrown) {
      return { ...answer, undetermined: toError(thrown).message }
    }
  }

  /** `policy0` is the permit, `policy1` the first clause. */
  #clausesOf(subject: string, ids: readonly string[]): string[] {
    const clauses = this.#clauses.get(subject) ?? []
    return clauses.filter((_, index) => ids.includes(`policy${index + 1}`))
  }
}

/**
 * The Cedar engine, with the organisation's own rules. Loading takes some 30 to 150 ms, once per process.
 *
 * @throws {RulesMalformed} when an own rule cannot be read or speaks of what the schema does not know
 */
export async function createCedarEngine(files: readonly RuleFile[] = []): Promise<PolicyEngine> {
  const cedar = await import('@cedar-policy/cedar-wasm/nodejs')
  return new CedarEngine(cedar, readOwnRules(cedar, files))
}
