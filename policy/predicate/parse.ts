import { PredicateInvalid } from './error.ts'
import { type Token, tokenize } from './tokens.ts'
import { COMPARISONS, type Comparison, type Operand, type Predicate } from './tree.ts'

/** Characters of a predicate. */
export const MAX_PREDICATE_LENGTH = 8192
/** Levels of and/or/not in the tree. */
const MAX_DEPTH = 32
/** Levels of `not` and parentheses in the text: what {@link MAX_DEPTH} levels can need when we print them. */
const MAX_TEXT_DEPTH = 2 * MAX_DEPTH
const MAX_NODES = 2000

/** Words of the language; a column of that name is written in double quotes. */
const RESERVED = new Set(['and', 'or', 'not', 'in', 'between', 'is', 'null', 'true', 'false'])

function isComparison(text: string): text is Comparison {
  return COMPARISONS.some((comparison) => comparison === text)
}

function describe(token: Token): string {
  if (token.kind === 'end') return 'the end'
  if (token.kind === 'string') return 'a text'
  return `"${token.text}"`
}

/** Gregorian calendar: `Date` rolls 31 February over, so the round trip tells. */
function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const time = Date.parse(`${text}T00:00:00Z`)
  return Number.isFinite(time) && new Date(time).toISOString().startsWith(text)
}

function depthOf(predicate: Predicate): number {
  if (predicate.kind === 'not') return 1 + depthOf(predicate.term)
  if (predicate.kind !== 'and' && predicate.kind !== 'or') return 0
  return 1 + Math.max(...predicate.terms.map(depthOf))
}

/** Recursive descent over the tokens; the depth is bounded, so the stack is. */
class Parser {
  readonly #tokens: readonly Token[]
  readonly #end: Token
  #at = 0
  #nodes = 0

  constructor(text: string) {
    this.#tokens = tokenize(text)
    this.#end = { kind: 'end', text: '', position: text.length }
  }

  predicate(): Predicate {
    const tree = this.#or(0)
    if (this.#peek().kind !== 'end') this.#fail('"and", "or" or the end')
    if (depthOf(tree) > MAX_DEPTH) throw new PredicateInvalid(`expected at most ${MAX_DEPTH} levels`, 0)
    return tree
  }

  #peek(ahead = 0): Token {
    return this.#tokens[this.#at + ahead] ?? this.#end
  }

  #take(): Token {
    const token = this.#peek()
    this.#at += 1
    return token
  }

  #fail(expected: string, token = this.#peek()): never {
    throw new PredicateInvalid(`expected ${expected}, found ${describe(token)}`, token.position)
  }

  #isWord(word: string, ahead = 0): boolean {
    const token = this.#peek(ahead)
    return token.kind === 'word' && token.text.toLowerCase() === word
  }

  #takeWord(word: string): boolean {
    if (!this.#isWord(word)) return false
    this.#at += 1
    return true
  }

  #takeSign(sign: string): boolean {
    const token = this.#peek()
    if (token.kind !== 'sign' || token.text !== sign) return false
    this.#at += 1
    return true
  }

  #count(): void {
    this.#nodes += 1
    if (this.#nodes > MAX_NODES) {
      throw new PredicateInvalid(`expected at most ${MAX_NODES} columns and values`, this.#peek().position)
    }
  }

  #or(depth: number): Predicate {
    return this.#joined('or', () => this.#joined('and', () => this.#not(depth)))
  }

  #joined(kind: 'and' | 'or', next: () => Predicate): Predicate {
    const first = next()
    if (!this.#isWord(kind)) return first
    const terms = [first]
    while (this.#takeWord(kind)) terms.push(next())
    return { kind, terms }
  }

  #not(depth: number): Predicate {
    if (depth > MAX_TEXT_DEPTH) this.#fail(`at most ${MAX_TEXT_DEPTH} levels of "not" and parentheses`)
    if (this.#takeWord('not')) return { kind: 'not', term: this.#not(depth + 1) }
    if (this.#takeSign('(')) {
      const inner = this.#or(depth + 1)
      if (!this.#takeSign(')')) this.#fail('")"')
      return inner
    }
    return this.#test()
  }

  #test(): Predicate {
    const start = this.#peek()
    const operand = this.#operand()
    const next = this.#peek()
    if (next.kind === 'sign' && isComparison(next.text)) {
      this.#at += 1
      return { kind: 'compare', op: next.text, left: operand, right: this.#operand() }
    }
    if (this.#takeWord('is')) {
      const negated = this.#takeWord('not')
      if (!this.#takeWord('null')) this.#fail('"null" or "not null" after "is"')
      return { kind: 'null', operand, negated }
    }
    const negated = this.#takeWord('not')
    if (this.#takeWord('in')) return { kind: 'in', operand, list: this.#list(), negated }
    if (this.#takeWord('between')) {
      const low = this.#operand()
      if (!this.#takeWord('and')) this.#fail('"and" and the upper end of "between"')
      return { kind: 'between', operand, low, high: this.#operand(), negated }
    }
    if (negated) this.#fail('"in" or "between" after "not"')
    if (operand.kind === 'column' || operand.kind === 'boolean') return { kind: 'truth', operand }
    return this.#fail('a comparison', start)
  }

  #list(): Operand[] {
    if (!this.#takeSign('(')) this.#fail('"(" after "in"')
    const list = [this.#operand()]
    while (this.#takeSign(',')) list.push(this.#operand())
    if (!this.#takeSign(')')) this.#fail('"," or ")"')
    return list
  }

  #operand(): Operand {
    this.#count()
    const token = this.#peek()
    if (token.kind === 'sign' && token.text === '-') {
      this.#at += 1
      const number = this.#take()
      if (number.kind !== 'number') this.#fail('a number after "-"', number)
      return { kind: 'number', text: `-${number.text}` }
    }
    if (token.kind === 'number') {
      this.#at += 1
      return { kind: 'number', text: token.text }
    }
    if (token.kind === 'string') {
      this.#at += 1
      return { kind: 'string', value: token.text }
    }
    if (token.kind === 'quoted') {
      this.#at += 1
      if (token.text === '') this.#fail('a name between the quotes', token)
      return { kind: 'column', name: token.text }
    }
    if (token.kind === 'word') return this.#word(token)
    return this.#fail('a column or a value')
  }

  #word(token: Token): Operand {
    const word = token.text.toLowerCase()
    const date = this.#peek(1)
    if (word === 'date' && date.kind === 'string') {
      this.#at += 2
      if (!isDate(date.text)) this.#fail("a day such as date '2026-01-31'", date)
      return { kind: 'date', value: date.text }
    }
    if (word === 'true' || word === 'false') {
      this.#at += 1
      return { kind: 'boolean', value: word === 'true' }
    }
    if (RESERVED.has(word)) this.#fail('a column or a value')
    const after = this.#peek(1)
    if (after.kind === 'sign' && after.text === '(') {
      throw new PredicateInvalid(`expected no function, found "${token.text}("`, token.position)
    }
    this.#at += 1
    return { kind: 'column', name: token.text }
  }
}

/**
 * Reads the `where:` of an agreement: one boolean expression of columns, literals (numbers, 'texts', date '2026-01-31',
 * true, false), comparisons, and/or/not/in/between/is [not] null and parentheses. Nothing else exists: no functions, no
 * sub-queries, no arithmetic, no comments. Types are the engine's business.
 *
 * @throws {PredicateInvalid} with the position of what was not expected
 */
export function parsePredicate(text: string): Predicate {
  if (text.length > MAX_PREDICATE_LENGTH) {
    throw new PredicateInvalid(
      `expected at most ${MAX_PREDICATE_LENGTH} characters, found ${text.length}`,
      MAX_PREDICATE_LENGTH
    )
  }
  return new Parser(text).predicate()
}
