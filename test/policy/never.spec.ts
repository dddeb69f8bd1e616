import { expect } from 'chai'
import fc from 'fast-check'
import { neverHolds, type Operand, type Predicate, parsePredicate } from '../../policy/index.ts'

type Cell = number | boolean | null
type Row = Readonly<Record<string, Cell>>

/** Three-valued, as SQL has it; null is unknown. */
function holds(predicate: Predicate, row: Row): boolean | null {
  const value = (operand: Operand): Cell => {
    if (operand.kind === 'column') return row[operand.name.toLowerCase()] ?? null
    if (operand.kind === 'number') return Number(operand.text)
    return operand.kind === 'boolean' ? operand.value : null
  }
  const compare = (op: string, left: Cell, right: Cell): boolean | null => {
    if (left === null || right === null) return null
    const [one, other] = [Number(left), Number(right)]
    if (op === '=') return one === other
    if (op === '<>') return one !== other
    if (op === '<') return one < other
    if (op === '<=') return one <= other
    return op === '>' ? one > other : one >= other
  }
  const not = (truth: boolean | null) => (truth === null ? null : !truth)
  const and = (truths: (boolean | null)[]) =>
    truths.includes(false) ? false : truths.includes(null) ? null : true
  switch (predicate.kind) {
    case 'and':
      return and(predicate.terms.map((term) => holds(term, row)))
    case 'or':
      return not(and(predicate.terms.map((term) => not(holds(term, row)))))
    case 'not':
      return not(holds(predicate.term, row))
    case 'compare':
      return compare(predicate.op, value(predicate.left), value(predicate.right))
    case 'between': {
      const { operand, low, high, negated } = predicate
      const inside = and([
        compare('>=', value(operand), value(low)),
        compare('<=', value(operand), value(high))
      ])
      return negated ? not(inside) : inside
    }
    case 'in': {
      const { operand, list, negated } = predicate
      const found = not(and(list.map((item) => not(compare('=', value(operand), value(item))))))
      return negated ? not(found) : found
    }
    case 'null':
      return (value(predicate.operand) === null) !== predicate.negated
    case 'truth': {
      const truth = value(predicate.operand)
      return truth === null ? null : Boolean(truth)
    }
  }
}

const column = fc.constantFrom('a', 'B')
const number = fc.integer({ min: -2, max: 3 }).map(String)
const operand = fc.oneof({ weight: 3, arbitrary: column }, { weight: 2, arbitrary: number })
const test = fc.oneof(
  fc
    .tuple(operand, fc.constantFrom('=', '<>', '<', '<=', '>', '>='), operand)
    .map((parts) => parts.join(' ')),
  fc
    .tuple(column, fc.constantFrom('between', 'not between'), number, number)
    .map(([name, how, low, high]) => `${name} ${how} ${low} and ${high}`),
  fc
    .tuple(column, fc.constantFrom('in', 'not in'), fc.array(number, { minLength: 1, maxLength: 3 }))
    .map(([name, how, list]) => `${name} ${how} (${list.join(', ')})`),
  fc.tuple(column, fc.constantFrom('is null', 'is not null')).map((parts) => parts.join(' ')),
  fc.constantFrom('true', 'false')
)
const { predicate } = fc.letrec<{ predicate: string }>((tie) => ({
  predicate: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    test,
    fc
      .tuple(tie('predicate'), fc.constantFrom('and', 'or'), tie('predicate'))
      .map(([one, how, other]) => `(${one}) ${how} (${other})`),
    tie('predicate').map((inner) => `not (${inner})`)
  )
}))
/** Every value that a bound can tell apart, and between. */
const VALUES: Cell[] = [null, ...Array.from({ length: 17 }, (_, index) => -4 + index / 2)]
const ROWS: Row[] = VALUES.flatMap((a) => VALUES.map((b) => ({ a, b })))

describe('a predicate that can never hold', () => {
  it('is told from one that some row fulfils', () => {
    fc.assert(
      fc.property(predicate, (text) => {
        const parsed = parsePredicate(text)
        const some = ROWS.some((row) => holds(parsed, row) === true)
        if (neverHolds(parsed) !== undefined) expect(some, text).to.equal(false)
      }),
      { numRuns: 500 }
    )
  })

  it('is found wherever each column decides for itself', () => {
    fc.assert(
      fc.property(fc.array(test, { minLength: 1, maxLength: 4 }), (tests) => {
        const alone = tests.map((one) => one.replaceAll('B', 'a')).filter((one) => !/a [=<>]+ a/.test(one))
        if (alone.length === 0) return
        const text = alone.join(' and ')
        const parsed = parsePredicate(text)
        // Two literals are compared with each other by nobody
        if (/(^|and )-?\d+ [=<>]+ -?\d/.test(text)) return
        expect(neverHolds(parsed) !== undefined, text).to.equal(
          !ROWS.some((row) => holds(parsed, row) === true)
        )
      }),
      { numRuns: 500 }
    )
  })

  it('names the column', () => {
    for (const [text, found] of [
      ['x > 5 and x < 3', 'x'],
      ['x > 5 and X <= 5', 'x'],
      ['y = 1 and x between 5 and 3', 'x'],
      ['x in (1, 2) and x not in (1, 2)', 'x'],
      ['x = 1 and x is null', 'x'],
      ['x is null and x is not null', 'x'],
      ["d > date '2020-01-02' and d < date '2020-01-01'", 'd'],
      ['flag and not flag', 'flag'],
      ['x <> x', ''],
      ['false', ''],
      ['(x > 5 and x < 3) or (y > 5 and y < 3)', 'x'],
      ['not (x <= 5 or x >= 3)', 'x']
    ] as const)
      expect(neverHolds(parsePredicate(text)), text).to.equal(found)
  })

  it('is not guessed at', () => {
    for (const text of [
      'x > 3 and x < 5',
      'x >= 5 and x <= 5',
      "code = '5' and code = '05'",
      "x = 5 and x = '5.0'",
      'x > 1000000000000000000 and x < 1000000000000000001',
      'x > y and x < y',
      '(x > 5 and x < 3) or y = 1',
      Array.from({ length: 12 }, (_, index) => `(a${index} = 1 or a${index} = 2)`).join(' and ')
    ])
      expect(neverHolds(parsePredicate(text)), text).to.equal(undefined)
  })
})
