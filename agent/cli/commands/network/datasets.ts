import { z } from 'zod'
import { type DatasetView, datasetView } from '../../../api/index.ts'
import type { Context } from '../../context.ts'
import { type Input, parseOptions } from '../../options.ts'
import { plain, table } from '../../render/index.ts'

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
            { title: 'rows', align: 'right' }
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

/** A command that works on this dataset as soon as an agreement permits it. */
function howToAsk({ id, tables }: DatasetView): string {
  const [first] = tables
  const columns = first?.columns.slice(0, 2).map(({ name }) => name) ?? []
  const quoted = (name: string) => (/^[A-Za-z_]\w*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`)
  const sql = `SELECT ${columns.map(quoted).join(', ') || '*'} FROM ${quoted(first?.name ?? id)}`
  return `dynamos ask '${sql.replaceAll("'", "'\\''")}' --dataset ${id} --purpose PURPOSE`
}

function describe(dataset: DatasetView, context: Context): string {
  const { style } = context
  const providers = dataset.providers.map(({ organisation, agreements }) =>
    agreements.length === 0
      ? `${plain(organisation)} ${style.dim('(no agreement with you)')}`
      : `${plain(organisation)} ${style.dim(`(${agreements.map(plain).join(', ')})`)}`
  )
  const tables = dataset.tables.map(({ name, rows, columns }) =>
    [
      `${style.bold(plain(name))}  ${rows} rows`,
      table(
        [{ title: 'column' }, { title: 'type' }, { title: 'unit' }, { title: 'description' }],
        columns.map((column) => [column.name, column.type, column.unit ?? '', column.description ?? '']),
        { style, ...context.width }
      )
    ].join('\n')
  )
  return [
    `${style.bold(plain(dataset.id))}  ${plain(dataset.title)}`,
    `Providers: ${providers.join(', ')}`,
    ...tables,
    ...(dataset.differences.length === 0
      ? []
      : [['Providers differ:', ...dataset.differences.map((line) => `- ${plain(line)}`)].join('\n')]),
    `How to ask:\n  ${plain(howToAsk(dataset))}`
  ].join('\n\n')
}

export async function show(context: Context, input: Input): Promise<undefined> {
  const [id] = parseOptions(input.args, z.tuple([z.string().min(1)]))
  const client = await context.client()
  const dataset = await client.get(`/api/v1/datasets/${encodeURIComponent(id)}`, datasetView)
  context.answer(dataset, () => describe(dataset, context))
  return undefined
}
