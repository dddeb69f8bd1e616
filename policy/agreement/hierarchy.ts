import { createHash } from 'node:crypto'
import { isMap, isScalar, isSeq, parseDocument } from 'yaml'
import { type Generalisation, MAX_MAPPED_VALUES } from '../../protocol/documents/index.ts'
import { lineNestedTooDeep } from './nesting.ts'
import { yamlComplaint } from './yaml-complaint.ts'

const MAX_NAME = 256
export const MAX_HIERARCHY_LENGTH = 256 * 1024

/** A value, and what it becomes from level 1 on. */
interface Line {
  place: string
  cells: string[]
}

type ValueMap = Extract<Generalisation, { values: unknown }>

/**
 * One level of a hierarchy file as the map that is signed in its stead: the file may change, what was signed does not. CSV:
 * each line a value and then its coarser forms, one column each (as ARX writes them). YAML or JSON: a mapping of a value to
 * its coarser form, or to a list of them.
 *
 * @returns the map, or what is wrong with the file
 */
export function readHierarchy(
  file: string,
  raw: string,
  level: number,
  otherwise?: string
): ValueMap | { problem: string } {
  const problem = (what: string) => ({ problem: `${file}: ${what}` })
  if (raw.length > MAX_HIERARCHY_LENGTH) return problem(`expected at most ${MAX_HIERARCHY_LENGTH} characters`)
  if (raw.includes('\0')) return problem('expected text, found a NUL character')
  const text = raw.startsWith('\uFEFF') ? raw.slice(1) : raw
  const lines = /\.(ya?ml|json)$/i.test(file) ? linesOfYaml(text) : linesOfCsv(text)
  if (typeof lines === 'string') return problem(lines)
  const values = new Map<string, string>()
  for (const { place, cells } of lines) {
    const [value = '', to] = [cells[0], cells[level]]
    if (to === undefined || to === '')
      return problem(
        `${place}: expected at least ${level} coarser forms of a value, found ${cells.length - 1}`
      )
    if (value.length > MAX_NAME || to.length > MAX_NAME)
      return problem(`${place}: expected at most ${MAX_NAME} characters`)
    if (value === '__proto__') return problem(`${place}: expected another value than "__proto__"`)
    const known = values.get(value)
    if (known !== undefined && known !== to)
      return problem(`${place}: a value that stands above already, with another coarser form`)
    values.set(value, to)
  }
  if (values.size === 0) return problem('expected values with their coarser forms, found none')
  if (values.size > MAX_MAPPED_VALUES)
    return problem(`expected at most ${MAX_MAPPED_VALUES} values, found ${values.size}`)
  const sha256 = createHash('sha256').update(raw).digest('hex')
  return {
    values: Object.fromEntries(values),
    ...(otherwise === undefined ? {} : { otherwise }),
    hierarchy: { name: file, level, sha256 }
  }
}

/** Every scalar is the text that stands there: `01` is no number here. */
function linesOfYaml(text: string): Line[] | string {
  if (lineNestedTooDeep(text) !== undefined) return 'nested too deep'
  const document = parseDocument(text, { schema: 'failsafe', uniqueKeys: true, prettyErrors: false })
  const [error] = document.errors
  if (error !== undefined) return yamlComplaint(error.message)
  if (!isMap(document.contents)) return 'expected a mapping of values to their coarser forms'
  const lines: Line[] = []
  for (const { key, value } of document.contents.items) {
    const from = isScalar(key) ? String(key.value) : undefined
    const items: unknown[] = isSeq(value) ? value.items : [value]
    const to = items.flatMap((item) => (isScalar(item) ? String(item.value ?? '') : []))
    if (from === undefined || to.length !== items.length)
      return 'expected a mapping of values to a text, or to a list of texts'
    lines.push({ place: `value ${lines.length + 1}`, cells: [from, ...to] })
  }
  return lines
}

function linesOfCsv(text: string): Line[] | string {
  const [first = ''] = text.split(/\r\n|\r|\n/)
  const delimiter = [';', '\t', ','].find((one) => first.includes(one)) ?? ','
  const lines: Line[] = []
  let number = 1
  let started = number
  let cells: string[] = []
  let cell = ''
  let quoted: 'no' | 'inside' | 'after' = 'no'
  const endCell = () => {
    cells.push(quoted === 'no' ? cell.trim() : cell)
    cell = ''
    quoted = 'no'
  }
  const endLine = () => {
    endCell()
    if (cells.length > 1 || cells[0] !== '') lines.push({ place: `line ${started}`, cells })
    cells = []
    started = number
  }
  const unified = text.replaceAll(/\r\n|\r/g, '\n')
  for (const character of unified) {
    if (character === '\n') number += 1
    if (quoted === 'inside') {
      if (character !== '"') cell += character
      else quoted = 'after'
    } else if (character === '"' && quoted === 'after') {
      cell += '"'
      quoted = 'inside'
    } else if (character === '"' && cell.trim() === '') {
      cell = ''
      quoted = 'inside'
    } else if (character === delimiter) endCell()
    else if (character === '\n') endLine()
    else if (quoted === 'no') cell += character
    else if (character.trim() !== '') return `line ${number}: expected ${delimiter} after a quote`
  }
  if (quoted === 'inside') return `line ${started}: a quote is not closed`
  endLine()
  return lines
}
