import type { JsonMap } from './specification.ts'

export type ChartKind =
  | 'bar'
  | 'grouped bar'
  | 'histogram'
  | 'heat map'
  | 'line'
  | 'scatter'
  | 'box plot'
  | 'table'

/** A column of the rows that are drawn: a name that is safe as a field, and the columns of the result it is made of. */
export interface DrawnColumn {
  field: string
  /** Several: their values side by side as one label. */
  columns: string[]
  /** `label`: a text, NULL too. `text`: for reading only. `truth`: true or false. */
  as: 'label' | 'number' | 'time' | 'text' | 'truth'
}

/** Only the groups with the highest sum of a measure are drawn; without one, those with most rows. */
export interface TopGroups {
  columns: string[]
  by: string | null
  limit: number
}

/** What is read of a result to draw it. */
export interface Take {
  columns: DrawnColumn[]
  top: TopGroups[]
  /** Rows at most; of more a fixed sample is drawn, or the first where their order matters. */
  limit: number
  sample: boolean
  /** Rows are counted for each combination of the other columns; in this field. */
  countAs: string | null
}

export interface Chart {
  kind: ChartKind
  /** Vega-Lite, without data and theme. */
  specification: JsonMap
  take: Take
  /** What the picture leaves out. */
  notes: string[]
}

export const MAX_ROWS = 5000
export const MAX_GROUPS = 40
export const MAX_SERIES = 7

/** Okabe and Ito 2008, without the yellow that white swallows; told apart with every common form of colour blindness. */
export const COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#444444']

/** Field of counted rows, and of keys side by side. */
export const ROWS = 'number of rows'
export const GROUPS = 'groups'
const SAFE = /^[\p{L}\p{N}_ -]+$/u
/** Names that pictures use themselves. */
const TAKEN = /^(number of rows|groups|row|value|column( \d+)?)$/i

/** A column's name as a field: Vega-Lite reads dots, brackets and quotes as a path. */
export function fieldOf(name: string, position: number): string {
  return SAFE.test(name) && !TAKEN.test(name) && name.length <= 64 ? name : `column ${position + 1}`
}

const LINE = 60
const LINES = 3

/** A title in lines that fit the picture; what does not fit is cut, visibly. */
export function wrapped(text: string, line = LINE, lines = LINES): string[] {
  const words = text.replaceAll(/\s+/g, ' ').trim().split(' ')
  const found: string[] = []
  let open = ''
  for (const word of words.flatMap((one) => pieces(one, line))) {
    if (open !== '' && open.length + 1 + word.length > line) {
      found.push(open)
      open = word
    } else open = open === '' ? word : `${open} ${word}`
  }
  if (open !== '') found.push(open)
  if (found.length <= lines) return found
  return [...found.slice(0, lines - 1), cut(found.slice(lines - 1).join(' '), line)]
}

/** By characters as people see them, or an emoji would be cut in half. */
export function cut(text: string, length: number): string {
  const characters = [...text]
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`
}

function pieces(word: string, length: number): string[] {
  const characters = [...word]
  const found: string[] = []
  for (let start = 0; start < characters.length; start += length)
    found.push(characters.slice(start, start + length).join(''))
  return found.length === 0 ? [''] : found
}
