import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { type Engine, resourceFailure } from '../engine/index.ts'
import { Failure } from '../failure/index.ts'
import type { Assignment, ReportOf } from '../job/index.ts'
import { csvField, csvLine } from '../job/index.ts'
import { quoteText } from '../sql/index.ts'
import { jsonOf } from './json-value.ts'
import { describePart, outputList, readFiles } from './parts.ts'
import type { JobPlace } from './place.ts'
import { runtimeFailure } from './steps.ts'

type ExportAssignment = Extract<Assignment, { kind: 'export' }>

/** A block of text is written when it holds this much: rows are never all in memory. */
const BLOCK = 256 * 1024

/** Writes rows of a stored result in the format that somebody asked for. */
export async function runExport(
  engine: Engine,
  { path, format, offset, limit }: ExportAssignment,
  place: JobPlace
): Promise<ReportOf<'export'>> {
  const read = await readFiles(engine, [join(place.root, path)])
  const page = limit === undefined ? '' : ` LIMIT ${limit}`
  const sql = `${read.sql}${page}${offset === 0 ? '' : ` OFFSET ${offset}`}`
  const to = `out/result.${format}`
  const file = join(place.root, to)
  try {
    const rows =
      format === 'parquet'
        ? Number(
            await engine.run(
              `COPY (SELECT ${outputList(read.columns)} FROM (${sql}) AS q) TO ${quoteText(file)} (FORMAT parquet, COMPRESSION zstd)`
            )
          )
        : await writeText(engine, sql, file, FORMS[format])
    return { kind: 'export', rows, file: await describePart(place.root, to, rows) }
  } catch (error) {
    throw fullDisk(error) ?? resourceFailure(error) ?? runtimeFailure(error)
  }
}

interface Form {
  before(columns: readonly string[]): string
  row(values: readonly unknown[], index: number): string
  after: string
}

const FORMS: Readonly<Record<'json' | 'csv', Form>> = {
  /** The rows alone: who asks knows the rest. */
  json: {
    before: () => '[',
    row: (values, index) => `${index === 0 ? '\n' : ',\n'}${JSON.stringify(values)}`,
    after: '\n]'
  },
  csv: {
    before: (columns) => csvLine(columns.map(csvField)),
    row: (values) => csvLine(values.map(csvField)),
    after: ''
  }
}

async function writeText(engine: Engine, sql: string, path: string, form: Form): Promise<number> {
  const file = await open(path, 'wx', 0o600)
  try {
    return await writeRows(engine, sql, file, form)
  } finally {
    await file.close()
  }
}

async function writeRows(engine: Engine, sql: string, file: FileHandle, form: Form): Promise<number> {
  const result = await engine.stream(sql)
  const columns = result.columnTypes().map(jsonOf)
  let text = form.before(result.columnNames())
  let rows = 0
  for (;;) {
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) break
    const values = columns.map((toJson, index) => chunk.getColumnValues(index).map(toJson))
    for (let row = 0; row < chunk.rowCount; row++) {
      text += form.row(
        values.map((column) => column[row] ?? null),
        rows++
      )
      if (text.length < BLOCK) continue
      await file.appendFile(text)
      text = ''
    }
  }
  await file.appendFile(text + form.after)
  return rows
}

function fullDisk(error: unknown): Failure | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  if (error.code !== 'ENOSPC' && error.code !== 'EDQUOT') return undefined
  return new Failure('disk-limit', error.message, {
    cause: error,
    hint: 'the job needed more disk than there is'
  })
}
