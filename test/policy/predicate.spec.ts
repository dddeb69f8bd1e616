import { expect } from 'chai'
import fc from 'fast-check'
import {
  type Operand,
  type Predicate,
  PredicateInvalid,
  parsePredicate,
  predicateColumns,
  printPredicate
} from '../../policy/predicate/index.ts'

const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((value) => !value.includes('\0'))
const name = text.filter((value) => value !== '')
const column = fc.record({ kind: fc.constant('column' as const), name })
const operand: fc.Arbitrary<Operand> = fc.oneof(
  column,
  fc
    .oneof(
      fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map(String),
      fc.tuple(fc.nat(), fc.nat()).map(([whole, part]) => `${whole}.${part}e-${part % 300}`)
    )
    .map((digits) => ({ kind: 'number' as const, text: digits })),
  text.map((value) => ({ kind: 'string' as const, value })),
  fc
    .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map((day) => ({ kind: 'date' as const, value: day.toISOString().slice(0, 10) })),
  fc.boolean().map((value) => ({ kind: 'boolean' as const, value }))
)
const truth = fc.oneof(column, fc.record({ kind: fc.constant('boolean' as const), value: fc.boolean() }))
const { predicate } = fc.letrec<{ predicate: Predicate }>((tie) => ({
  predicate: fc.oneof(
    { maxDepth: 5, depthIdentifier: 'predicate' },
    fc.record({
      kind: fc.constant('compare' as const),
      op: fc.constantFrom(
        '=' as const,
        '<>' as const,
        '<' as const,
        '<=' as const,
        '>' as const,
        '>=' as const
      ),
      left: operand,
      right: operand
    }),
    fc.record({
      kind: fc.constant('in' as const),
      operand,
      list: fc.array(operand, { minLength: 1, maxLength: 4 }),
      negated: fc.boolean()
    }),
    fc.record({
      kind: fc.constant('between' as const),
      operand,
      low: operand,
      high: operand,
      negated: fc.boolean()
    }),
    fc.record({ kind: fc.constant('null' as const), operand, negated: fc.boolean() }),
    fc.record({ kind: fc.constant('truth' as const), operand: truth }),
    fc.record({ kind: fc.constant('not' as const), term: tie('predicate') }),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      terms: fc.array(tie('predicate'), { minLength: 2, maxLength: 3 })
    })
  )
}))

/** What DuckDB would see of a printed predicate once quoted names and texts are taken out. */
function skeleton(sql: string): string {
  return sql.replace(/"(?:[^"]|"")*"|'(?:[^']|'')*'/gu, '·')
}

const SKELETON =
  /^(?:·|[()., ]|<=|>=|<>|[=<>]|-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?![\w.])|\b(?:AND|OR|NOT|IN|BETWEEN|IS|NULL|DATE|TRUE|FALSE)\b)*$/u

describe('predicate', () => {
  const examples: [string, string][] = [
    ['Peildat >= 20170101', '"Peildat" >= 20170101'],
    [
      "Functcat in ('HGL','UD') and Salschal between 7 and 18",
      `"Functcat" IN ('HGL', 'UD') AND "Salschal" BETWEEN 7 AND 18`
    ],
    ['not a is null', 'NOT ("a" IS NULL)'],
    ['a = 1 or b = 2 and c = 3', '"a" = 1 OR ("b" = 2 AND "c" = 3)'],
    ['(a = 1 or b = 2) AND NOT (c != -3.50)', '("a" = 1 OR "b" = 2) AND (NOT ("c" <> -3.50))'],
    [`"we""ird name" = 'O''Brien'`, `"we""ird name" = 'O''Brien'`],
    ["born < date '2000-02-29'", `"born" < DATE '2000-02-29'`],
    ['active and not false', '"active" AND (NOT (FALSE))'],
    [
      'date = 1 and x not in (1) and y not between 1 and 2 and z is not null',
      '"date" = 1 AND "x" NOT IN (1) AND "y" NOT BETWEEN 1 AND 2 AND "z" IS NOT NULL'
    ],
    ['90071992547409931234567890 < a', '90071992547409931234567890 < "a"']
  ]
  for (const [source, sql] of examples) {
    it(`prints ${source} as ${sql}`, () => {
      expect(printPredicate(parsePredicate(source))).to.equal(sql)
    })
  }

  const bad: [string, RegExp, number][] = [
    ['', /expected a column or a value, found the end/, 0],
    ['a =', /expected a column or a value, found the end/, 3],
    ['a = 1; drop table x', /found ";"/, 5],
    ['a = 1 -- no', /found "-"/, 6],
    ['a = 1 /* no */', /found "\/"/, 6],
    ["a = 'x", /expected a closing '/, 4],
    ['a = "x', /expected a closing "/, 4],
    ['a in ()', /expected a column or a value/, 6],
    ['a in (select 1)', /expected "," or "\)"/, 13],
    ['length(a) > 1', /expected no function, found "length\("/, 0],
    ['p.a > 1', /found "\."/, 1],
    ['a + 1 > 1', /found "\+"/, 2],
    ['a = 1 = 2', /expected "and", "or" or the end/, 6],
    ['1', /expected a comparison/, 0],
    ["'x'", /expected a comparison/, 0],
    ['a not = 1', /"in" or "between"/, 6],
    ["a = date '2026-02-30'", /expected a day/, 9],
    ['a = 1x', /expected a number/, 4],
    ['a = 1.2.3', /expected a number/, 4],
    ['a = --1', /expected a number after "-"/, 5],
    ['a is 1', /"null" or "not null"/, 5],
    ['"" = 1', /a name between the quotes/, 0],
    ["a = 'x\0y'", /without NUL/, 4],
    ['a = $1', /found "\$"/, 4],
    ['a = 1)', /expected "and", "or" or the end/, 5],
    [`${'('.repeat(5000)}a`, /levels/, 65],
    [`${'not '.repeat(60)}a`, /at most 32 levels/, 0],
    [`a = '${'x'.repeat(9000)}'`, /at most 8192 characters/, 8192]
  ]
  for (const [source, message, position] of bad) {
    it(`refuses ${JSON.stringify(source.slice(0, 24))} at character ${position + 1}`, () => {
      expect(() => parsePredicate(source))
        .to.throw(PredicateInvalid, message)
        .with.property('position', position)
    })
  }

  it('reads back every tree it prints', () => {
    fc.assert(
      fc.property(predicate, (tree) => {
        expect(parsePredicate(printPredicate(tree))).to.deep.equal(tree)
      }),
      { numRuns: 500 }
    )
  })

  it('prints nothing but names, values and words of the language, whatever it is given', () => {
    const pieces = fc.constantFrom(
      'a',
      '"b c"',
      "'t'",
      "''",
      '"',
      "'",
      '1',
      '-',
      '--',
      '/*',
      '*/',
      ';',
      '(',
      ')',
      ' ',
      '=',
      '<>',
      '!',
      ',',
      '.',
      'and ',
      'or ',
      'not ',
      'in ',
      'between ',
      'is ',
      'null',
      'true',
      'select ',
      'date ',
      "'2020-01-01'",
      '\n',
      '\\',
      '$$',
      '\u2028',
      'é',
      "E'x'"
    )
    const soup = fc.oneof(
      fc.array(pieces, { maxLength: 14 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary', maxLength: 40 }),
      predicate.map(printPredicate)
    )
    fc.assert(
      fc.property(soup, (source) => {
        let tree: Predicate
        try {
          tree = parsePredicate(source)
        } catch (error) {
          expect(error).to.be.instanceOf(PredicateInvalid)
          return
        }
        const sql = printPredicate(tree)
        expect(skeleton(sql)).to.match(SKELETON)
        expect(parsePredicate(sql)).to.deep.equal(tree)
      }),
      { numRuns: 3000 }
    )
  })

  it('lists the columns it reads, each once', () => {
    expect(
      predicateColumns(
        parsePredicate('a = b and not (c in (1, a) or d is null) and "E e" between f and 2 and g')
      )
    ).to.deep.equal(['a', 'b', 'c', 'd', 'E e', 'f', 'g'])
  })
})
