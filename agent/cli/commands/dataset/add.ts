import { writeFile } from 'node:fs/promises'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { z } from 'zod'
import { toError } from '../../../../protocol/errors/index.ts'
import { type DatasetTable, loadAgentConfig, parseDataset, readSource } from '../../../config/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { plain, table } from '../../render/index.ts'
import { describeDataset } from './description.ts'
import { listInConfig } from './list-in-config.ts'
import { personalSign } from './personal.ts'

const addOptions = z.object({
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'expected a name of letters, digits, ".", "_" or "-"'),
  title: z.string().optional(),
  contact: z.string().optional(),
  table: z.string().optional(),
  delimiter: z.string().length(1, 'expected one character').optional(),
  visibility: z.enum(['members', 'parties'], 'expected members or parties'),
  force: z.boolean().default(false)
})
type AddOptions = z.infer<typeof addOptions>

/** Tables as the steward named them; the description is checked by the schema of dataset files like any other. */
function tablesOf(files: readonly string[], options: AddOptions, file: string): DatasetTable[] {
  if (options.table !== undefined && files.length > 1)
    throw new UsageError('--table names the table of one file; leave it out for several')
  const nameOf = (path: string) => options.table ?? basename(path, extname(path)).replaceAll(/\W/g, '_')
  const names = files.map(nameOf)
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined)
    throw new UsageError(`two files would both be table ${twice}; rename one, or add them one by one`)
  const tables = Object.fromEntries(
    files.map((path) => [
      nameOf(path),
      { path, ...(options.delimiter === undefined ? {} : { delimiter: options.delimiter }) }
    ])
  )
  return parseDataset(readSource(JSON.stringify({ id: options.id, tables }), file)).tables
}

async function writeDescription(file: string, text: string, force: boolean): Promise<void> {
  try {
    await writeFile(file, text, { flag: force ? 'w' : 'wx' })
  } catch (cause) {
    const error = toError(cause)
    if (!('code' in error) || error.code !== 'EEXIST') throw error
    throw new UsageError(`${file} is there already; --force writes it anew, another --id makes another`, {
      cause
    })
  }
}

export async function add(context: Context, input: Input): Promise<undefined> {
  const { terminal, style } = context
  const given = parseOptions(input.args, z.array(z.string()).min(1))
  const options = parseOptions(input.options, addOptions)
  const config = await loadAgentConfig(resolve(terminal.cwd, context.connection.config ?? 'agent.yaml'))
  const file = join(dirname(config.file), `${options.id}.dataset.yaml`)
  const sources = tablesOf(
    given.map((path) => resolve(terminal.cwd, path)),
    options,
    file
  )
  const profiled = await context.doors.profileDataset(config, sources)
  const base = dirname(file)
  const tables = sources.map((source) => {
    const found = profiled.find(({ name }) => name === source.name)
    if (found === undefined) throw new Error(`table ${source.name} was not looked at`)
    const inside = relative(base, source.path)
    return { source, found, path: inside.startsWith('..') ? source.path : inside }
  })
  const { id, title = id, contact, visibility } = options
  await writeDescription(file, describeDataset({ id, title, contact, visibility, tables }), options.force)
  await listInConfig(config, file)
  const personal = tables.flatMap(({ found }) =>
    found.columns.flatMap(({ name }) => {
      const sign = personalSign(name)
      return sign === undefined ? [] : [{ table: found.name, column: name, looksLike: sign }]
    })
  )
  for (const { table: name, column, looksLike } of personal)
    context.say(`warning: ${plain(name)}.${plain(column)} looks like ${looksLike}; it is marked sensitive`)
  if (!config.roles.includes('dataProvider'))
    context.say('warning: roles in agent.yaml lacks dataProvider: the dataset will not be offered')
  context.answer({ id, file, tables: tables.map(({ found }) => found), personal }, () =>
    [
      ...tables.map(({ found }) =>
        [
          `${style.bold(plain(found.name))}  ${found.rows} rows`,
          table(
            [{ title: 'column' }, { title: 'type' }, { title: 'empty', align: 'right' }],
            found.columns.map(({ name, type, nulls }) => [name, type, String(nulls)]),
            { style, ...context.width }
          ),
          ...found.notes.map((note) => `note: ${plain(note)}`)
        ].join('\n')
      ),
      `${file} describes it; go through it, then restart the agent.`
    ].join('\n\n')
  )
  return undefined
}
