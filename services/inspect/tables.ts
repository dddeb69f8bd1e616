import { Failure } from '../failure/index.ts'
import { foldName, type Named, qualifierOf, quoteName } from '../sql/index.ts'

function qualifiersOf(tables: readonly Named[]): string[] {
  return [...new Set(tables.flatMap((table) => qualifierOf(table) ?? []))]
}

function isAlone(table: Named, tables: readonly Named[]): boolean {
  return tables.every((other) => other === table || foldName(other.name) !== foldName(table.name))
}

/** Every table that a name may mean: of the dataset when one is given, else of all. */
export function tablesNamed<T extends Named>(qualifier: string, name: string, tables: readonly T[]): T[] {
  return tables.filter((table) => {
    if (foldName(table.name) !== foldName(name)) return false
    return qualifier === '' || foldName(qualifierOf(table) ?? '') === foldName(qualifier)
  })
}

/**
 * Statements that make each table readable as `dataset.table`, and as `table` where no other has that name.
 *
 * @param relation what may stand in FROM for the table at an index
 * @param read the only ones that are read; left out: all may be
 * @throws {Failure} sql-invalid when two datasets cannot be told apart
 */
export function namingStatements<T extends Named>(
  tables: readonly T[],
  relation: (index: number) => string,
  read: ReadonlySet<T> = new Set(tables)
): string[] {
  assertDistinct(qualifiersOf(tables))
  const schemas = qualifiersOf([...read]).map((name) => `CREATE SCHEMA ${quoteName(name)}`)
  const views = tables.flatMap((table, index) => {
    if (!read.has(table)) return []
    const qualifier = qualifierOf(table)
    const names = [
      ...(isAlone(table, tables) ? [quoteName(table.name)] : []),
      ...(qualifier === undefined ? [] : [`${quoteName(qualifier)}.${quoteName(table.name)}`])
    ]
    return names.map((name) => `CREATE VIEW ${name} AS SELECT * FROM ${relation(index)}`)
  })
  return [...schemas, ...views]
}

function assertDistinct(qualifiers: readonly string[]): void {
  const seen = new Map<string, string>()
  for (const name of qualifiers) {
    const other = seen.get(foldName(name))
    if (other !== undefined)
      throw new Failure('sql-invalid', 'datasets that differ in case', {
        hint: `the datasets ${other} and ${name} differ in case alone, which SQL does not tell apart: ask for one at a time`
      })
    seen.set(foldName(name), name)
  }
}
