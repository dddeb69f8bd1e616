import { foldName, quoteName } from './quote.ts'

/** Names that the engine has for its own catalogs and schemas: a dataset of such a name is no qualifier. */
const RESERVED = new Set(['main', 'temp', 'system', 'memory', 'information_schema', 'pg_catalog'])

/** A table, and the dataset that it is one of. */
export interface Named {
  name: string
  dataset?: string | undefined
}

/** The dataset as a qualifier in SQL; undefined where a table has none that can be written. */
export function qualifierOf({ dataset }: Named): string | undefined {
  return dataset === undefined || RESERVED.has(foldName(dataset)) ? undefined : dataset
}

/** `dataset.table` as one would write it; undefined for a table that has no qualifier. */
export function qualifiedName(table: Named): string | undefined {
  const qualifier = qualifierOf(table)
  return qualifier === undefined ? undefined : `${written(qualifier)}.${written(table.name)}`
}

function written(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : quoteName(name)
}
