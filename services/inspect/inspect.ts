import type { Engine } from '../engine/index.ts'
import { Failure } from '../failure/index.ts'
import type { Column, ReportOf, TableSchema } from '../job/index.ts'
import { foldName, quoteName, quoteText } from '../sql/index.ts'
import { checkStatement } from './check.ts'
import { lineageOf, SHADOW, shadowTable } from './lineage.ts'
import { originsOf } from './origins.ts'
import { type Asked, protectionProblem } from './protection-problem.ts'
import { sqlFailure } from './sql-failure.ts'
import { namingStatements } from './tables.ts'
import type { UnitColumn } from './unit-lineage.ts'

const EXPLAIN = 'EXPLAIN (FORMAT JSON) '
/** The optimisers that push "this column is not read" down to the scans; the others hide columns that only a filter reads. */
const NEEDED = ['unused_columns', 'column_lifetime']

/** Sets an engine up for inspection; it must not be confined yet. */
export async function prepareShadow(engine: Engine): Promise<void> {
  const optimisers = (await engine.rows('SELECT name FROM duckdb_optimizers()')).map(([name]) => String(name))
  const disabled = optimisers.filter((name) => !NEEDED.includes(name)).join(',')
  await engine.run(`SET disabled_optimizers = ${quoteText(disabled)}`)
}

/** Plans one SELECT over a relation with these columns. @throws {Failure} algorithm-parameters */
export type Planner = (relation: string, columns: readonly Column[]) => string

/**
 * What a statement reads, calls and gives, bound in a shadow of empty tables with exactly the given schemas.
 *
 * @param next what comes after the statement, which must fit the columns that it gives
 * @param protect whom the rows of each table are about, where it must be certain whom those of the statement are about
 * @throws {Failure} with an `sql-…` code; algorithm-parameters when `next` does not fit
 */
export async function inspect(
  engine: Engine,
  sql: string,
  tables: readonly TableSchema[],
  next?: Planner,
  protect?: { units: readonly UnitColumn[]; algorithm: Asked | undefined }
): Promise<ReportOf<'inspect'>> {
  const facts = await checkStatement(engine, sql, tables)
  await engine.run('BEGIN TRANSACTION')
  try {
    await engine.run(shadowOf(tables, facts.reads).join('; '))
    const { columns, plan } = await bind(engine, sql, tables)
    if (next !== undefined) await follow(engine, columns, next)
    const origins = originsOf(facts.statement, tables, columns)
    const found =
      protect === undefined ? undefined : protectionProblem(sql, facts, { tables, columns, ...protect })
    return {
      kind: 'inspect',
      columns: columns.map((column, index) => {
        const origin = origins[index]
        return origin === undefined ? column : { ...column, origin }
      }),
      uses: lineageOf(plan, tables),
      functions: [...facts.functions].sort(),
      notDistributable: [...facts.notDistributable],
      perProvider: [...facts.perProvider],
      ...(found !== undefined && 'problem' in found ? { unitProblem: found.problem } : {})
    }
  } finally {
    await engine.run('ROLLBACK')
  }
}

/** Of the tables that a statement reads: making all that it could name takes longer than understanding it. */
function shadowOf(tables: readonly TableSchema[], read: ReadonlySet<TableSchema>): string[] {
  const empty = tables.flatMap((table, index) => {
    if (!read.has(table)) return []
    const list = table.columns.map((column) => `${quoteName(column.name)} ${column.type}`)
    return [`CREATE TABLE ${shadowTable(index)} (${list.join(', ')})`]
  })
  return [`CREATE SCHEMA ${quoteName(SHADOW)}`, ...empty, ...namingStatements(tables, shadowTable, read)]
}

async function bind(
  engine: Engine,
  sql: string,
  tables: readonly TableSchema[]
): Promise<{ columns: Column[]; plan: unknown }> {
  try {
    const columns = await engine.describe(sql)
    checkColumns(columns)
    const rows = await engine.rows(EXPLAIN + sql)
    return { columns, plan: JSON.parse(String(rows[0]?.[1])) }
  } catch (error) {
    // preparing reports positions in the text itself, explaining after its prefix; preparing comes first and fails first
    throw sqlFailure(error, { text: sql, offset: 0, tables })
  }
}

/** Binds what comes after over an empty relation with the given columns; whatever else may go wrong is for the job to say. */
async function follow(engine: Engine, columns: readonly Column[], next: Planner): Promise<void> {
  const sql = next('given AS input', columns)
  const typed = columns.map(({ name, type }) => `CAST(NULL AS ${type}) AS ${quoteName(name)}`)
  const given = `WITH given AS (SELECT ${typed.join(', ')}) `
  try {
    await engine.describe(`${given}SELECT * FROM given`)
  } catch {
    return
  }
  try {
    await engine.describe(`${given}SELECT * FROM (${sql}) AS planned`)
  } catch (cause) {
    const hint = 'the algorithm cannot work on the columns that the query gives'
    throw new Failure('algorithm-parameters', hint, { cause, hint })
  }
}

/** A result must be a table that can be put together with others by the names of its columns. */
export function checkColumns(columns: readonly Column[]): void {
  const seen = new Set<string>()
  for (const [index, { name }] of columns.entries()) {
    const folded = foldName(name)
    if (seen.has(folded)) {
      throw new Failure('sql-invalid', 'duplicate column', {
        hint: `two columns are called "${name.slice(0, 128)}": name one with AS`
      })
    }
    if (name.length > 128 || name === '') {
      throw new Failure('sql-invalid', 'column name', {
        hint: `column ${index + 1} needs a name of 1 to 128 characters: give it one with AS`
      })
    }
    seen.add(folded)
  }
  if (columns.length > 2000)
    throw new Failure('sql-too-complex', 'columns', { hint: 'more than 2000 columns' })
}
