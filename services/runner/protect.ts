import { join } from 'node:path'
import { roundedState, withCellsLeftOut, withoutRanges } from '../algorithm/index.ts'
import type { Engine } from '../engine/index.ts'
import { Failure } from '../failure/index.ts'
import {
  carryUnits,
  checkColumns,
  checkStatement,
  namingStatements,
  protectionProblem,
  type Reading,
  sqlFailure
} from '../inspect/index.ts'
import type { Assignment, Column, Part, Step, TableSchema } from '../job/index.ts'
import {
  aggregateRoles,
  keptCells,
  planCells,
  planWithholding,
  rememberedGroups,
  SALT,
  type UnitRows
} from '../protect/index.ts'
import { foldName, isDouble, quoteName, quoteText } from '../sql/index.ts'
import { describePart } from './parts.ts'
import type { JobPlace } from './place.ts'
import { applyAlgorithm, materialise, type Relation, runtimeFailure } from './steps.ts'

export type Protection = NonNullable<Extract<Assignment, { kind: 'query' }>['protect']>
type AlgorithmStep = Extract<Step, { service: 'algorithm' }>

const UNIT = 'dynamos unit'
const CONTENT = 'dynamos content'
const ROWS = 'dynamos rows'
const STATE = 'dynamos state'

/** A table of the data owner as a job opened it. */
interface Opened {
  schema: TableSchema
  /** SQL that may stand in FROM. */
  sql: string
}

export interface ProtectedResult {
  relation: Relation
  /** Rows that the query gave, for its receipt. */
  queried: number
  /** Groups that stay. */
  suppressed: number
  /** What is to be remembered of those that leave. */
  released: Part
}

/** A table with two columns more: whom each row is about, and a hash of the row. Rows about nobody are not there. */
export async function withUnits(
  engine: Engine,
  protect: Protection,
  table: { name: string; dataset?: string | undefined },
  relation: Relation
): Promise<Relation> {
  await engine.run(`SET VARIABLE ${SALT} = ${quoteText(protect.salt)}`)
  const unit = unitOf(protect, table)
  const column = unit?.column == null ? undefined : relation.columns.find(({ name }) => name === unit.column)
  if (unit?.column != null && column === undefined)
    throw new Failure('dataset-malformed', `no column ${unit.column} in ${table.name}`, {
      hint: `table "${table.name}": expected a column "${unit.column}", which tells whom a row is about`
    })
  const names = relation.columns.map(({ name }) => quoteName(name))
  const whose = column === undefined ? 'CAST(NULL AS VARCHAR)' : `CAST(${quoteName(column.name)} AS VARCHAR)`
  const content = `hash(getvariable('${SALT}'), ${names.join(', ')})`
  const about = column === undefined ? '' : ` WHERE ${quoteName(column.name)} IS NOT NULL`
  return {
    sql: `(SELECT *, ${whose} AS ${quoteName(UNIT)}, ${content} AS ${quoteName(CONTENT)} FROM ${relation.sql} AS held${about})`,
    columns: [...relation.columns, { name: UNIT, type: 'VARCHAR' }, { name: CONTENT, type: 'UBIGINT' }],
    rows: undefined
  }
}

function unitOf(
  { units }: Protection,
  { name, dataset }: { name: string; dataset?: string | undefined }
): Protection['units'][number] | undefined {
  return units.find((one) => one.table === name && one.dataset === dataset)
}

/** What an analyst's SQL may see of a table. */
export function seen(protect: Protection, table: TableSchema): TableSchema {
  const unit = unitOf(protect, table)
  const hidden = new Set([
    UNIT,
    CONTENT,
    ...(unit?.shown === false && unit.column !== null ? [unit.column] : [])
  ])
  return { ...table, columns: table.columns.filter(({ name }) => !hidden.has(name)) }
}

/** Runs a query and an aggregate over it; what comes out is of groups that may leave, and of nothing else. */
export async function runProtected(
  engine: Engine,
  order: { sql: string; step: AlgorithmStep; protect: Protection; opened: readonly Opened[] },
  place: JobPlace
): Promise<ProtectedResult> {
  const { step, protect } = order
  const { rows, queried } = await unitRows(engine, order)
  try {
    const { prepare, cells } = planCells(step.name, step.parameters, rows)
    for (const statement of prepare) await engine.run(statement)
    const { minGroupSize, room } = protect
    const earlier = protect.earlier === undefined ? undefined : join(place.root, protect.earlier)
    for (const statement of planWithholding(cells, rows, { minGroupSize, earlier, room }))
      await engine.run(statement)
    const path = 'out/released.csv'
    const remembered = await engine.run(
      `COPY (${rememberedGroups()}) TO ${quoteText(join(place.root, path))} (FORMAT csv, HEADER false)`
    )
    const suppressed = Number(await engine.run(keptCells(cells)))
    const input = { sql: cells.rows, columns: rows.columns, rows: undefined }
    const state = await stateOf(engine, step, input)
    const leaving = `(${cells.state(`SELECT * FROM ${state.sql} AS s`)})`
    const told = cells.grid && suppressed > 0 ? `(${withCellsLeftOut(leaving, state.columns)})` : leaving
    const kept = await materialise(engine, { ...state, sql: told }, STATE)
    const relation =
      step.phase === 'partial'
        ? kept
        : await materialise(
            engine,
            await applyAlgorithm(engine, { ...step, phase: 'merge' }, kept),
            'dynamos result'
          )
    const released = await describePart(place.root, path, Number(remembered))
    return { relation, queried, suppressed, released }
  } catch (error) {
    throw runtimeFailure(error)
  }
}

/** The state of an aggregate without what tells of single values: which is largest, which is of another size. */
async function stateOf(engine: Engine, step: AlgorithmStep, rows: Relation): Promise<Relation> {
  const { name, parameters } = step
  const [value] = aggregateRoles(name, parameters)?.values ?? []
  const column = rows.columns.find((one) => foldName(one.name) === foldName(value ?? ''))
  if (name === 'average' && column !== undefined && isDouble(column.type)) {
    const averages = await applyAlgorithm(engine, { ...step, phase: 'complete' }, rows)
    const kept = await materialise(engine, averages, 'dynamos averages')
    const by = averages.columns.slice(0, -2).map((one) => one.name)
    return await described(engine, roundedState(kept.sql, by))
  }
  const state = await applyAlgorithm(engine, { ...step, phase: 'partial' }, rows)
  if (name !== 'correlation' && name !== 'regression') return state
  const kept = await materialise(engine, state, 'dynamos moments')
  return await described(engine, withoutRanges(`SELECT * FROM ${kept.sql} AS s`))
}

async function described(engine: Engine, sql: string): Promise<Relation> {
  return { sql: `(${sql})`, columns: await engine.describe(sql), rows: undefined }
}

/** Runs the query as a table that holds, beside what it gives, whom each row is about. */
async function unitRows(
  engine: Engine,
  { sql, step, protect, opened }: Parameters<typeof runProtected>[1]
): Promise<{ rows: UnitRows; queried: number }> {
  const tables = opened.map(({ schema }) => seen(protect, schema))
  const facts = await checkStatement(engine, sql, tables)
  const columns = await columnsSeen(engine, sql, tables, opened)
  const found = protectionProblem(sql, facts, { tables, columns, units: protect.units, algorithm: step })
  if ('problem' in found)
    throw new Failure('sql-invalid', found.problem.reason, {
      hint: found.problem.reason,
      ...(found.problem.position === undefined ? {} : { position: found.problem.position })
    })
  const sources = opened.map((table) => `${table.sql} AS source`)
  const schemas = opened.map(({ schema }) => schema)
  for (const statement of namingStatements(schemas, (index) => sources[index] ?? ''))
    await engine.run(statement)
  const { readings, origins } = found
  const carried = await carryUnits(engine, sql, readings, [
    { name: UNIT, as: unitName },
    { name: CONTENT, as: contentName }
  ])
  const content = `hash(${readings.map((_, index) => quoteName(contentName(index))).join(', ')})`
  const whose = readings.map((_, index) => quoteName(unitName(index)))
  const shown = columns.map((column, index) => {
    const bound = protect.bounds.find((one) => {
      const origin = origins[index]
      return origin?.table === one.table && origin.dataset === one.dataset && origin.column === one.column
    })
    return `${bound === undefined ? quoteName(column.name) : clamped(column, bound)} AS ${quoteName(column.name)}`
  })
  const list = [...whose, `${content} AS ${quoteName(CONTENT)}`, ...shown].join(', ')
  let queried: number
  try {
    queried = Number(
      await engine.run(`CREATE TEMP TABLE ${quoteName(ROWS)} AS SELECT ${list} FROM (${carried}) AS carried`)
    )
  } catch (error) {
    const { code, message, hint } = sqlFailure(error, { text: sql, offset: 0, tables })
    throw new Failure(code, message, { cause: error, ...(hint === undefined ? {} : { hint }) })
  }
  return { rows: { table: ROWS, columns, units: counted(readings), content: CONTENT }, queried }
}

const unitName = (reading: number): string => `${UNIT} ${reading}`
const contentName = (reading: number): string => `${CONTENT} ${reading}`

function counted(readings: readonly Reading[]): string[] {
  return readings.flatMap(({ unit }, index) => (unit === null ? [] : [unitName(index)]))
}

/** The columns of the statement over what it may see: a name that is hidden is unknown. */
async function columnsSeen(
  engine: Engine,
  sql: string,
  tables: readonly TableSchema[],
  opened: readonly Opened[]
): Promise<Column[]> {
  const sources = tables.map(({ columns }, index) => {
    const list = columns.map(({ name }) => quoteName(name)).join(', ')
    return `(SELECT ${list} FROM ${opened[index]?.sql ?? ''} AS held) AS source`
  })
  await engine.run('BEGIN TRANSACTION')
  try {
    for (const statement of namingStatements(tables, (index) => sources[index] ?? ''))
      await engine.run(statement)
    const columns = await engine.describe(sql)
    checkColumns(columns)
    return columns
  } catch (error) {
    throw sqlFailure(error, { text: sql, offset: 0, tables })
  } finally {
    await engine.run('ROLLBACK')
  }
}

/** A value outside of its declared bounds counts as the nearest bound: nobody weighs more in a sum. */
function clamped({ name, type }: Column, { min, max }: Protection['bounds'][number]): string {
  const value = quoteName(name)
  const low = min === undefined ? value : `coalesce(TRY_CAST(${quoteText(min)} AS ${type}), ${value})`
  const high = max === undefined ? value : `coalesce(TRY_CAST(${quoteText(max)} AS ${type}), ${value})`
  return `CASE WHEN ${value} IS NULL THEN NULL ELSE CAST(least(greatest(${value}, ${low}), ${high}) AS ${type}) END`
}
