import type { DatasetDescription } from '../../protocol/documents/index.ts'
import type { DatasetColumn } from '../config/index.ts'
import type { Dataset } from './dataset.ts'

type DescribedColumn = DatasetDescription['tables'][number]['columns'][number]

/** As many meanings of codes as a capability has room for, of all columns of a dataset. */
const CODES_OF_COLUMN = 256
const LONGEST_CODE = 256
const CODES_OF_DATASET = 65_536

/**
 * What others are told of a dataset: what its steward wrote, the names and types that its files were found to have, and about
 * how many rows; never a value of the data.
 */
export function describe({ config, tables }: Omit<Dataset, 'sources'>): DatasetDescription {
  let room = CODES_OF_DATASET
  const codesOf = (values: DatasetColumn['values']): Pick<DescribedColumn, 'values'> => {
    const meanings = [...new Set(Object.values(values ?? {}))]
    const size = meanings.reduce((sum, meaning) => sum + meaning.length, 0)
    const fits =
      meanings.length > 0 &&
      meanings.length <= CODES_OF_COLUMN &&
      meanings.every((meaning) => meaning.length <= LONGEST_CODE) &&
      size <= room
    // half a code table would be taken for a whole one
    if (!fits) return {}
    room -= size
    return { values: meanings }
  }
  return {
    id: config.id,
    title: config.title,
    ...(config.contact === undefined ? {} : { contact: config.contact }),
    tables: tables.map((table) => {
      const described = config.tables.find((one) => one.name === table.name)
      const columns = new Map(described?.columns.map((column) => [column.name, column]))
      return {
        name: table.name,
        rows: roundedRows(table.rows),
        ...(described?.subject === undefined ? {} : { subject: described.subject }),
        columns: table.columns.map((column) => {
          const { unit, description, sensitive, values, min, max } = columns.get(column.name) ?? {}
          return {
            ...column,
            ...(unit === undefined ? {} : { unit }),
            ...codesOf(values),
            ...(min === undefined ? {} : { min }),
            ...(max === undefined ? {} : { max }),
            ...(description === undefined ? {} : { description }),
            ...(sensitive === undefined ? {} : { sensitive })
          }
        })
      }
    })
  }
}

/** Two significant digits, and never nearer than tens: how many rows a small table has exactly is nobody else's business. */
export function roundedRows(rows: number): number {
  if (rows === 0) return 0
  const step = Math.max(10, 10 ** (Math.floor(Math.log10(rows)) - 1))
  return Math.max(10, Math.round(rows / step) * step)
}
