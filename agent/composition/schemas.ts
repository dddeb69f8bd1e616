import type { GrantedColumn } from '../../protocol/documents/index.ts'
import type { Column } from '../../services/index.ts'
import type { Answer } from './plan.ts'

/**
 * Rows are put together by column name, so names and types must be the same at every provider.
 *
 * @returns null, or what differs, naming provider and column; `organisation` is the odd one
 */
export function schemaProblem(
  data: readonly Answer[],
  row: number
): { organisation: string; text: string } | null {
  const [first, ...others] = data
  if (first === undefined) return null
  const expected = new Map(columnsOf(first, row).map((column) => [column.name, column.type]))
  const units = unitsOf(first, row)
  for (const other of others) {
    const found = new Map(columnsOf(other, row).map((column) => [column.name, column.type]))
    const theirUnits = unitsOf(other, row)
    for (const [name, type] of expected) {
      const theirs = found.get(name)
      if (theirs === undefined)
        return {
          organisation: other.organisation,
          text: `${other.organisation} has no column ${name}, which ${first.organisation} has`
        }
      if (theirs !== type)
        return {
          organisation: other.organisation,
          text: `${other.organisation}.${name} is ${theirs}, at ${first.organisation} it is ${type}`
        }
      const unit = units.get(name)
      const theirUnit = theirUnits.get(name)
      // who says no unit says nothing that could be wrong; the result then has none
      if (unit !== undefined && theirUnit !== undefined && unit !== theirUnit)
        return {
          organisation: other.organisation,
          text: `${other.organisation}.${name} is in ${theirUnit}, at ${first.organisation} it is in ${unit}`
        }
    }
    for (const name of found.keys()) {
      if (!expected.has(name))
        return {
          organisation: other.organisation,
          text: `${other.organisation} has a column ${name}, which ${first.organisation} has not`
        }
    }
  }
  return null
}

/** The columns that the query yields at a data provider under the agreement that permits this row. */
export function columnsOf(answer: Answer, row: number): Column[] {
  return grantedAt(answer, row).map(({ name, type }) => ({ name, type }))
}

function unitsOf(answer: Answer, row: number): Map<string, string> {
  return new Map(
    grantedAt(answer, row).flatMap(({ name, unit }) => (unit === undefined ? [] : [[name, unit] as const]))
  )
}

function grantedAt(answer: Answer, row: number): GrantedColumn[] {
  return answer.details?.grants.find((grant) => grant.rows.includes(row))?.columns ?? []
}
