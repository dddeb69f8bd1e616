import { z } from 'zod'
import { type DatasetView, datasetView } from '../../../api/index.ts'
import type { Context } from '../../context.ts'
import { type Input, parseOptions } from '../../options.ts'
import { plain, table } from '../../render/index.ts'

type TableView = DatasetView['tables'][number]
type ColumnView = TableView['columns'][number]

export async function datasets(context: Context, input: Input): Promise<undefined> {
  const { find } = parseOptions(input.options, z.object({ find: z.string().optional() }))
  const client = await context.client()
  const query = find === undefined ? '' : `?find=${encodeURIComponent(find)}`
  const found = await client.get(`/api/v1/datasets${query}`, z.array(datasetView))
  context.answer(found, () =>
    found.length === 0
      ? `No dataset${find === undefined ? '' : ` about "${plain(find)}"`} was found.`
      : table(
          [
            { title: 'dataset' },
            { title: 'title' },
            { title: 'providers' },
            { title: 'tables' },
            { title: 'about rows', align: 'right' }
          ],
          found.map(({ id, title, providers, tables }) => [
            id,
            title,
            providers.map(({ organisation }) => organisation).join(', '),
            tables.map(({ name }) => name).join(', '),
            String(tables.reduce((sum, { rows }) => sum + rows, 0))
          ]),
          { style: context.style, ...context.width }
        )
  )
  return undefined
}

const MOST_CODES = 8

function columnRow({ name, type, unit, values, min, max, description, sensitive }: ColumnView): string[] {
  const declared = min === undefined && max === undefined ? '' : `${min ?? ''} … ${max ?? ''}`.trim()
  const codes = values?.slice(0, MOST_CODES).join(', ') ?? ''
  const more = (values?.length ?? 0) > MOST_CODES ? ', …' : ''
  const about = [
    ...(sensitive === true ? ['sensitive'] : []),
    ...(description === undefined ? [] : [description])
  ]
  return [name, type, unit ?? '', declared, codes + more, about.join(': ')]
}

/** A table with only those of its columns in which anything stands. */
function tableOfColumns({ columns }: TableView, { style, width }: Context): string {
  const titles = ['column', 'type', 'unit', 'between', 'codes', 'description']
  const rows = columns.map(columnRow)
  const kept = titles.flatMap((_, index) =>
    rows.some((row) => row[index] !== '') || index < 2 ? [index] : []
  )
  return table(
    kept.map((index) => ({ title: titles[index] ?? '' })),
    rows.map((row) => kept.map((index) => row[index] ?? '')),
    { style, ...width }
  )
}

function describe(dataset: DatasetView, context: Context): string {
  const { style } = context
  const contacts = new Map(dataset.contacts?.map(({ organisation, contact }) => [organisation, contact]))
  const providers = dataset.providers.map(({ organisation, agreements }) => {
    const contact = contacts.get(organisation)
    const terms = agreements.length === 0 ? 'no agreement with you' : agreements.map(plain).join(', ')
    return `${plain(organisation)} ${style.dim(`(${terms}${contact === undefined ? '' : `; ask ${plain(contact)}`})`)}`
  })
  const tables = dataset.tables.map((one) =>
    [
      `${style.bold(plain(one.name))}  about ${one.rows} rows${one.subject === undefined ? '' : `, each about one ${plain(one.subject)}`}`,
      tableOfColumns(one, context)
    ].join('\n')
  )
  return [
    `${style.bold(plain(dataset.id))}  ${plain(dataset.title)}`,
    `Providers: ${providers.join(', ')}`,
    ...tables,
    ...(dataset.differences.length === 0
      ? []
      : [['Providers differ:', ...dataset.differences.map((line) => `- ${plain(line)}`)].join('\n')]),
    ...dataset.providers
      .filter(({ agreements }) => agreements.length === 0)
      .slice(0, 3)
      .map(
        ({ organisation }) =>
          `What ${plain(organisation)} offers to every member, if anything:\n  dynamos agreement list --standing --from "${plain(organisation)}"`
      ),
    ...(dataset.ask === undefined ? [] : [`How to ask:\n  ${plain(dataset.ask)}`])
  ].join('\n\n')
}

export async function show(context: Context, input: Input): Promise<undefined> {
  const [id] = parseOptions(input.args, z.tuple([z.string().min(1)]))
  const client = await context.client()
  const dataset = await client.get(`/api/v1/datasets/${encodeURIComponent(id)}`, datasetView)
  context.answer(dataset, () => describe(dataset, context))
  return undefined
}
