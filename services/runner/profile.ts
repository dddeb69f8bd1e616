import { access } from 'node:fs/promises'
import { basename } from 'node:path'
import { type Engine, resourceFailure } from '../engine/index.ts'
import { Failure } from '../failure/index.ts'
import type { Assignment, ReportOf, SourceTable } from '../job/index.ts'
import { type OpenSource, openSource } from '../source/index.ts'
import { quoteName, quoteText } from '../sql/index.ts'
import { lookClosely } from './look.ts'
import type { JobPlace } from './place.ts'

type ProfiledTable = ReportOf<'profile'>['tables'][number]

/** Looks at whole files: types, NULLs, rows; no values but codes, where the owner asked to look closely. */
export async function runProfile(
  engine: Engine,
  assignment: Extract<Assignment, { kind: 'profile' }>,
  place: JobPlace
): Promise<ReportOf<'profile'>> {
  const tables: ProfiledTable[] = []
  for (const table of assignment.tables)
    tables.push(await profileTable(engine, table, place, assignment.closely ?? false))
  return { kind: 'profile', tables }
}

async function profileTable(
  engine: Engine,
  table: SourceTable,
  place: JobPlace,
  closely: boolean
): Promise<ProfiledTable> {
  const source = await openTable(engine, table, place)
  checkNames(table, source.columns)
  const coded = table.columns.filter(
    (column) => column.values !== undefined && (column.type ?? 'VARCHAR') === 'VARCHAR'
  )
  const counts = [
    'count(*)',
    ...source.columns.map(({ name }) => `count(${quoteName(name)})`),
    ...coded.map(({ name, values = {} }) => {
      const known = Object.values(values).map(quoteText)
      return known.length === 0
        ? '0'
        : `count(*) FILTER (WHERE ${quoteName(name)} NOT IN (${known.join(', ')}))`
    })
  ]
  const [row = []] = await reading(source, () =>
    engine.rows(`SELECT ${counts.join(', ')} FROM (${source.sql}) AS t`)
  )
  const rows = Number(row[0])
  const notes = [...source.notes]
  if (rows === 0 && table.format === 'csv')
    notes.push('no rows: types of columns are unknown and taken as VARCHAR')
  for (const [index, { name }] of coded.entries()) {
    const outside = Number(row[1 + source.columns.length + index])
    if (outside > 0) notes.push(`column "${name}": ${outside} rows hold a code outside its table`)
  }
  const declared = new Set(table.columns.map(({ name }) => name))
  const inferred = table.format === 'csv' ? source.columns.filter(({ name }) => !declared.has(name)) : []
  const close: Awaited<ReturnType<typeof lookClosely>> = closely
    ? await reading(source, () =>
        lookClosely(engine, { ...source, rows, inferred: new Set(inferred.map(({ name }) => name)) })
      )
    : { looks: new Map(), notes: [] }
  notes.push(...close.notes)
  return {
    name: table.name,
    rows,
    columns: source.columns.map(({ name, type }, index) => ({
      name,
      type,
      nulls: rows - Number(row[1 + index]),
      ...close.looks.get(name)
    })),
    notes
  }
}

const MOST_COLUMNS = 2000
const LONGEST_NAME = 128
/** Of a list or structure, as the engine writes it. */
const LONGEST_TYPE = 256

/** What a description could not hold is told before anybody describes it. */
function checkNames(table: SourceTable, columns: OpenSource['columns']): void {
  const problem = (hint: string): Failure =>
    new Failure('dataset-malformed', `${table.path}: ${hint}`, { hint: `${basename(table.path)}: ${hint}` })
  if (columns.length > MOST_COLUMNS)
    throw problem(`expected at most ${MOST_COLUMNS} columns, found ${columns.length}`)
  const index = columns.findIndex(({ name }) => name === '' || name.length > LONGEST_NAME)
  const wide = columns.find(({ type }) => type.length > LONGEST_TYPE)
  if (wide !== undefined)
    throw problem(
      `column "${wide.name}": expected a type written in at most ${LONGEST_TYPE} characters; it is nested too widely`
    )
  if (index !== -1) throw problem(`column ${index + 1}: expected a name of 1 to ${LONGEST_NAME} characters`)
}

/** @throws {Failure} dataset-missing, dataset-malformed */
export async function openTable(engine: Engine, table: SourceTable, place: JobPlace): Promise<OpenSource> {
  try {
    await access(table.path)
  } catch (cause) {
    throw new Failure('dataset-missing', `${table.path} cannot be read`, {
      cause,
      hint: `${basename(table.path)} cannot be read`
    })
  }
  return await openSource(table, place.scratch, engine)
}

/** Runs what reads a source; says what is wrong with the file when that fails. */
export async function reading<T>(source: OpenSource, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw error instanceof Failure ? error : (resourceFailure(error) ?? (await source.explain(error)))
  }
}
