import type { TableSchema } from '../../services/index.ts'

export type Kind = 'number' | 'text' | 'date' | 'truth' | 'struct' | 'list'

interface Field {
  name: string
  type: string
  kind: Kind
}

const field = (name: string, type: string, kind: Kind): Field => ({ name, type, kind })

export interface ExtractTable {
  dataset: string
  name: string
  fields: Field[]
}

/** What an agreement shows of two datasets: names that need quotes, that SQL has too, and that both datasets have. */
export const EXTRACT: readonly [ExtractTable, ...ExtractTable[]] = [
  {
    dataset: 'care',
    name: 'patients',
    fields: [
      field('id', 'BIGINT', 'number'),
      field('sex', 'VARCHAR', 'text'),
      field('born', 'DATE', 'date'),
      field('visits', 'BIGINT', 'number'),
      field('odd "name"', 'DOUBLE', 'number'),
      field('alive', 'BOOLEAN', 'truth'),
      field('place', 'STRUCT(town VARCHAR, zip BIGINT)', 'struct'),
      field('tags', 'VARCHAR[]', 'list')
    ]
  },
  {
    dataset: 'pay',
    name: 'wages',
    fields: [
      field('id', 'BIGINT', 'number'),
      field('sex', 'VARCHAR', 'text'),
      field('wage', 'DOUBLE', 'number'),
      field('select', 'BIGINT', 'number'),
      field('user', 'VARCHAR', 'text'),
      field('current_date', 'DATE', 'date'),
      field('paid', 'DATE', 'date')
    ]
  },
  {
    dataset: 'care',
    name: 'Größe',
    fields: [field('id', 'BIGINT', 'number'), field('länge', 'DOUBLE', 'number')]
  },
  {
    dataset: 'care',
    name: 'notes',
    fields: [field('id', 'BIGINT', 'number'), field('note', 'VARCHAR', 'text')]
  },
  {
    dataset: 'pay',
    name: 'notes',
    fields: [field('id', 'BIGINT', 'number'), field('amount', 'DOUBLE', 'number')]
  }
]

/** As an inspection is given it. */
export const TABLES: readonly TableSchema[] = EXTRACT.map(({ dataset, name, fields }) => ({
  dataset,
  name,
  columns: fields.map(({ name: column, type }) => ({ name: column, type }))
}))

/**
 * A column and a table that the datasets have and the agreement does not show, and two that nobody has: as long, and as far from
 * every name that is shown.
 */
export const HIDDEN = { column: 'zoutwqxhh', table: 'qxzhidden' }
export const MISSING = { column: 'zoutwqxmm', table: 'qxzmissng' }
export type Unlisted = typeof HIDDEN
