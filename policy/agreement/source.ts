import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import type { Finding } from './finding.ts'
import { lineNestedTooDeep, MAX_NESTING } from './nesting.ts'
import { yamlComplaint } from './yaml-complaint.ts'

/** Characters of an agreement's text. */
export const MAX_AGREEMENT_LENGTH = 256 * 1024
const MAX_ALIASES = 64

export type Path = readonly (string | number)[]

export interface Source {
  value: unknown
  lines: Readonly<Record<string, number>>
  columns: Readonly<Record<string, number>>
  /** Where a key or item stands; the nearest enclosing one when there is none. */
  placeOf(path: Path): Place
  /** Where the text of a value begins, if each of its lines is one of the file's. */
  textAt(path: Path): Place | undefined
}

/** Lines and columns count from 1. */
export interface Place {
  line: number
  column: number
}

export type ReadResult = { source: Source } | { findings: Finding[] }

function failure(message: string, place: Partial<Place> = {}): ReadResult {
  return { findings: [{ level: 'error', clause: '', message, ...place }] }
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
  if (deep !== undefined) return failure(`expected at most ${MAX_NESTING} levels of nesting`, { line: deep })

  const counter = new LineCounter()
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    uniqueKeys: true,
    strict: true,
    lineCounter: counter,
    prettyErrors: false
  })
  const placeAt = (offset: number): Place => {
    const { line, col } = counter.linePos(offset)
    return { line, column: col }
  }
  const complaints = [...document.errors, ...document.warnings]
  if (complaints.length > 0) {
    return {
      findings: complaints.slice(0, 10).map((error) => ({
        level: 'error',
        clause: '',
        message:
          error.code === 'TAB_AS_INDENT'
            ? 'expected blanks as indentation, found a tab'
            : yamlComplaint(error.message),
        ...placeAt(error.pos[0])
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
  const columns: Record<string, number> = Object.create(null)
  const keep = (path: Path, node: unknown): void => {
    const range = (node as Node | null | undefined)?.range
    const { line, column } = range ? placeAt(range[0]) : { line: 1, column: 1 }
    lines[path.join('.')] = line
    columns[path.join('.')] = column
  }
  const visit = (node: unknown, path: Path): void => {
    if (path.length > 4) return
    if (isMap(node)) {
      for (const pair of node.items) {
        if (!isPair(pair)) continue
        const inner = [...path, keyText(pair.key)]
        keep(inner, pair.key)
        visit(pair.value, inner)
      }
    } else if (isSeq(node)) {
      node.items.forEach((item, index) => {
        const inner = [...path, index]
        keep(inner, item)
        visit(item, inner)
      })
    } else if (isAlias(node)) visit(node.resolve(document), path)
  }
  visit(document.contents, [])
  // Schema libraries drop this key without a word; a clause must not vanish
  const dropped = Object.keys(lines).find((path) => path.split('.').includes('__proto__'))
  if (dropped !== undefined)
    return failure('expected another name than "__proto__"', { line: lines[dropped] ?? 1 })
  return {
    source: {
      value,
      lines,
      columns,
      placeOf: (path) => nearestPlace(path, lines, columns),
      textAt(path) {
        const node = document.getIn(path, true)
        return isScalar(node) && node.range ? textPlace(text, node.range[0], node.type, counter) : undefined
      }
    }
  }
}

/** Of a key or item that is not there: the nearest around it. */
function nearestPlace(path: Path, lines: Source['lines'], columns: Source['columns']): Place {
  for (let length = path.length; length > 0; length -= 1) {
    const key = path.slice(0, length).join('.')
    const line = lines[key]
    if (line !== undefined) return { line, column: columns[key] ?? 1 }
  }
  return { line: 1, column: 1 }
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
