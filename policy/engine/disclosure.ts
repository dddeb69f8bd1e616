import { agreementContext } from './agreement-entity.ts'
import { engineOf } from './cedar.ts'
import type { Cedar } from './cedar-module.ts'
import { type Formula, firesWhen, isPossible, literalOf, pathOf } from './condition.ts'
import { type Answer, type PolicyEngine, permits, type Value, type Values } from './engine.ts'
import { discoveryFacts } from './facts.ts'
import type { OwnRule, RuleFile } from './own-rule.ts'
import { type ReadRule, readRules } from './own-rules.ts'

/** Who would learn of what. An organisation asks, not a person. */
export interface DisclosureFacts {
  /** Instant in milliseconds. */
  now: number
  /** The provider that decides. */
  organisation: string
  /** The organisation that would learn of it. */
  asker: string
  dataset: string
}

export interface DisclosureVerdict {
  verdict: 'permit' | 'deny'
  /** The rules that forbid. */
  forbidding: readonly OwnRule[]
  /** Why there is no answer, which is a denial; for the local log. */
  undetermined: string | null
}

/**
 * What an organisation's own rules say to `discover`: who may learn that a dataset is there. It is asked before there is a
 * request, so a rule takes part when everything it reads is known by then, or when it names `Action::"discover"` itself, and
 * then reads empty texts for the rest: a rule about purposes is no rule about who may know of a dataset.
 */
export interface DisclosureRules {
  /** Names what decides: other rules, another name. */
  readonly policy: string
  readonly rules: readonly OwnRule[]
  /** Whether the answer to the same question can change by itself. */
  readonly readsTime: boolean
  decide(facts: DisclosureFacts): DisclosureVerdict
  /**
   * Whether no rule can keep a dataset from anybody at any time, so that it can be told where one cannot see who listens.
   * What is not understood can.
   */
  open(facts: Pick<DisclosureFacts, 'organisation' | 'dataset'>): boolean
}

const DISCOVER = { question: 'discover', subject: 'Agreement' } as const
const TIME = ['context.now', 'context.instant', 'context.hour']
const KNOWN = [
  ...TIME,
  'action',
  'context.self',
  'context.requester',
  'context.datasets',
  'context.dataProviders',
  'principal.organisation',
  'resource.dataset',
  'resource.provider'
]

type Visit = (expression: unknown) => boolean

/** Whether something holds for an expression or anything in it. */
function anywhere(expression: unknown, holds: Visit): boolean {
  if (holds(expression)) return true
  if (typeof expression !== 'object' || expression === null) return false
  return Object.values(expression).some((part) => anywhere(part, holds))
}

function isEntity(value: unknown, type: string, id?: string): boolean {
  if (typeof value !== 'object' || value === null) return false
  if ('__entity' in value) return isEntity(value.__entity, type, id)
  return 'type' in value && value.type === type && 'id' in value && (id === undefined || value.id === id)
}

/** Whether it is written about this question: in its scope or in its conditions. */
function namesDiscover({ json: { action, conditions } }: ReadRule): boolean {
  return anywhere([action, conditions], (part) => isEntity(part, 'Action', 'discover'))
}

/** Whether an expression reads anything else than what is known before there is a request. */
function readsUnknown(expression: unknown): boolean {
  if (typeof expression !== 'object' || expression === null) return false
  const path = pathOf(expression)
  if (path !== null) return !KNOWN.includes(path)
  for (const [operator, operand] of Object.entries(expression)) {
    if (operator === 'has') return true
    if (operator === 'is' || operator === 'in') {
      const { left, right, in: within }: Record<string, unknown> = { ...operand }
      const kind = pathOf(left)
      // A person, or one agreement, is not known yet.
      const person = anywhere(
        [right, within],
        (part) => isEntity(part, 'User') || isEntity(part, 'Agreement')
      )
      if (person || readsUnknown(right) || readsUnknown(within)) return true
      if (kind !== 'principal' && kind !== 'resource' && readsUnknown(left)) return true
      continue
    }
    if (readsUnknown(operand)) return true
  }
  return false
}

function isKnownBefore({ json: { principal, resource, conditions } }: ReadRule): boolean {
  const named = [principal, resource].some((constraint) =>
    anywhere(constraint, (part) => isEntity(part, 'User') || isEntity(part, 'Agreement'))
  )
  return !named && !conditions.some(({ body }) => readsUnknown(body))
}

function isAsked(rule: ReadRule): boolean {
  return isPossible(firesWhen(rule.json, DISCOVER)) && (namesDiscover(rule) || isKnownBefore(rule))
}

/** `context.datasets.contains("…")` is settled once the dataset is known. */
function settled(expression: unknown, dataset: string): unknown {
  if (Array.isArray(expression)) return expression.map((part) => settled(part, dataset))
  if (typeof expression !== 'object' || expression === null) return expression
  if ('contains' in expression && typeof expression.contains === 'object' && expression.contains !== null) {
    const { left, right }: Record<string, unknown> = { ...expression.contains }
    const named = literalOf(right)
    if (pathOf(left) === 'context.datasets' && typeof named === 'string') return { Value: named === dataset }
  }
  return Object.fromEntries(
    Object.entries(expression).map(([operator, operand]) => [operator, settled(operand, dataset)])
  )
}

function canHide(rule: ReadRule, organisation: string, dataset: string): boolean {
  const conditions = rule.json.conditions.map((condition) => ({
    ...condition,
    body: settled(condition.body, dataset)
  }))
  const is = (path: string, value: string): Formula => ({
    is: 'equal',
    path,
    value: JSON.stringify(value),
    holds: true
  })
  return isPossible(
    firesWhen({ ...rule.json, conditions }, DISCOVER),
    is('resource.dataset', dataset),
    is('resource.provider', organisation),
    is('context.self', organisation)
  )
}

/** Any agreement there could be about it, so that what no agreement says yet keeps nobody from knowing of it. */
function whatever({ organisation, asker, dataset }: DisclosureFacts): Values {
  const anything: Value = { any: true, names: [] }
  return {
    name: '',
    provider: organisation,
    dataset,
    users: { entities: [] },
    organisations: { entities: [{ type: 'Organisation', id: asker }] },
    purposes: anything,
    archetypes: anything,
    algorithms: anything,
    computeProviders: anything,
    recipients: anything,
    tables: [],
    columns: [],
    require: [],
    forbid: [],
    validUntil: Number.MAX_SAFE_INTEGER,
    sandboxed: false,
    approval: false
  }
}

function answerOf(engine: PolicyEngine, asked: DisclosureFacts): Answer {
  const { now, organisation, asker, dataset } = asked
  const requester = { organisation: asker, name: '' }
  const facts = discoveryFacts({ now, organisation, requester, dataset })
  const agreement: Parameters<typeof agreementContext>[0] = {
    id: '',
    payload: { terms: { timezone: 'UTC' } }
  }
  return engine.evaluate({
    subject: 'Agreement',
    question: facts.question,
    principal: requester,
    resource: { id: '', attributes: whatever(asked) },
    context: agreementContext(agreement, facts)
  })
}

/** @throws {RulesMalformed} */
export function disclosureRules(cedar: Cedar, files: readonly RuleFile[]): DisclosureRules {
  const read = readRules(cedar, files)
  const asked = read.rules.filter(isAsked)
  const engine = engineOf(cedar, { ...read, rules: asked }, files)
  return {
    policy: engine.policy,
    rules: engine.rules,
    readsTime: asked.some(({ json }) =>
      anywhere(json.conditions, (part) => TIME.includes(pathOf(part) ?? ''))
    ),
    decide: (facts) => {
      if (asked.length === 0) return { verdict: 'permit', forbidding: [], undetermined: null }
      const answer = answerOf(engine, facts)
      return {
        verdict: permits(answer) ? 'permit' : 'deny',
        forbidding: answer.forbidding,
        undetermined: answer.undetermined
      }
    },
    open: ({ organisation, dataset }) => !asked.some((rule) => canHide(rule, organisation, dataset))
  }
}

/** Loads Cedar, which takes some 200 ms once per process. @throws {RulesMalformed} */
export async function createDisclosureRules(files: readonly RuleFile[] = []): Promise<DisclosureRules> {
  return disclosureRules(await import('@cedar-policy/cedar-wasm/nodejs'), files)
}
