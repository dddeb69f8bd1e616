import type { GrantedColumn } from '../../protocol/documents/index.ts'
import type { Dataset } from '../datasets/index.ts'
import type { Inspected } from './inspection.ts'

/**
 * The columns that a query yields, as its asker is told of them: a column that is one of a table, unchanged, is in its unit.
 * What `anonymize` made another type of, a pseudonym or a year, is not.
 */
export function grantedColumns(
  columns: Inspected['columns'],
  datasets: readonly Pick<Dataset, 'config' | 'tables'>[]
): GrantedColumn[] {
  return columns.map(({ name, type, origin }) => {
    const dataset = datasets.find(({ config }) => config.id === origin?.dataset)
    const unit =
      origin === undefined || dataset === undefined ? undefined : unitOf(dataset, { ...origin, type })
    return unit === undefined ? { name, type } : { name, type, unit }
  })
}

function unitOf(
  { config, tables }: Pick<Dataset, 'config' | 'tables'>,
  wanted: { table: string; column: string; type: string }
): string | undefined {
  const held = tables
    .find(({ name }) => name === wanted.table)
    ?.columns.find(({ name }) => name === wanted.column)
  if (held?.type !== wanted.type) return undefined
  const described = config.tables
    .find(({ name }) => name === wanted.table)
    ?.columns.find(({ name }) => name === wanted.column)
  return described?.unit === '' ? undefined : described?.unit
}
