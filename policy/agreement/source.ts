import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import type { Finding } from './draft.ts'

/** Characters of an agreement's text. */
export const MAX_AGREEMENT_LENGTH = 256 * 1024
const MAX_NESTING = 32
const MAX_INDENTATION = 64
const MAX_ALIASES = 64

export type Path = readonly (string | number)[]

export interface Source {
  value: unknown
  /** The line of a key or item; of the nearest enclosing one when there is none. */
  lineOf(path: Path): number
  lines: Readonly<Record<string, number>>
}

export type ReadResult = { source: Source } | { findings: Finding[] }

function count(line: string, pattern: RegExp): number {
  return line.match(pattern)?.length ?? 0
}

/**
 * The parser of YAML recurses, and its stack can overflow inside a regular expression, which ends the whole process (seen
 * with 5,000 opening brackets). So nesting is bounded on the text, before it; brackets inside quoted text count too.
 */
function tooDeep(text: string): number | undefined {
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

function failure(message: string, line?: number): ReadResult {
  return { findings: [{ level: 'error', clause: '', message, ...(line === undefined ? {} : { line }) }] }
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : ''
}

/**
 * Text of a file, YAML 1.2 or JSON, as plain data with the lines of its keys. Bounded in size, nesting and expansion of
 * aliases; duplicate keys, tags and further documents are refused.
 */
export function readSource(raw: string): ReadResult {
  const text = raw.startsWith('\uFEFF') ? raw.slice(1) : raw
  if (text.length > MAX_AGREEMENT_LENGTH) {
    return failure(`expected at most ${MAX_AGREEMENT_LENGTH} characters, found ${text.length}`)
  }
  if (text.includes('\0')) return failure('expected text, found a NUL character')
  const deep = tooDeep(text)
  if (deep !== undefined) return failure(`expected at most ${MAX_NESTING} levels of nesting`, deep)

  const counter = new LineCounter()
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    uniqueKeys: true,
    strict: true,
    lineCounter: counter,
    prettyErrors: false
  })
  const lineAt = (offset: number) => counter.linePos(offset).line
  const complaints = [...document.errors, ...document.warnings]
  if (complaints.length > 0) {
    return {
      findings: complaints.slice(0, 10).map((error) => ({
        level: 'error',
        clause: '',
        message:
          error.code === 'TAB_AS_INDENT'
            ? 'expected blanks as indentation, found a tab'
            : `expected YAML or JSON: ${error.message.split('\n')[0]}`,
        line: lineAt(error.pos[0])
      }))
    }
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES })
  } catch {
    return failure(`expected at most ${MAX_ALIASES} uses of aliases`)
  }

  const lines: Record<string, number> = Object.create(null)
  const startOf = (node: unknown): number => {
    const range = (node as Node | null | undefined)?.range
    return range ? lineAt(range[0]) : 1
  }
  const visit = (node: unknown, path: Path): void => {
    if (path.length > 4) return
    if (isMap(node)) {
      for (const pair of node.items) {
        if (!isPair(pair)) continue
        const inner = [...path, keyText(pair.key)]
        lines[inner.join('.')] = startOf(pair.key)
        visit(pair.value, inner)
      }
    } else if (isSeq(node)) {
      node.items.forEach((item, index) => {
        const inner = [...path, index]
        lines[inner.join('.')] = startOf(item)
        visit(item, inner)
      })
    } else if (isAlias(node)) visit(node.resolve(document), path)
  }
  visit(document.contents, [])
  // Schema libraries drop this key without a word; a clause must not vanish
  const dropped = Object.keys(lines).find((path) => path.split('.').includes('__proto__'))
  if (dropped !== undefined) return failure('expected another name than "__proto__"', lines[dropped])
  return {
    source: {
      value,
      lines,
      lineOf(path) {
        for (let length = path.length; length > 0; length -= 1) {
          const line = lines[path.slice(0, length).join('.')]
          if (line !== undefined) return line
        }
        return 1
      }
    }
  }
}
