import { type GrantedTable, grantedSchema, protectionOf } from '../../policy/index.ts'
import type { Terms } from '../../protocol/documents/index.ts'
import { type Assignment, sameName } from '../../services/index.ts'
import type { Described, ShownDataset } from './anonymize.ts'

type Protect = NonNullable<Extract<Assignment, { kind: 'query' }>['protect']>

/** Whose rows a request reads, where an agreement about one of its datasets protects them. */
export interface ProtectedDatasets {
  minGroupSize: number
  /** Of every table, but those of which it is not known whom their rows are about. */
  units: Protect['units']
  bounds: Protect['bounds']
  /** Datasets whose agreements protect them. */
  datasets: string[]
}

/** Null where rows may leave. The largest minimum holds for all. */
export function protectedDatasets(shown: readonly ShownDataset[]): ProtectedDatasets | null {
  const sizes = shown.flatMap(({ terms }) => protectionOf(terms)?.minGroupSize ?? [])
  if (sizes.length === 0) return null
  const minGroupSize = Math.max(...sizes)
  return {
    minGroupSize,
    units: shown.flatMap((one) => unitsOf(one, minGroupSize > 1)),
    bounds: shown.flatMap(({ dataset }) => boundsOf(dataset)),
    datasets: shown.flatMap(({ terms, dataset }) => (protectionOf(terms) === null ? [] : [dataset.config.id]))
  }
}

function unitsOf({ terms, dataset }: ShownDataset, counted: boolean): Protect['units'] {
  const ofDataset = { dataset: dataset.config.id }
  return grantedSchema(terms, dataset.tables).flatMap((table): Protect['units'] => {
    const ofTable = { ...ofDataset, table: table.name }
    if (protectionOf(terms) === null || !counted) return [{ ...ofTable, column: null, shown: true }]
    const column = unitColumn(table.name, terms, dataset)
    if (column === undefined) return []
    return [
      { ...ofTable, column: column.name, shown: table.columns.some(({ name }) => name === column.name) }
    ]
  })
}

/** The column of the unit that an agreement protects: the one that it names, else the table's subject. */
function unitColumn(
  table: string,
  terms: Terms,
  dataset: Described
): { name: string; type: string } | undefined {
  const unit = protectionOf(terms)?.unit ?? dataset.config.tables.find(({ name }) => name === table)?.subject
  return unit === undefined
    ? undefined
    : dataset.tables.find(({ name }) => name === table)?.columns.find(({ name }) => sameName(name, unit))
}

/** The tables with the column of the unit, also where it is shown to nobody: the job counts by it. */
export function withUnitColumns(
  tables: readonly GrantedTable[],
  terms: Terms,
  dataset: Described
): GrantedTable[] {
  if (protectionOf(terms) === null) return [...tables]
  return tables.map((table) => {
    const column = unitColumn(table.name, terms, dataset)
    return column === undefined || table.columns.some(({ name }) => name === column.name)
      ? table
      : { ...table, columns: [...table.columns, column] }
  })
}

function boundsOf(dataset: Described): Protect['bounds'] {
  return dataset.config.tables.flatMap(({ name: table, columns }) =>
    columns.flatMap(({ name: column, min, max }) =>
      min === undefined && max === undefined
        ? []
        : [
            {
              dataset: dataset.config.id,
              table,
              column,
              ...(min === undefined ? {} : { min }),
              ...(max === undefined ? {} : { max })
            }
          ]
    )
  )
}

/** Tables of which it is not known whom their rows are about, and columns whose values have no declared bounds. */
export function unprotectable(
  terms: Terms,
  dataset: Described
): { tables: string[]; unbounded: string[]; shown: number } {
  const protection = protectionOf(terms)
  if (protection === null) return { tables: [], unbounded: [], shown: 0 }
  const granted = grantedSchema(terms, dataset.tables)
  const bounded = new Set(
    boundsOf(dataset).flatMap(({ table, column, min, max }) =>
      min === undefined || max === undefined ? [] : [`${table}.${column}`]
    )
  )
  return {
    shown: granted.length,
    tables:
      protection.minGroupSize === 1
        ? []
        : granted.map(({ name }) => name).filter((name) => unitColumn(name, terms, dataset) === undefined),
    unbounded: granted.flatMap(({ name: table, columns }) =>
      columns
        .filter(({ name, type }) => isNumber(type) && name !== unitColumn(table, terms, dataset)?.name)
        .map(({ name }) => `${table}.${name}`)
        .filter((name) => !bounded.has(name))
    )
  }
}

function isNumber(type: string): boolean {
  return /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL\(.*\))$/.test(type)
}
