import { Failure, nearest } from '../failure/index.ts'
import type { Column } from '../job/index.ts'

/**
 * complete: rows to result. partial: rows to a state that can be merged. merge: the states of all parties to the result over
 * all their rows.
 */
export type Phase = 'complete' | 'partial' | 'merge'

export interface AlgorithmInput {
  /** SQL of a relation: rows, or for `merge` the states of all parties. */
  relation: string
  columns: readonly Column[]
  parameters: Record<string, unknown>
  phase: Phase
}

/** Plans one SELECT; never touches a row itself. */
export type Algorithm = (input: AlgorithmInput) => string

export function algorithmRefused(hint: string): Failure {
  return new Failure('algorithm-parameters', hint, { hint })
}

/**
 * The column that a parameter names, whatever its case.
 *
 * @throws {Failure} algorithm-parameters
 */
export function columnNamed(name: string, parameter: string, columns: readonly Column[]): Column {
  const exact = columns.find((column) => column.name === name)
  const found = exact ?? columns.find((column) => column.name.toLowerCase() === name.toLowerCase())
  if (found !== undefined) return found
  const near = nearest(
    name,
    columns.map((column) => column.name)
  )
  const names = columns.slice(0, 20).map((column) => `"${column.name}"`)
  throw algorithmRefused(
    `${parameter}: the query gives no column "${name}"; ${near === undefined ? `it gives ${names.join(', ')}` : `did you mean "${near}"?`}`
  )
}

/** @throws {Failure} algorithm-parameters */
export function onlyParameters(parameters: Record<string, unknown>, known: readonly string[]): void {
  const unknown = Object.keys(parameters).find((key) => !known.includes(key))
  if (unknown === undefined) return
  throw algorithmRefused(
    known.length === 0
      ? `"${unknown}": no parameters are expected`
      : `"${unknown}" is not a parameter here, expected ${known.join(', ')}`
  )
}
