import type { Terms } from '../../protocol/documents/index.ts'
import { DynamosError } from '../../protocol/errors/index.ts'
import { type Predicate, parsePredicate, predicateColumns, printPredicate } from '../predicate/index.ts'

export interface SchemaTable {
  name: string
  columns: readonly { name: string; type: string }[]
}

/** What a table looks like through an agreement; `where` is SQL that we printed, for the extract alone. */
export interface GrantedTable {
  name: string
  columns: { name: string; type: string }[]
  where: string | null
}

/** The agreement names a table or column that the dataset has not (any more). */
export class DatasetChanged extends DynamosError {
  static override readonly name = 'DatasetChanged'
  constructor(message: string) {
    super('dataset-changed', message)
  }
}

/** The engine takes names in any case, so two spellings are one column. */
function sameName(one: string, other: string): boolean {
  return one === other || one.toLowerCase() === other.toLowerCase()
}

/** @throws {DatasetChanged} when the predicate reads a column that the table has not */
export function assertColumnsExist(predicate: Predicate, table: SchemaTable): void {
  for (const name of predicateColumns(predicate)) {
    if (!table.columns.some((column) => sameName(column.name, name))) {
      throw new DatasetChanged(`where: table "${table.name}" has no column "${name}"`)
    }
  }
}

function grantTable(
  table: SchemaTable,
  columns: '*' | readonly string[],
  where: string | undefined
): GrantedTable {
  if (columns !== '*') {
    const missing = columns.find((name) => !table.columns.some((column) => column.name === name))
    if (missing !== undefined) {
      throw new DatasetChanged(`the agreement names column "${missing}", which table "${table.name}" has not`)
    }
  }
  const predicate = where === undefined ? null : parsePredicate(where)
  if (predicate !== null) assertColumnsExist(predicate, table)
  return {
    name: table.name,
    columns: table.columns
      .filter((column) => columns === '*' || columns.includes(column.name))
      .map(({ name, type }) => ({ name, type })),
    where: predicate === null ? null : printPredicate(predicate)
  }
}

/**
 * The tables and columns that an agreement shows, in the dataset's own order, with the row predicate of each table. A table
 * without columns is left out. A `where` may read columns that are not shown.
 *
 * Columns that `anonymize` suppresses are shown: the query may join and filter by them, and the anonymize step removes them
 * afterwards. Who wants them unseen by the query leaves them out of `columns`.
 *
 * @throws {DatasetChanged} when the agreement names what the dataset has not: never silently less, never silently unfiltered
 */
export function grantedSchema(terms: Terms, dataset: readonly SchemaTable[]): GrantedTable[] {
  const { tables } = terms
  if (tables === '*') return dataset.map((table) => grantTable(table, '*', undefined))
  const missing = Object.keys(tables).find((name) => !dataset.some((table) => table.name === name))
  if (missing !== undefined) {
    throw new DatasetChanged(`the agreement names table "${missing}", which the dataset has not`)
  }
  return dataset
    .filter((table) => Object.hasOwn(tables, table.name))
    .flatMap((table) => {
      const grant = tables[table.name]
      return grant === undefined ? [] : [grantTable(table, grant.columns, grant.where)]
    })
    .filter((table) => table.columns.length > 0)
}
