/** What a request may say about its own picture: a Vega-Lite specification without a way out of the job. */

/** Bytes of the JSON text. */
export const MAX_SPECIFICATION = 65_536
export const VEGA_LITE_SCHEMA = 'https://vega.github.io/schema/vega-lite/v6.json'
/** What rows of the result are called in `data: {name: …}`. */
export const RESULT_DATA = 'result'
const MAX_DEPTH = 24
const MAX_NODES = 10_000
const MAX_PIXELS = 4000

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonMap = { [key: string]: Json }

/** One thing that a specification may not hold. */
export interface SpecificationProblem {
  path: (string | number)[]
  message: string
}

const NO_LOADING = 'pictures load nothing: put the values into the specification, or use the result'
const NO_CODE = 'expressions are not run; aggregate in the query, or use a field predicate'
const NO_INTERACTION = 'a picture takes no input'
const FORBIDDEN: ReadonlyMap<string, string> = new Map([
  ['url', NO_LOADING],
  ['href', NO_LOADING],
  ['loader', NO_LOADING],
  ['expr', NO_CODE],
  ['signal', NO_CODE],
  ['signals', NO_CODE],
  ['calculate', NO_CODE],
  ['labelExpr', NO_CODE],
  ['customFormatTypes', NO_CODE],
  ['usermeta', 'it would be carried along unseen'],
  ['params', NO_INTERACTION],
  ['param', NO_INTERACTION],
  ['selection', NO_INTERACTION],
  ['sequence', 'values are not made up: use the result'],
  ['graticule', 'maps are not drawn'],
  ['sphere', 'maps are not drawn']
])
/** Where a text is an expression, and anything else a predicate about a field. */
const CONDITIONS = new Set(['filter', 'test', 'and', 'or', 'not'])
const MARKS = new Set([
  'arc',
  'area',
  'bar',
  'boxplot',
  'circle',
  'errorband',
  'errorbar',
  'line',
  'point',
  'rect',
  'rule',
  'square',
  'text',
  'tick',
  'trail'
])
const VIEWS = ['mark', 'layer', 'facet', 'repeat', 'hconcat', 'vconcat', 'concat']
const FORMAT_TYPES = new Set<Json>(['number', 'time'])

export function isMap(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What a specification may not say, each at its place; none: it may be drawn. Pure, and loads nothing of Vega. */
export function specificationProblems(value: unknown): SpecificationProblem[] {
  if (!isMap(value)) return [{ path: [], message: 'expected a Vega-Lite specification, a map' }]
  const walk = new Walk()
  walk.visit(value, [], false)
  if (walk.problems.length > 0) return walk.problems
  const bytes = Buffer.byteLength(JSON.stringify(value))
  if (bytes > MAX_SPECIFICATION)
    return [{ path: [], message: `expected at most ${MAX_SPECIFICATION} bytes as JSON, found ${bytes}` }]
  if (!VIEWS.some((key) => Object.hasOwn(value, key)))
    return [{ path: [], message: `expected one of ${VIEWS.join(', ')}, such as mark: bar` }]
  if (
    value.$schema !== undefined &&
    !/^https:\/\/vega\.github\.io\/schema\/vega-lite\/v[56](\.\d+)*\.json$/.test(String(value.$schema))
  )
    return [{ path: ['$schema'], message: `expected ${VEGA_LITE_SCHEMA}` }]
  return []
}

class Walk {
  readonly problems: SpecificationProblem[] = []
  #nodes = 0

  visit(value: unknown, path: (string | number)[], inData: boolean): void {
    this.#nodes += 1
    if (this.problems.length > 0) return
    if (path.length > MAX_DEPTH) this.#no(path.slice(0, 4), `expected at most ${MAX_DEPTH} levels`)
    else if (this.#nodes > MAX_NODES) this.#no([], `expected at most ${MAX_NODES} values`)
    else if (Array.isArray(value)) {
      for (const [index, one] of value.entries()) this.visit(one, [...path, index], inData)
    } else if (isMap(value)) {
      for (const [key, one] of Object.entries(value)) {
        const at = [...path, key]
        if (key === '__proto__' || key === 'constructor' || key === 'prototype')
          this.#no(at, 'expected another name')
        else if (!inData) this.#checkKey(key, one, at)
        this.visit(one, at, inData || holdsData(at))
      }
    } else if (typeof value === 'number' ? !Number.isFinite(value) : !isScalar(value)) {
      this.#no(path, 'expected JSON')
    }
  }

  #checkKey(key: string, value: Json, path: (string | number)[]): void {
    const reason = FORBIDDEN.get(key)
    if (reason !== undefined) this.#no(path, `"${key}" is not allowed: ${reason}`)
    else if (CONDITIONS.has(key)) this.#checkCondition(value, path)
    else if (key === 'mark') this.#checkMark(value, path)
    else if (key === 'formatType' && !FORMAT_TYPES.has(value)) this.#no(path, 'expected number or time')
    else if ((key === 'width' || key === 'height') && typeof value === 'number' && value > MAX_PIXELS)
      this.#no(path, `expected at most ${MAX_PIXELS}`)
  }

  #checkCondition(value: Json, path: (string | number)[]): void {
    const texts = Array.isArray(value)
      ? value.some((one) => typeof one === 'string')
      : typeof value === 'string'
    if (texts) this.#no(path, NO_CODE)
  }

  #checkMark(value: Json, path: (string | number)[]): void {
    // `mark` is also the name of a part of a composite mark's configuration
    const type = isMap(value) && value.type !== undefined ? value.type : value
    if (typeof type === 'string' && !MARKS.has(type))
      this.#no(path, `expected one of ${[...MARKS].join(', ')}, found "${type.slice(0, 40)}"`)
  }

  #no(path: (string | number)[], message: string): void {
    this.problems.push({ path, message })
  }
}

/** Values of data, whose keys mean nothing to Vega-Lite. */
function holdsData(path: readonly (string | number)[]): boolean {
  return path.length === 1 ? path[0] === 'datasets' : path.at(-1) === 'values' && path.at(-2) === 'data'
}

function isScalar(value: unknown): boolean {
  return (
    value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number'
  )
}

/** Fields that a specification reads and neither the result nor a transform of it provides. */
export function unknownFields(specification: JsonMap, columns: readonly string[]): string[] {
  const read = new Set<string>()
  const made = new Set<string>(columns)
  const walk = (value: Json, path: (string | number)[]): void => {
    if (Array.isArray(value)) for (const [index, one] of value.entries()) walk(one, [...path, index])
    else if (isMap(value) && !holdsData(path)) {
      for (const [key, one] of Object.entries(value)) {
        if (key === 'field' && typeof one === 'string') read.add(plainField(one))
        if (key === 'as' || key === 'fold' || key === 'pivot' || key === 'values')
          for (const name of Array.isArray(one) ? one : [one])
            if (typeof name === 'string') made.add(name)
            else if (isMap(name)) for (const own of Object.keys(name)) made.add(own)
        walk(one, [...path, key])
      }
    }
  }
  walk(specification, [])
  const makes = JSON.stringify(specification)
  // what these make has names that depend on the data, or defaults of their own
  if (/"(pivot|fold|density|regression|loess|quantile|flatten|lookup|datasets|repeat)"/.test(makes)) return []
  return [...read].filter((field) => !made.has(field))
}

function plainField(field: string): string {
  return field.replaceAll(/\\(.)/g, '$1')
}
