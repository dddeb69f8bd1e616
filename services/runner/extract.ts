import { join } from 'node:path'
import type { Engine } from '../engine/index.ts'
import { Failure, nearest } from '../failure/index.ts'
import { checkStatement } from '../inspect/index.ts'
import type { Assignment, Column, ReportOf, TableSchema } from '../job/index.ts'
import { quoteName, quoteText } from '../sql/index.ts'
import { describePart, outputList } from './parts.ts'
import type { JobPlace } from './place.ts'
import { openTable, reading } from './profile.ts'

type ExtractedTable = ReportOf<'extract'>['tables'][number]
type TableOrder = Extract<Assignment, { kind: 'extract' }>['tables'][number]

/** Copies the permitted columns and rows of raw files into the job's folder; only SQL that this program wrote. */
export async function runExtract(
  engine: Engine,
  assignment: Extract<Assignment, { kind: 'extract' }>,
  place: JobPlace
): Promise<ReportOf<'extract'>> {
  const tables: ExtractedTable[] = []
  for (const [index, order] of assignment.tables.entries())
    tables.push(await extractTable(engine, order, place, `out/table-${index}.parquet`))
  return { kind: 'extract', tables }
}

async function extractTable(
  engine: Engine,
  order: TableOrder,
  place: JobPlace,
  path: string
): Promise<ExtractedTable> {
  const name = order.source.name
  const { dataset } = order
  const source = await openTable(engine, order.source, place)
  const columns = order.columns.map((wanted) => chosen(wanted, source.columns, name))
  const where = order.where === undefined ? '' : ` WHERE (\n${order.where}\n)`
  if (where !== '') await checkPredicate(engine, where, { name, columns: source.columns })
  const select = `SELECT ${outputList(columns)} FROM (${source.sql}) AS ${quoteName(name)}${where}`
  const copy = `COPY (${select}) TO ${quoteText(join(place.root, path))} (FORMAT parquet, COMPRESSION zstd)`
  const rows = await reading(source, () => engine.run(copy))
  return {
    name,
    ...(dataset === undefined ? {} : { dataset }),
    part: await describePart(place.root, path, Number(rows)),
    columns
  }
}

/** The predicate was printed from a tree; that it still is one predicate over this table is checked once more. */
async function checkPredicate(engine: Engine, where: string, table: TableSchema): Promise<void> {
  const facts = await checkStatement(engine, `SELECT 1 FROM ${quoteName(table.name)}${where}`, [table])
  if (facts.notDistributable.size + facts.perProvider.size === 0) return
  throw new Failure('sql-invalid', 'more than a predicate', {
    hint: `table "${table.name}": expected a predicate over its rows`
  })
}

function chosen(wanted: string, columns: readonly Column[], table: string): Column {
  const found = columns.find(({ name }) => name === wanted)
  if (found !== undefined) return found
  const near = nearest(
    wanted,
    columns.map(({ name }) => name)
  )
  throw new Failure('dataset-malformed', `no column ${wanted} in ${table}`, {
    hint: `table "${table}": expected a column "${wanted}"${near === undefined ? '' : `, did you mean "${near}"?`}`
  })
}
