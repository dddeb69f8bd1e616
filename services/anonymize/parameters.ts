import { Failure } from '../failure/index.ts'
import { foldName } from '../sql/index.ts'

export type DatePart = 'year' | 'quarter' | 'month'

/** To the start of a part of a date, to a bin of one width, to the first characters, to a bin between edges, by a map. */
export type Coarseness =
  | DatePart
  | number
  | { prefix: number }
  | { edges: readonly string[] }
  | { values: ReadonlyMap<string, string>; otherwise: string | null }

/** Whom the rows of a table are about. */
export interface Subject {
  column: string
  /** False for a column that is there to count by and is shown to nobody. */
  shown: boolean
}

export interface AnonymizeParameters {
  pseudonymise: readonly string[]
  generalise: ReadonlyMap<string, Coarseness>
  suppress: readonly string[]
  /** Prefixed to each value, with a zero byte between them, before it is pseudonymised; empty: nothing is. */
  domain: string
  /** How many distinct subjects must share each combination of `quasi`; below 2 it is not looked at. */
  k: number
  quasi: readonly string[]
  /** By table. Rows of a table without one count each for itself. */
  subjects: ReadonlyMap<string, Subject>
}

const KNOWN = new Set(['pseudonymise', 'generalise', 'suppress', 'domain', 'k', 'quasi', 'subjects'])
const DECIMAL = /^-?\d{1,18}(\.\d{1,9})?$/
const MAX_K = 1_000_000

/** @throws {Failure} anonymize-parameters */
export function parseAnonymize(parameters: Record<string, unknown>): AnonymizeParameters {
  for (const key of Object.keys(parameters)) {
    if (!KNOWN.has(key)) throw refused(`"${key}" is not known here, expected ${[...KNOWN].join(', ')}`)
  }
  const generalise = new Map(
    entries(
      parameters.generalise,
      '"generalise": expected columns with year, quarter, month or a bin width'
    ).map(([column, to]) => [column, coarseness(column, to)])
  )
  const { k = 0 } = parameters
  if (typeof k !== 'number' || !Number.isSafeInteger(k) || k < 0 || k > MAX_K)
    throw refused(`"k": expected a whole number of at most ${MAX_K}`)
  const parsed = {
    pseudonymise: names(parameters, 'pseudonymise'),
    generalise,
    suppress: names(parameters, 'suppress'),
    domain: typeof parameters.domain === 'string' ? parameters.domain : '',
    k,
    quasi: parameters.quasi === undefined ? [...generalise.keys()] : names(parameters, 'quasi'),
    subjects: new Map(
      entries(parameters.subjects, '"subjects": expected tables with their column').map(([table, value]) => [
        table,
        subject(table, value)
      ])
    )
  }
  if (k > 1 && parsed.quasi.length === 0) throw refused('"k": expected columns to count by in "quasi"')
  const seen = new Set<string>()
  for (const column of [...parsed.pseudonymise, ...generalise.keys(), ...parsed.suppress]) {
    if (seen.has(foldName(column))) throw refused(`column "${column}" is named twice`)
    seen.add(foldName(column))
  }
  return parsed
}

function entries(value: unknown, expected: string): [string, unknown][] {
  if (value === undefined) return []
  if (!isRecord(value)) throw refused(expected)
  return Object.entries(value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function coarseness(column: string, to: unknown): Coarseness {
  if (to === 'year' || to === 'quarter' || to === 'month') return to
  if (typeof to === 'number' && Number.isFinite(to) && to > 0) return to
  if (isRecord(to)) {
    const { prefix, edges, values, otherwise = null } = to
    if (typeof prefix === 'number' && Number.isSafeInteger(prefix) && prefix > 0) return { prefix }
    if (isTexts(edges) && edges.length > 0 && edges.every((edge) => DECIMAL.test(edge))) return { edges }
    if (isRecord(values) && (otherwise === null || isText(otherwise))) {
      const map = Object.entries(values)
      if (!map.every((pair) => pair.every(isText)))
        throw refused(`"generalise", column "${column}": expected texts in "values"`)
      return { values: new Map(map.map(([from, coarser]) => [from, String(coarser)])), otherwise }
    }
  }
  throw refused(
    `"generalise", column "${column}": expected year, quarter, month, a bin width above 0, {prefix}, {edges} or {values}`
  )
}

function subject(table: string, value: unknown): Subject {
  if (isRecord(value) && typeof value.column === 'string' && typeof value.shown === 'boolean')
    return { column: value.column, shown: value.shown }
  throw refused(`"subjects", table "${table}": expected {column, shown}`)
}

/** NUL cannot stand in SQL. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0')
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string')
}

function names(parameters: Record<string, unknown>, key: string): string[] {
  const value = parameters[key] ?? []
  if (!isTexts(value)) throw refused(`"${key}": expected a list of column names`)
  return value
}

export function refused(hint: string): Failure {
  return new Failure('anonymize-parameters', `anonymize: ${hint}`, { hint })
}
