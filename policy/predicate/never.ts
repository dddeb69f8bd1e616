import type { Comparison, Literal, Operand, Predicate } from './tree.ts'

/** Alternatives that are followed; what has more is left undecided. */
const MAX_ALTERNATIVES = 256

/** Something about one column that has to hold; `never` is what nothing fulfils, `null` what is not followed. */
type Fact =
  | { kind: 'compare'; column: string; op: Comparison; value: Literal }
  | { kind: 'in'; column: string; values: readonly Literal[] }
  | { kind: 'null'; column: string }
  | { kind: 'known'; column: string }
  | { kind: 'never' }

const OPPOSITE: Readonly<Record<Comparison, Comparison>> = {
  '=': '<>',
  '<>': '=',
  '<': '>=',
  '>=': '<',
  '>': '<=',
  '<=': '>'
}
const MIRRORED: Readonly<Record<Comparison, Comparison>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '>': '<',
  '<=': '>=',
  '>=': '<='
}

/** All ways in which it can hold, each a conjunction; undefined when they are too many. */
type Ways = Fact[][] | undefined

function either(ways: readonly Ways[]): Ways {
  const all: Fact[][] = []
  for (const way of ways) {
    if (way === undefined) return undefined
    all.push(...way)
    if (all.length > MAX_ALTERNATIVES) return undefined
  }
  return all
}

function both(ways: readonly Ways[]): Ways {
  let all: Fact[][] = [[]]
  for (const way of ways) {
    if (way === undefined || all.length * way.length > MAX_ALTERNATIVES) return undefined
    all = all.flatMap((one) => way.map((other) => [...one, ...other]))
  }
  return all
}

function known(...operands: readonly Operand[]): Fact[] {
  return operands.flatMap((operand) =>
    operand.kind === 'column' ? [{ kind: 'known' as const, column: operand.name.toLowerCase() }] : []
  )
}

function compared(left: Operand, op: Comparison, right: Operand): Fact[] {
  if (left.kind === 'column' && right.kind === 'column') {
    const itself = left.name.toLowerCase() === right.name.toLowerCase()
    return itself && (op === '<>' || op === '<' || op === '>') ? [{ kind: 'never' }] : known(left, right)
  }
  if (left.kind === 'column' && right.kind !== 'column')
    return [{ kind: 'compare', column: left.name.toLowerCase(), op, value: right }, ...known(left)]
  if (right.kind === 'column' && left.kind !== 'column')
    return [
      { kind: 'compare', column: right.name.toLowerCase(), op: MIRRORED[op], value: left },
      ...known(right)
    ]
  return []
}

function isLiteral(operand: Operand): operand is Literal {
  return operand.kind !== 'column'
}

/** `not` holds exactly where its inside is false, never where it is unknown, so that it can be pushed inwards. */
function waysOf(predicate: Predicate, holds: boolean): Ways {
  switch (predicate.kind) {
    case 'and':
    case 'or': {
      const ways = predicate.terms.map((term) => waysOf(term, holds))
      return (predicate.kind === 'and') === holds ? both(ways) : either(ways)
    }
    case 'not':
      return waysOf(predicate.term, !holds)
    case 'compare': {
      const { left, op, right } = predicate
      return [compared(left, holds ? op : OPPOSITE[op], right)]
    }
    case 'between': {
      const { operand, low, high, negated } = predicate
      return negated === holds
        ? [compared(operand, '<', low), compared(operand, '>', high)]
        : [[...compared(operand, '>=', low), ...compared(operand, '<=', high)]]
    }
    case 'in': {
      const { operand, list, negated } = predicate
      if (negated === holds) return [list.flatMap((item) => compared(operand, '<>', item))]
      if (operand.kind !== 'column' || !list.every(isLiteral)) return [known(operand)]
      return [[{ kind: 'in', column: operand.name.toLowerCase(), values: list }, ...known(operand)]]
    }
    case 'null': {
      const { operand, negated } = predicate
      if (operand.kind !== 'column') return negated === holds ? [[]] : [[{ kind: 'never' }]]
      return [negated === holds ? known(operand) : [{ kind: 'null', column: operand.name.toLowerCase() }]]
    }
    case 'truth':
      return [compared(predicate.operand, '=', { kind: 'boolean', value: holds })].map((facts) =>
        predicate.operand.kind === 'boolean' && predicate.operand.value !== holds
          ? [{ kind: 'never' }]
          : facts
      )
  }
}

/** What can be put in order without knowing a column's type, and without losing a digit. */
function ordered(literal: Literal): number | undefined {
  if (literal.kind === 'boolean') return literal.value ? 1 : 0
  if (literal.kind === 'date') return Date.parse(`${literal.value}T00:00:00Z`)
  if (literal.kind === 'number' && /^-?[\d.]{1,15}$/.test(literal.text)) return Number(literal.text)
  return undefined
}

function excludes(facts: readonly Fact[]): boolean {
  const values = facts.flatMap((fact) =>
    fact.kind === 'compare' ? [fact.value] : fact.kind === 'in' ? fact.values : []
  )
  const kinds = new Set(values.map((value) => value.kind))
  const orders = new Map(values.map((value) => [value, ordered(value)] as const))
  // A text is read as the column's type: '5' and '05' may be equal. Of two kinds nobody can tell what equals what
  if (kinds.size !== 1 || [...orders.values()].includes(undefined)) return false
  const place = (value: Literal) => orders.get(value) ?? 0
  let low = Number.NEGATIVE_INFINITY
  let high = Number.POSITIVE_INFINITY
  let open = false
  const without = new Set<number>()
  let only: Set<number> | undefined
  const among = (places: readonly number[]) => {
    only = new Set(places.filter((one) => only === undefined || only.has(one)))
  }
  for (const fact of facts) {
    if (fact.kind === 'in') among(fact.values.map(place))
    if (fact.kind !== 'compare') continue
    const at = place(fact.value)
    if (fact.op === '=') among([at])
    else if (fact.op === '<>') without.add(at)
    else if (fact.op.startsWith('>')) {
      if (at > low || (at === low && fact.op === '>'))
        [low, open] = [at, fact.op === '>' || (at === low && open)]
    } else if (at < high) high = at
  }
  const strictlyBelow = (at: number) =>
    facts.some((fact) => fact.kind === 'compare' && fact.op === '<' && place(fact.value) === at)
  const fits = (at: number) =>
    !without.has(at) &&
    (at > low || (at === low && !open)) &&
    (at < high || (at === high && !strictlyBelow(at)))
  if (only !== undefined) return ![...only].some(fits)
  return low > high || (low === high && !fits(low))
}

/** The column by which a conjunction cannot hold; the empty name where it is none's fault. */
function contradiction(facts: readonly Fact[]): string | undefined {
  if (facts.some((fact) => fact.kind === 'never')) return ''
  const columns = new Set(facts.flatMap((fact) => (fact.kind === 'never' ? [] : [fact.column])))
  return [...columns].find((column) => {
    const own = facts.filter((fact) => fact.kind !== 'never' && fact.column === column)
    const isNull = own.some((fact) => fact.kind === 'null')
    return (isNull && own.some((fact) => fact.kind !== 'null')) || excludes(own)
  })
}

/**
 * Whether a predicate can hold for no row at all, whatever the data: `x > 5 and x < 3`, `x = 1 and x is null`. Decided column
 * by column for numbers, dates, truth and NULL; anything else, and what has more than 256 alternatives, is not decided.
 *
 * @returns the column by which it cannot hold, in small letters, `''` where it is about none; undefined when it may hold
 */
export function neverHolds(predicate: Predicate): string | undefined {
  const ways = waysOf(predicate, true)
  if (ways === undefined) return undefined
  const reasons = ways.map(contradiction)
  return reasons.includes(undefined) ? undefined : (reasons[0] ?? '')
}
