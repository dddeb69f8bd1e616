import { readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { z } from 'zod'
import { hasCode } from '../../../../protocol/errors/index.ts'
import {
  type AgentConfig,
  type DatasetTable,
  loadAgentConfig,
  parseDataset,
  readSource
} from '../../../config/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { plain, table } from '../../render/index.ts'
import { withTables } from './add-tables.ts'
import { type DescribedTable, describeDataset } from './description.ts'
import { formatOfFile, tableNameOf } from './format-of-file.ts'
import { type Brought, madeFromLines, resultOf } from './from-request.ts'
import { listInConfig } from './list-in-config.ts'
import { proposedSubject } from './personal.ts'
import { flagColumns } from './sensitivity.ts'

const addOptions = z.object({
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'expected a name of letters, digits, ".", "_" or "-"'),
  fromRequest: z.string().optional(),
  from: z.string().optional(),
  title: z.string().optional(),
  contact: z.string().optional(),
  table: z.string().optional(),
  delimiter: z.string().length(1, 'expected one character').optional(),
  visibility: z.enum(['members', 'parties'], 'expected members or parties'),
  yes: z.boolean().default(false),
  force: z.boolean().default(false)
})
type AddOptions = z.infer<typeof addOptions>

/** Tables as the steward named them; the description is checked by the schema of dataset files like any other. */
async function tablesOf(
  files: readonly string[],
  options: AddOptions,
  file: string
): Promise<DatasetTable[]> {
  if (options.table !== undefined && files.length > 1)
    throw new UsageError('--table names the table of one file; leave it out for several')
  const nameOf = (path: string) => options.table ?? tableNameOf(path)
  const names = files.map(nameOf)
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined)
    throw new UsageError(`two files would both be table ${twice}; rename one, or add them one by one`)
  const tables = Object.fromEntries(
    await Promise.all(
      files.map(async (path) => {
        const format = await formatOfFile(path)
        const { delimiter } = options
        return [
          nameOf(path),
          {
            path,
            ...(format === undefined ? {} : { format }),
            ...(delimiter === undefined ? {} : { delimiter })
          }
        ]
      })
    )
  )
  return parseDataset(readSource(JSON.stringify({ id: options.id, tables }), file)).tables
}

/** The description that is there; undefined where there is none, or it is to be written anew. */
async function present(file: string, force: boolean): Promise<string | undefined> {
  if (force) return undefined
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/** A description is there whole or not at all, and one that somebody else wrote meanwhile is not lost. */
async function writeDescription(file: string, text: string, create: boolean): Promise<void> {
  if (!create) {
    await writeFile(`${file}.new`, text)
    await rename(`${file}.new`, file)
    return
  }
  try {
    await writeFile(file, text, { flag: 'wx' })
  } catch (cause) {
    if (!hasCode(cause, 'EEXIST')) throw cause
    throw new UsageError(`${file} was written by somebody else meanwhile; look at it, and try again`, {
      cause
    })
  }
}

async function describedTables(
  context: Context,
  config: AgentConfig,
  sources: readonly DatasetTable[],
  { file, ask }: { file: string; ask: boolean }
): Promise<DescribedTable[]> {
  const profiled = await context.doors.profileDataset(config, sources)
  const flagged = await flagColumns(profiled, ask ? context.terminal : undefined)
  return sources.map((source) => {
    const found = profiled.find(({ name }) => name === source.name)
    if (found === undefined) throw new Error(`table ${source.name} was not looked at`)
    const inside = relative(dirname(file), source.path)
    const path = inside.startsWith('..') ? source.path : inside
    return { source, found, path, flagged: flagged.filter((one) => one.table === source.name) }
  })
}

export async function add(context: Context, input: Input): Promise<undefined> {
  const { terminal } = context
  const given = parseOptions(input.args, z.array(z.string()))
  const options = parseOptions(input.options, addOptions)
  const config = await loadAgentConfig(resolve(terminal.cwd, context.connection.config ?? 'agent.yaml'))
  const file = join(dirname(config.file), `${options.id}.dataset.yaml`)
  const before = await present(file, options.force)
  const brought = await broughtBy(context, config, options, given, before !== undefined)
  const sources = await tablesOf(
    brought === undefined ? given.map((path) => resolve(terminal.cwd, path)) : [brought.file],
    brought === undefined ? options : { ...options, table: options.table ?? 'result' },
    file
  )
  if (before !== undefined) assertNew(parseDataset(readSource(before, file)).tables, sources, file)
  const ask = terminal.interactive && !options.yes
  const tables = await describedTables(context, config, sources, { file, ask })
  const { id, title, contact, visibility } = options
  const described =
    before === undefined
      ? describeDataset({ id, title, contact, visibility, tables })
      : withTables(before, tables, file)
  const text = brought === undefined ? described : `${described}${madeFromLines(brought.madeFrom)}`
  // whatever the names in it are, it has to load
  parseDataset(readSource(text, file))
  await writeDescription(file, text, before === undefined && !options.force)
  await listInConfig(config, file)
  tell(context, config, { id, file, tables, asked: ask, more: before !== undefined })
  return undefined
}

/** What a request brought, where that is wanted instead of files. */
async function broughtBy(
  context: Context,
  config: AgentConfig,
  { id, fromRequest, from }: AddOptions,
  given: readonly string[],
  described: boolean
): Promise<Brought | undefined> {
  if (fromRequest === undefined) {
    if (given.length === 0) throw new UsageError('expected a file, or --from-request ID')
    return undefined
  }
  if (given.length > 0) throw new UsageError('expected files or --from-request, found both')
  // Data under other terms in one dataset would have no terms of its own.
  if (described)
    throw new UsageError(`${id} is described already: what a request brought is a dataset of its own`)
  return await resultOf(context, fromRequest, { config: config.file, id, from })
}

/** Asked before anybody is asked about columns. */
function assertNew(there: readonly DatasetTable[], sources: readonly DatasetTable[], file: string): void {
  const twice = sources.find(({ name }) => there.some((one) => one.name.toLowerCase() === name.toLowerCase()))
  if (twice !== undefined)
    throw new UsageError(
      `${file} has a table ${twice.name} already; --table names it otherwise, --force writes the file anew`
    )
}

interface Added {
  id: string
  file: string
  tables: readonly DescribedTable[]
  asked: boolean
  more: boolean
}

function tell(context: Context, config: AgentConfig, { id, file, tables, asked, more }: Added): void {
  const { style } = context
  const personal = tables.flatMap(({ flagged }) => flagged)
  if (!asked)
    for (const { table: name, column, looksLike } of personal)
      context.say(`warning: ${plain(name)}.${plain(column)} looks like ${looksLike}; it is marked sensitive`)
  const subjects = tables.flatMap(({ found }) => {
    const subject = proposedSubject(found.columns)
    return subject?.sure === true ? [{ table: found.name, subject: subject.column }] : []
  })
  for (const { table: name, subject } of subjects)
    context.say(`${plain(name)}: each row is taken to be about one ${plain(subject)} (subject); check it`)
  if (!config.roles.includes('dataProvider'))
    context.say('warning: roles in agent.yaml lacks dataProvider: the dataset will not be offered')
  // codes are values: they are in the steward's file and nowhere else
  const shown = tables.map(({ found: { name, rows, columns, notes } }) => ({
    name,
    rows,
    columns: columns.map(({ name: column, type, nulls }) => ({ name: column, type, nulls })),
    notes
  }))
  context.answer({ id, file, tables: shown, personal, subjects }, () =>
    [
      ...tables.map(({ found }) =>
        [
          `${style.bold(plain(found.name))}  ${found.rows} rows`,
          table(
            [
              { title: 'column' },
              { title: 'type' },
              { title: 'empty', align: 'right' },
              { title: 'codes', align: 'right' }
            ],
            found.columns.map(({ name, type, nulls, codes }) => [
              name,
              type,
              String(nulls),
              codes === undefined ? '' : String(codes.length)
            ]),
            { style, ...context.width }
          ),
          ...found.notes.map((note) => `note: ${plain(note)}`)
        ].join('\n')
      ),
      `${file} ${more ? 'has what it had, and the table' : 'describes it'}; go through it, then restart the agent.`
    ].join('\n\n')
  )
}
