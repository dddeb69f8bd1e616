import type { DatasetDescription } from '../../protocol/documents/index.ts'
import type { Agreement, Agreements } from '../agreements/index.ts'
import type { DatasetView } from '../api/index.ts'
import { differencesOf } from './dataset-differences.ts'
import { askCommand, exampleOf } from './example-request.ts'
import type { Offered } from './offered.ts'

type TableView = DatasetView['tables'][number]
type ColumnView = TableView['columns'][number]

/**
 * One dataset as the network offers it: every table and column that a provider has, as the first provider that has it
 * describes it, and where the others differ from that.
 */
export function viewDataset(
  offered: readonly Offered[],
  agreements: Pick<Agreements, 'inForce'>,
  own: string
): DatasetView | undefined {
  const [first] = offered
  if (first === undefined) return undefined
  const { id, title } = first.dataset
  const agreementsWith = (organisation: string): Agreement[] =>
    agreements
      .inForce({ provider: organisation, dataset: id })
      .filter((agreement) => agreement.payload.parties.includes(own))
  const contacts = offered.flatMap(({ organisation, dataset: { contact } }) =>
    contact === undefined ? [] : [{ organisation, contact }]
  )
  const tables = allTables(offered)
  const example = exampleOf(
    id,
    tables,
    offered.flatMap(({ organisation }) => agreementsWith(organisation).map(({ payload }) => payload.terms))
  )
  return {
    id,
    title,
    providers: offered.map(({ organisation, peer }) => ({
      organisation,
      peerId: peer,
      agreements: agreementsWith(organisation).map((agreement) => agreement.payload.name)
    })),
    ...(contacts.length === 0 ? {} : { contacts }),
    tables,
    differences: differencesOf(offered),
    ask: askCommand(id, example),
    example
  }
}

function allTables(offered: readonly Offered[]): TableView[] {
  const tables = new Map<string, { view: TableView; columns: Map<string, ColumnView> }>()
  for (const { name, rows, subject, columns } of offered.flatMap(({ dataset }) => dataset.tables)) {
    const table = tables.get(name) ?? {
      view: { name, rows: 0, ...(subject === undefined ? {} : { subject }), columns: [] },
      columns: new Map<string, ColumnView>()
    }
    tables.set(name, table)
    table.view.rows += rows
    for (const column of columns)
      if (!table.columns.has(column.name)) table.columns.set(column.name, viewColumn(column))
  }
  return [...tables.values()].map(({ view, columns }) => ({ ...view, columns: [...columns.values()] }))
}

function viewColumn(column: DatasetDescription['tables'][number]['columns'][number]): ColumnView {
  const { name, type, unit, values, min, max, description, sensitive } = column
  return {
    name,
    type,
    ...(unit === undefined ? {} : { unit }),
    ...(values === undefined ? {} : { values }),
    ...(description === undefined ? {} : { description }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(sensitive === undefined ? {} : { sensitive })
  }
}

/** Whether all words are somewhere in what a provider says of a dataset. */
export function matches(
  { organisation, dataset }: Pick<Offered, 'organisation' | 'dataset'>,
  words = ''
): boolean {
  const said = [
    organisation,
    dataset.id,
    dataset.title,
    ...dataset.tables.flatMap(({ name, columns }) => [
      name,
      ...columns.flatMap((column) => [
        column.name,
        column.unit ?? '',
        column.description ?? '',
        ...(column.values ?? [])
      ])
    ])
  ]
  const text = said.join('\n').toLowerCase()
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}
