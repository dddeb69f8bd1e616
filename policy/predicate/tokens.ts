import { PredicateInvalid } from './error.ts'

export type Token =
  | { readonly kind: 'word'; readonly text: string; readonly position: number }
  | { readonly kind: 'quoted'; readonly text: string; readonly position: number }
  | { readonly kind: 'string'; readonly text: string; readonly position: number }
  | { readonly kind: 'number'; readonly text: string; readonly position: number }
  | { readonly kind: 'sign'; readonly text: string; readonly position: number }
  | { readonly kind: 'end'; readonly text: ''; readonly position: number }

const BLANK = /[ \t\r\n]+/y
const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?/y
const SIGN = /<=|>=|<>|!=|[=<>(),-]/y

const MAX_DIGITS = 64
/** Text between two `quote` characters, where a doubled one stands for itself; `start` is at the opening one. */
function quotedText(text: string, start: number, quote: string): { value: string; end: number } {
  let value = ''
  for (let at = start + 1; ; ) {
    const next = text.indexOf(quote, at)
    if (next < 0) throw new PredicateInvalid(`expected a closing ${quote}`, start)
    value += text.slice(at, next)
    if (text[next + 1] !== quote) return { value, end: next + 1 }
    value += quote
    at = next + 2
  }
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

function nextToken(text: string, position: number): { token: Token; end: number } {
  const first = text[position]
  if (first === "'" || first === '"') {
    const { value, end } = quotedText(text, position, first)
    // A name ends in a C string of the engine and in a job's JSON: neither takes NUL or half a surrogate pair.
    if (value.includes('\0') || !value.isWellFormed()) {
      throw new PredicateInvalid('expected text without NUL and without half characters', position)
    }
    return { token: { kind: first === "'" ? 'string' : 'quoted', text: value, position }, end }
  }
  const number = match(NUMBER, text, position)
  if (number !== undefined) {
    const end = position + number.length
    if (number.length > MAX_DIGITS)
      throw new PredicateInvalid(`expected at most ${MAX_DIGITS} digits`, position)
    if (match(WORD, text, end) !== undefined || text[end] === '.') {
      throw new PredicateInvalid(`expected a number, found "${number}${text[end]}…"`, position)
    }
    return { token: { kind: 'number', text: number.toLowerCase(), position }, end }
  }
  const word = match(WORD, text, position)
  if (word !== undefined) {
    return { token: { kind: 'word', text: word, position }, end: position + word.length }
  }
  const sign = match(SIGN, text, position)
  if (sign !== undefined) {
    const spelled = sign === '!=' ? '<>' : sign
    return { token: { kind: 'sign', text: spelled, position }, end: position + sign.length }
  }
  throw new PredicateInvalid(
    `expected a column, a value, a comparison, "and", "or", "not" or a parenthesis, found ${JSON.stringify(String.fromCodePoint(text.codePointAt(position) ?? 0))}`,
    position
  )
}

/** @throws {PredicateInvalid} at the first character that is no part of the language */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  for (;;) {
    at += match(BLANK, text, at)?.length ?? 0
    if (at >= text.length) break
    const { token, end } = nextToken(text, at)
    tokens.push(token)
    at = end
  }
  tokens.push({ kind: 'end', text: '', position: text.length })
  return tokens
}
