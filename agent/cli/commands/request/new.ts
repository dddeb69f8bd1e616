import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { hasCode, toError } from '../../../../protocol/errors/index.ts'
import { type DatasetView, datasetView } from '../../../api/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { yamlComment, yamlQuoted, yamlText } from '../../yaml-text.ts'

const newOptions = z.object({ dataset: z.array(z.string()), out: z.string().optional() })

/** A request to edit, explained line by line: to a file, or to standard output. */
export async function newRequest(context: Context, input: Input): Promise<undefined> {
  const { dataset, out } = parseOptions(input.options, newOptions)
  const client = await context.client()
  const views: DatasetView[] = []
  for (const id of new Set(dataset))
    views.push(await client.get(`/api/v1/datasets/${encodeURIComponent(id)}`, datasetView))
  const text = requestFile(views)
  if (out === undefined) {
    context.answer({ request: text }, () => text.trimEnd())
    return undefined
  }
  const file = resolve(context.terminal.cwd, out)
  try {
    await writeFile(file, text, { flag: 'wx' })
  } catch (cause) {
    if (!hasCode(toError(cause), 'EEXIST')) throw cause
    throw new UsageError(`${file} is there already; choose another --out, or edit that file`, { cause })
  }
  context.answer({ file }, () =>
    [
      `${out}: a request to edit`,
      '',
      `  dynamos request explain ${out}`,
      `  dynamos request submit ${out}`
    ].join('\n')
  )
  return undefined
}

/** Everything that a request may say, with what it says unless told; what is not needed is commented out. */
export function requestFile(views: readonly DatasetView[]): string {
  const [first] = views
  const { query: asked = 'SELECT …', purpose = 'PURPOSE', algorithm } = first?.example ?? {}
  const query = views.length > 1 && first !== undefined ? qualified(asked, first.id) : asked
  const holders = (first?.providers ?? []).filter((one) =>
    views.every(({ providers }) => providers.some((other) => other.organisation === one.organisation))
  )
  const agreed = holders.filter((one) =>
    views.every(({ providers }) =>
      providers.some((other) => other.organisation === one.organisation && other.agreements.length > 0)
    )
  )
  const names = (of: readonly { organisation: string }[]) =>
    `[${of.map(({ organisation }) => yamlText(organisation)).join(', ')}]`
  const value = algorithm?.value ?? 'COLUMN'
  return `# A request: "dynamos request explain FILE" tells what each party would say, "dynamos request submit FILE" runs it.
type: sqlDataRequest

# What the answer is for. Agreements say which purposes they permit.
purpose: ${yamlText(purpose)}

datasets: [${views.map(({ id }) => yamlText(id)).join(', ')}]

# Whom to ask; every provider that is found, unless told. require: all, available, or how many there must be at least.
# Have ${views.length === 1 ? 'it' : 'all of them'}: ${yamlComment(holders.map(({ organisation }) => organisation).join(', '))}
${agreed.length === 0 ? '# providers: [ORGANISATION]' : `providers: ${names(agreed)}`}
# require: all

# One SELECT. Each provider runs it over its own tables, which hold what its agreement shows.${views.length > 1 ? '\n# A table that is in several datasets is written dataset.table.' : ''}
${views.flatMap(tablesOf).join('\n')}
query: ${queryText(query)}

# What is computed from the rows; left out: the rows themselves.
${
  algorithm === undefined
    ? '# algorithm: {name: average, parameters: {value: COLUMN, by: [COLUMN]}}'
    : algorithm.value === undefined
      ? `algorithm: {name: ${yamlText(algorithm.name)}, parameters: {}}`
      : `algorithm: {name: ${yamlText(algorithm.name)}, parameters: {value: ${yamlText(value)}}}   # by: [COLUMN] groups`
}

# aggregate: one result over all rows (true where several are asked), or one for each provider. graph: a picture as well.
# options: {aggregate: true, anonymize: false, graph: true}

# Who gets the result; your own organisation, unless told.
# recipients: [ORGANISATION]

# How it is to be done: an archetype, or a list, the best first; and what counts among those that are permitted.
# archetype: [computeToData, dataThroughTtp]
# optimise: {energy: 1, carbon: 0, time: 1, cost: 0, load: 0}
# within: {time: PT30S, cost: 2}

# How long it may take, once everybody has agreed.
# deadline: PT5M
`
}

/** The only table of an example, by its dataset: another one may have a table of its name. */
function qualified(query: string, dataset: string): string {
  const name = /^[A-Za-z_][A-Za-z0-9_]*$/.test(dataset) ? dataset : `"${dataset}"`
  return query.replace(/ FROM ("(?:[^"]|"")*"|\w+)$/, (_, table: string) => ` FROM ${name}.${table}`)
}

/** As a block that is easily edited, where every character can stand in one. */
function queryText(query: string): string {
  if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S} \n]*$/u.test(query)) return yamlQuoted(query)
  const lines = query.split('\n').map((line) => `  ${line}`)
  return `|\n${lines.join('\n')}`
}

function tablesOf({ id, tables }: DatasetView): string[] {
  return tables.map(({ name, columns }) => {
    const told = columns.map(
      (column) => `${column.name} ${column.type}${column.unit === undefined ? '' : ` (${column.unit})`}`
    )
    return `#   ${yamlComment(`${id}.${name}: ${told.join(', ')}`)}`
  })
}
