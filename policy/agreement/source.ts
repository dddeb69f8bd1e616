import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import type { Finding } from './draft.ts'
import { lineNestedTooDeep, MAX_NESTING } from './nesting.ts'

/** Characters of an agreement's text. */
export const MAX_AGREEMENT_LENGTH = 256 * 1024
const MAX_ALIASES = 64

export type Path = readonly (string | number)[]

export interface Source {
  value: unknown
  /** The line of a key or item; of the nearest enclosing one when there is none. */
  lineOf(path: Path): number
  lines: Readonly<Record<string, number>>
  /** Where the text of a value begins, if each of its lines is one of the file's. */
  textAt(path: Path): Place | undefined
}

/** Lines and columns count from 1. */
export interface Place {
  line: number
  column: number
}

export type ReadResult = { source: Source } | { findings: Finding[] }

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
  const deep = lineNestedTooDeep(text)
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
      },
      textAt(path) {
        const node = document.getIn(path, true)
        return isScalar(node) && node.range ? textPlace(text, node.range[0], node.type, counter) : undefined
      }
    }
  }
}

/** The first letter of a text that is written as it is: a literal block, whose lines are indented alike, or one plain line. */
function textPlace(
  text: string,
  offset: number,
  type: string | undefined,
  counter: LineCounter
): Place | undefined {
  const { line, col } = counter.linePos(offset)
  if (type === 'PLAIN') return { line, column: col }
  if (type !== 'BLOCK_LITERAL') return undefined
  const [header = '', ...lines] = text.slice(offset).split('\n')
  const given = /[1-9]/.exec(header.split('#')[0] ?? '')
  const first = lines.find((one) => one.trim() !== '') ?? ''
  // An indentation that is written out counts from the block around, which is not worth following.
  return given === null ? { line: line + 1, column: first.length - first.trimStart().length + 1 } : undefined
}
