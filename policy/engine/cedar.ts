import { createHash } from 'node:crypto'
import type { CedarValueJson, EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import { toError } from '../../protocol/errors/index.ts'
import type { Cedar } from './cedar-module.ts'
import type { Answer, Evaluation, PolicyEngine, Value, Values } from './engine.ts'
import type { OwnRule, RuleFile } from './own-rule.ts'
import { type NamedRules, namedRules, type ReadRules, RulesMalformed, readRules } from './own-rules.ts'
import { preparsed } from './preparsed.ts'
import type { RuleFinding } from './rule-finding.ts'
import { clausesOf, PERMIT, RULES, rulesOf, SUBJECTS, type Subject } from './rules.ts'

/** What the text of an agreement's rules is called, in findings and in names of rules without an `@id`. */
export const AGREED_FILE = 'cedar'

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

/** An agreement's own rules, read once. */
interface AgreedRules extends NamedRules {
  objections: readonly RuleFinding[]
}

/** Texts of agreements' rules that are kept read. */
const MAX_TEXTS = 4096

/** By text: what they say does not depend on the organisation's own rules, which change. */
const agreedRules = new Map<string, AgreedRules>()

class CedarEngine implements PolicyEngine {
  readonly name = 'cedar'
  readonly source: PolicyEngine['source']
  readonly policy: string
  readonly warnings: readonly RuleFinding[]
  readonly rules: readonly OwnRule[]
  readonly fixedRulesAlone: boolean
  readonly #cedar: Cedar
  readonly #own: NamedRules

  /**
   * One set for each subject: the fixed rules under their clauses, and the own ones. One call then answers for both, since
   * nearly all of its time goes into handing over the entities. The rules of an agreement are a set of their own, which only
   * that agreement pays for.
   */
  constructor(cedar: Cedar, own: ReadRules, files: readonly RuleFile[]) {
    this.#cedar = cedar
    this.source = { engine: `cedar ${cedar.getCedarVersion()}`, files }
    this.#own = namedRules(own.rules)
    this.rules = [...this.#own.rules.values()]
    this.warnings = own.warnings
    this.fixedRulesAlone = own.rules.length === 0
    this.policy = sha256(
      'cedar',
      cedar.getCedarVersion(),
      JSON.stringify(RULES),
      JSON.stringify(this.#own.policies)
    )
    for (const subject of SUBJECTS) this.#setOf(subject)
  }

  rulesIn(rules: string): readonly OwnRule[] {
    return [...this.#agreedRules(rules).rules.values()]
  }

  objections(rules: string): readonly RuleFinding[] {
    return this.#agreedRules(rules).objections
  }

  evaluate(evaluation: Evaluation): Answer {
    const { subject, resource } = evaluation
    const answer: Answer = {
      broken: [],
      forbidding: [],
      agreed: [],
      undetermined: null,
      policy: sha256(this.policy, subject, resource.id)
    }
    try {
      const { denied, errors } = ask(this.#cedar, evaluation, this.#setOf(subject))
      const broken = clausesOf(subject).filter((clause) => denied.includes(clause))
      if (broken.length > 0)
        return { ...answer, broken, ...(errors.length === 0 ? {} : { incomplete: true as const }) }
      if (errors.length > 0) return { ...answer, undetermined: errors.join('; ') }
      const forbidding = named(denied, this.#own)
      if (evaluation.rules === undefined) return { ...answer, forbidding }
      return { ...answer, forbidding, ...this.#askAgreed(evaluation, evaluation.rules) }
    } catch (thrown) {
      return { ...answer, undetermined: toError(thrown).message }
    }
  }

  examine(evaluation: Evaluation): Answer {
    const answer = this.evaluate(evaluation)
    if (answer.broken.length === 0) return answer
    const { denied } = ask(this.#cedar, evaluation, this.#setOf(evaluation.subject))
    const { agreed = [] } =
      evaluation.rules === undefined ? {} : this.#askAgreed(evaluation, evaluation.rules)
    return { ...answer, forbidding: named(denied, this.#own), agreed }
  }

  #askAgreed(evaluation: Evaluation, text: string): Partial<Answer> {
    const agreed = this.#agreedRules(text)
    const [objection] = agreed.objections
    if (objection !== undefined) return { undetermined: `the rules of the agreement: ${objection.message}` }
    const set = preparsed(this.#cedar, `agreed:${sha256(text)}`, () => ({
      permit: PERMIT,
      ...agreed.policies
    }))
    const { denied, errors } = ask(this.#cedar, evaluation, set)
    if (errors.length > 0) return { undetermined: errors.join('; ') }
    return { agreed: named(denied, agreed) }
  }

  #agreedRules(text: string): AgreedRules {
    const known = agreedRules.get(text)
    if (known !== undefined) return known
    const read = readRules(this.#cedar, [{ file: AGREED_FILE, text }])
    const rules = { ...namedRules(read.rules), objections: read.errors }
    const [oldest] = agreedRules.keys()
    if (agreedRules.size >= MAX_TEXTS && oldest !== undefined) agreedRules.delete(oldest)
    agreedRules.set(text, rules)
    return rules
  }

  #setOf(subject: Subject): string {
    return preparsed(this.#cedar, `${subject}:${this.policy}`, () => ({
      ...Object.fromEntries(rulesOf(subject)),
      ...this.#own.policies
    }))
  }
}

function named(denied: readonly string[], { rules }: NamedRules): OwnRule[] {
  return denied.flatMap((name) => rules.get(name) ?? []).sort(byId)
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
  const engine = engineOf(cedar, readRules(cedar, files), files)
  warmUp(engine)
  return engine
}

/** @throws {RulesMalformed} */
export function engineOf(cedar: Cedar, own: ReadRules, files: readonly RuleFile[]): PolicyEngine {
  if (own.errors.length > 0) throw new RulesMalformed(own.errors)
  return new CedarEngine(cedar, own, files)
}
