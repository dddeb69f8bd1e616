import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import type { Question } from '../../protocol/documents/index.ts'
import type { Subject } from './rules.ts'

/** What a rule may be asked about: one question about one kind of resource. */
export interface Situation {
  question: Question
  subject: Subject
}

/**
 * A statement that a situation makes true or false, as far as it is understood: what is not understood is an `opaque` one that
 * may be either, but not both at once.
 */
export type Formula =
  | { is: 'known'; value: boolean }
  | { is: 'and' | 'or'; parts: Formula[] }
  | { is: 'equal'; path: string; value: string; holds: boolean }
  | { is: 'within'; path: string; from: number; to: number }
  | { is: 'opaque'; key: string; holds: boolean }

const TRUE: Formula = { is: 'known', value: true }
const FALSE: Formula = { is: 'known', value: false }
const known = (value: boolean): Formula => (value ? TRUE : FALSE)
const and = (...parts: Formula[]): Formula => ({ is: 'and', parts })
const or = (...parts: Formula[]): Formula => ({ is: 'or', parts })

export function not(formula: Formula): Formula {
  switch (formula.is) {
    case 'known':
      return known(!formula.value)
    case 'and':
      return or(...formula.parts.map(not))
    case 'or':
      return and(...formula.parts.map(not))
    case 'equal':
    case 'opaque':
      return { ...formula, holds: !formula.holds }
    case 'within': {
      const { path, from, to } = formula
      return or(
        { is: 'within', path, from: Number.NEGATIVE_INFINITY, to: from - 1 },
        { is: 'within', path, from: to + 1, to: Number.POSITIVE_INFINITY }
      )
    }
  }
}

/** Facts that are always, or never, there in a situation. Others may be. */
function presence(attribute: string, { subject, question }: Situation): boolean | null {
  const early = question === 'discover' || question === 'offer'
  switch (attribute) {
    case 'flow':
      return subject === 'Contract'
    case 'tables':
    case 'columns':
    case 'unsandboxed':
      return subject === 'Agreement' ? (early ? null : true) : false
    case 'services':
      return subject === 'Contract' ? true : subject === 'Agreement' ? (early ? null : true) : false
    case 'pseudonymsOpenTo':
    case 'requestsInWindow':
    case 'approved':
      return subject === 'Agreement' ? null : false
    default:
      return null
  }
}

/** Whole numbers that stand between bounds, whatever happens. */
const BOUNDS: Readonly<Record<string, readonly [number, number]>> = {
  'context.hour': [0, 23],
  'context.instant': [0, Number.POSITIVE_INFINITY],
  'context.requestsInWindow': [0, Number.POSITIVE_INFINITY],
  'context.flow.rows': [0, Number.POSITIVE_INFINITY]
}

type Node = Readonly<Record<string, unknown>>

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `context.flow.rows`; null for anything that is not a chain of attributes. */
export function pathOf(expression: unknown): string | null {
  if (!isNode(expression)) return null
  if (typeof expression.Var === 'string') return expression.Var
  const access = expression['.']
  if (!isNode(access) || typeof access.attr !== 'string') return null
  const left = pathOf(access.left)
  return left === null ? null : `${left}.${access.attr}`
}

/** An entity or a text as one word, so that they can be compared. */
function wordOf(value: unknown): string | null {
  if (typeof value === 'string') return JSON.stringify(value)
  const entity = isNode(value) ? value.__entity : undefined
  return isNode(entity) ? `${String(entity.type)}::${JSON.stringify(entity.id)}` : null
}

export function literalOf(expression: unknown): unknown {
  return isNode(expression) && 'Value' in expression ? expression.Value : undefined
}

/** The values of a set that is written out; null for any other expression. */
export function literalsOf(expression: unknown): unknown[] | null {
  if (!isNode(expression) || !Array.isArray(expression.Set)) return null
  const values = expression.Set.map(literalOf)
  return values.includes(undefined) ? null : values
}

const FLIPPED: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=', '==': '==' }

function interval(path: string, operator: string, value: number): Formula | null {
  const [from, to] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  switch (operator) {
    case '<':
      return { is: 'within', path, from, to: value - 1 }
    case '<=':
      return { is: 'within', path, from, to: value }
    case '>':
      return { is: 'within', path, from: value + 1, to }
    case '>=':
      return { is: 'within', path, from: value, to }
    case '==':
      return { is: 'within', path, from: value, to: value }
    default:
      return null
  }
}

function compared(operator: string, left: unknown, right: unknown, situation: Situation): Formula | null {
  const [one, other] = [literalOf(left), literalOf(right)]
  if (typeof one === 'number' && typeof other === 'number')
    return known(
      { '<': one < other, '<=': one <= other, '>': one > other, '>=': one >= other, '==': one === other }[
        operator
      ] ?? false
    )
  if (other === undefined && one !== undefined)
    return compared(FLIPPED[operator] ?? operator, right, left, situation)
  const path = pathOf(left)
  if (path === null) return null
  if (typeof other === 'number') return interval(path, operator, other)
  if (operator !== '==') return null
  if (typeof other === 'boolean') {
    const formula = formulaOf(left, situation)
    return other ? formula : not(formula)
  }
  const value = wordOf(other)
  if (value === null) return null
  if (path === 'action') return known(value === wordOf({ __entity: actionOf(situation) }))
  return { is: 'equal', path, value, holds: true }
}

function actionOf({ question }: Situation): { type: string; id: string } {
  return { type: 'Action', id: question }
}

function member(left: unknown, right: unknown, situation: Situation): Formula | null {
  if (pathOf(left) !== 'action') return null
  const values = literalsOf(right) ?? [literalOf(right)]
  const words = values.map(wordOf)
  return words.includes(null) ? null : known(words.includes(wordOf({ __entity: actionOf(situation) })))
}

function typed(operand: Node, { subject }: Situation): Formula | null {
  const path = pathOf(operand.left)
  if ('in' in operand && operand.in !== undefined) return null
  if (path === 'resource') return known(operand.entity_type === subject)
  return path === 'principal' ? known(operand.entity_type === 'User') : null
}

/** `["a", "b"].contains(context.purpose)` is a choice of equalities. */
function chosen(left: unknown, right: unknown, situation: Situation): Formula | null {
  const values = literalsOf(left)
  if (values === null || values.length > 32) return null
  const parts = values.map((value) => compared('==', right, { Value: value }, situation))
  const understood = parts.filter((part) => part !== null)
  return understood.length === parts.length ? or(...understood) : null
}

function understood(expression: Node, situation: Situation): Formula | null {
  const [[operator, operand] = []] = Object.entries(expression)
  if (operator === 'Value') return typeof operand === 'boolean' ? known(operand) : null
  if (!isNode(operand)) return null
  const { left, right } = operand
  switch (operator) {
    case '&&':
      return and(formulaOf(left, situation), formulaOf(right, situation))
    case '||':
      return or(formulaOf(left, situation), formulaOf(right, situation))
    case '!':
      return not(formulaOf(operand.arg, situation))
    case 'if-then-else': {
      const condition = formulaOf(operand.if, situation)
      return or(
        and(condition, formulaOf(operand.then, situation)),
        and(not(condition), formulaOf(operand.else, situation))
      )
    }
    case 'has': {
      const there =
        pathOf(left) === 'context' && typeof operand.attr === 'string'
          ? presence(operand.attr, situation)
          : null
      return there === null ? null : known(there)
    }
    case '!=': {
      const equal = compared('==', left, right, situation)
      return equal === null ? null : not(equal)
    }
    case 'in':
      return member(left, right, situation)
    case 'is':
      return typed(operand, situation)
    case 'contains':
      return chosen(left, right, situation)
    default:
      return operator !== undefined && operator in FLIPPED ? compared(operator, left, right, situation) : null
  }
}

function formulaOf(expression: unknown, situation: Situation): Formula {
  const found = isNode(expression) ? understood(expression, situation) : null
  return found ?? { is: 'opaque', key: JSON.stringify(expression), holds: true }
}

function scope(rule: Firing, situation: Situation): Formula {
  const { action, principal, resource } = rule
  const parts: Formula[] = []
  if (action.op === '==' && 'entity' in action)
    parts.push(
      formulaOf(
        { '==': { left: { Var: 'action' }, right: { Value: { __entity: action.entity } } } },
        situation
      )
    )
  if (action.op === 'in') {
    const named = 'entities' in action ? action.entities : [action.entity]
    const right = { Set: named.map((entity) => ({ Value: { __entity: entity } })) }
    parts.push(formulaOf({ in: { left: { Var: 'action' }, right } }, situation))
  }
  for (const [variable, constraint] of [
    ['principal', principal],
    ['resource', resource]
  ] as const) {
    if (constraint.op === 'is') {
      parts.push(
        formulaOf({ is: { left: { Var: variable }, entity_type: constraint.entity_type } }, situation)
      )
      if (constraint.in !== undefined)
        parts.push({ is: 'opaque', key: `${variable} in ${JSON.stringify(constraint.in)}`, holds: true })
    } else if (constraint.op !== 'All')
      parts.push({ is: 'opaque', key: `${variable} ${JSON.stringify(constraint)}`, holds: true })
  }
  return and(...parts)
}

/** A rule, as far as it says when it fires. */
export interface Firing extends Pick<PolicyJson, 'action' | 'principal' | 'resource'> {
  conditions: readonly { kind: string; body: unknown }[]
}

/** When a rule fires in a situation. */
export function firesWhen(rule: Firing, situation: Situation): Formula {
  const conditions = rule.conditions.map(({ kind, body }) => {
    const formula = formulaOf(body, situation)
    return kind === 'when' ? formula : not(formula)
  })
  return and(scope(rule, situation), ...conditions)
}

type Literal = Exclude<Formula, { is: 'known' | 'and' | 'or' }>

/** More alternatives than this are not looked through. */
const MAX_CASES = 512

/** The alternatives under which a formula holds; null when there are too many to look through. */
function casesOf(formula: Formula): Literal[][] | null {
  switch (formula.is) {
    case 'known':
      return formula.value ? [[]] : []
    case 'or': {
      const cases: Literal[][] = []
      for (const part of formula.parts) {
        const more = casesOf(part)
        if (more === null || cases.length + more.length > MAX_CASES) return null
        cases.push(...more)
      }
      return cases
    }
    case 'and': {
      let cases: Literal[][] = [[]]
      for (const part of formula.parts) {
        const more = casesOf(part)
        if (more === null || cases.length * more.length > MAX_CASES) return null
        cases = cases.flatMap((one) => more.map((other) => [...one, ...other])).filter(isConsistent)
      }
      return cases
    }
    default:
      return isConsistent([formula]) ? [[formula]] : []
  }
}

function isConsistent(literals: readonly Literal[]): boolean {
  const opaque = new Map<string, boolean>()
  const equal = new Map<string, string>()
  const unequal = new Set<string>()
  const within = new Map<string, readonly [number, number]>()
  for (const literal of literals) {
    switch (literal.is) {
      case 'opaque':
        if ((opaque.get(literal.key) ?? literal.holds) !== literal.holds) return false
        opaque.set(literal.key, literal.holds)
        break
      case 'equal': {
        const { path, value, holds } = literal
        if (!holds) unequal.add(JSON.stringify([path, value]))
        else if ((equal.get(path) ?? value) !== value) return false
        else equal.set(path, value)
        break
      }
      case 'within': {
        const [from, to] = within.get(literal.path) ??
          BOUNDS[literal.path] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
        const [low, high] = [Math.max(from, literal.from), Math.min(to, literal.to)]
        if (low > high) return false
        within.set(literal.path, [low, high])
        break
      }
    }
  }
  return ![...equal].some(([path, value]) => unequal.has(JSON.stringify([path, value])))
}

/** Whether something can be the case; what is not understood can. */
export function isPossible(...formulas: Formula[]): boolean {
  return casesOf(and(...formulas))?.length !== 0
}
