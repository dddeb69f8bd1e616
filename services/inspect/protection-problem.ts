import type { Column, TableSchema } from '../job/index.ts'
import { aggregateRoles } from '../protect/index.ts'
import { foldName } from '../sql/index.ts'
import type { StatementFacts } from './facts.ts'
import { type Origin, originsOf } from './origins.ts'
import { outputKinds, type Reading, type UnitColumn, type UnitProblem, unitReadings } from './unit-lineage.ts'

/** An algorithm, and what is asked of it. */
export interface Asked {
  name: string
  parameters: Readonly<Record<string, unknown>>
}

const OURS = 'dynamos '

/**
 * Whether a statement and what comes after it can be protected: it is certain whom each row is about, and the aggregate tells
 * groups apart by anything but that and adds up plain columns.
 */
export function protectionProblem(
  sql: string,
  facts: StatementFacts,
  given: {
    tables: readonly TableSchema[]
    columns: readonly Column[]
    units: readonly UnitColumn[]
    algorithm: Asked | undefined
  }
): { readings: Reading[]; origins: (Origin | undefined)[] } | { problem: UnitProblem } {
  const { tables, columns, units, algorithm } = given
  const found = unitReadings(sql, facts, tables, units)
  if ('problem' in found) return found
  const ours = columns.find(({ name }) => foldName(name).startsWith(OURS))
  if (ours !== undefined)
    return { problem: { reason: `a column may not be called "${ours.name}": give it another name with AS` } }
  const origins = originsOf(facts.statement, tables, columns)
  const roles = algorithm === undefined ? undefined : aggregateRoles(algorithm.name, algorithm.parameters)
  if (roles === undefined) return { problem: { reason: 'the algorithm may give single values away' } }
  const kinds = outputKinds(facts, columns, origins, units)
  const kindOf = (name: string) => {
    const exact = columns.findIndex((column) => column.name === name)
    return kinds[exact >= 0 ? exact : columns.findIndex((column) => foldName(column.name) === foldName(name))]
  }
  for (const name of [...roles.keys, ...roles.values]) {
    if (kindOf(name) === 'unit')
      return {
        problem: {
          reason: `"${name}" tells whom a row is about, and cannot be what groups are made of or added up`
        }
      }
    if ((kindOf(name) ?? 'unknown') === 'unknown')
      return { problem: { reason: `it is not certain what "${name}" is: select the column by its name` } }
  }
  const computed = roles.values.find((name) => kindOf(name) === 'computed')
  if (computed !== undefined)
    return {
      problem: { reason: `"${computed}" is an expression: only plain columns of tables are added up` }
    }
  return { readings: found.readings, origins }
}
