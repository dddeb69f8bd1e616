/** Brackets, and `if`s, inside one another. */
const MAX_NESTING = 48
/** Operators and dots of one rule. Long lists have none. */
const MAX_OPERATORS = 1000

const TOKEN = /\/\/[^\r\n]*|"[^"\\]*(?:\\.[^"\\]*)*"?|[A-Za-z_]\w*|\d+|\s+|./gs
const OPERATOR = /^(?:[-.+*&|=<>!]|in|has|like|is)$/

/**
 * Cedar's parser and validator recurse, and run out of their stack, which leaves the engine in ruins (seen with 3,000 additions
 * and with 3,000 brackets). So both are bounded on the text, before it.
 *
 * @returns where a rule is more than it may be, as an offset, and what was expected
 */
export function tooIntricate(text: string): { offset: number; message: string } | undefined {
  let nesting = 0
  let conditions = 0
  let operators = 0
  for (const { 0: token, index: offset } of text.matchAll(TOKEN)) {
    if (token === ';') {
      nesting = 0
      conditions = 0
      operators = 0
    } else if (token === 'if') conditions += 1
    else if ('([{'.includes(token)) nesting += 1
    else if (')]}'.includes(token)) nesting = Math.max(0, nesting - 1)
    else if (OPERATOR.test(token)) operators += 1
    if (nesting + conditions > MAX_NESTING)
      return { offset, message: `expected at most ${MAX_NESTING} brackets and conditions inside one another` }
    if (operators > MAX_OPERATORS)
      return { offset, message: `expected at most ${MAX_OPERATORS} operators in one rule` }
  }
  return undefined
}
