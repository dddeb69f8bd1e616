/** Levels of brackets that a text written by people needs at most. */
export const MAX_NESTING = 32
const MAX_INDENTATION = 64

function count(line: string, pattern: RegExp): number {
  return line.match(pattern)?.length ?? 0
}

/**
 * The parser of YAML recurses, and its stack can overflow inside a regular expression, which ends the whole process (seen
 * with 5,000 opening brackets). So nesting is bounded on the text, before it; brackets inside quoted text count too.
 *
 * @returns the first line, from 1, that is nested too deep
 */
export function lineNestedTooDeep(text: string): number | undefined {
  let open = 0
  let number = 0
  for (const line of text.split(/\r\n|\r|\n/)) {
    number += 1
    const indentation = /^[ \t]*/.exec(line)?.[0].length ?? 0
    // In JSON on one line a comma or bracket goes with each marker; markers beyond that nest
    const markers = count(line, /[-?:](?=[ \t])/g) - count(line, /[,[{]/g)
    if (markers > MAX_INDENTATION || (indentation > MAX_INDENTATION && line.trim() !== '')) return number
    for (const character of line) {
      if (character === '[' || character === '{') open += 1
      else if ((character === ']' || character === '}') && open > 0) open -= 1
      if (open > MAX_NESTING) return number
    }
  }
  return undefined
}
