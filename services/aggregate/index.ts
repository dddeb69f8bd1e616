/** Puts the rows of several parties together, by column name, in an order that does not depend on who came first. */
import { Failure } from '../failure/index.ts'
import type { Column } from '../job/index.ts'
import { quoteName } from '../sql/index.ts'

/** The rows one party sent. */
export interface Contribution {
  from: string
  /** SQL of a relation. */
  relation: string
  columns: readonly Column[]
}

/**
 * UNION ALL of all contributions in the order of the parties' names; the first one's column order holds for all.
 *
 * @throws {Failure} schema-mismatch, naming provider and column
 */
export function planAggregate(contributions: readonly Contribution[]): { sql: string; columns: Column[] } {
  const sorted = [...contributions].sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0))
  const first = sorted[0]
  if (first === undefined) throw new Failure('internal', 'aggregate: expected at least one input')
  for (const other of sorted.slice(1)) checkAgreement(first, other)
  const list = first.columns.map(({ name }) => quoteName(name)).join(', ')
  return {
    sql: sorted.map(({ relation }) => `SELECT ${list} FROM ${relation}`).join(' UNION ALL '),
    columns: [...first.columns]
  }
}

function checkAgreement(first: Contribution, other: Contribution): void {
  const types = new Map(other.columns.map(({ name, type }) => [name, type]))
  for (const { name, type } of first.columns) {
    const found = types.get(name)
    if (found === undefined) throw mismatch(`${other.from} sent no column "${name}", ${first.from} did`)
    if (found !== type)
      throw mismatch(`column "${name}" is ${type} at ${first.from} and ${found} at ${other.from}`)
  }
  const known = new Set(first.columns.map(({ name }) => name))
  const extra = other.columns.find(({ name }) => !known.has(name))
  if (extra !== undefined)
    throw mismatch(`${other.from} sent a column "${extra.name}", ${first.from} did not`)
}

function mismatch(hint: string): Failure {
  return new Failure('schema-mismatch', hint, { hint })
}
