import { join } from 'node:path'
import type { Contribution } from '../aggregate/index.ts'
import type { Engine } from '../engine/index.ts'
import { Failure } from '../failure/index.ts'
import type { Assignment, ReportOf } from '../job/index.ts'
import { quoteText } from '../sql/index.ts'
import { jsonRows } from './json-rows.ts'
import { describePart, outputList, readFiles, readParts } from './parts.ts'
import type { JobPlace } from './place.ts'
import {
  applyAlgorithm,
  applyAnonymize,
  gather,
  materialise,
  type Relation,
  runtimeFailure
} from './steps.ts'

type ConvertAssignment = Extract<Assignment, { kind: 'convert' }>
type Converted = ReportOf<'convert'>['results'][number]

/** Turns what parties sent into results: one over all of them when they are put together or merged, else one for each. */
export async function runConvert(
  engine: Engine,
  assignment: ConvertAssignment,
  place: JobPlace
): Promise<ReportOf<'convert'>> {
  const contributions: (Contribution & { rows: number })[] = []
  for (const input of assignment.inputs) {
    if (input.kind !== 'parts') throw new Failure('internal', 'a conversion takes parts')
    contributions.push(await readParts(engine, place.root, input))
  }
  contributions.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0))
  const together =
    assignment.union ||
    assignment.steps.some(
      (step) => step.service === 'aggregate' || (step.service === 'algorithm' && step.phase === 'merge')
    )
  const groups = together ? [contributions] : contributions.map((contribution) => [contribution])
  const results: Converted[] = []
  for (const [index, group] of groups.entries())
    results.push(await convertGroup(engine, assignment, place, group, index))
  return { kind: 'convert', results }
}

async function convertGroup(
  engine: Engine,
  assignment: ConvertAssignment,
  place: JobPlace,
  group: readonly (Contribution & { rows: number })[],
  index: number
): Promise<Converted> {
  let relation = gather(group)
  for (const [number, step] of assignment.steps.entries()) {
    if (step.service === 'query') throw new Failure('internal', 'a conversion runs no query')
    if (step.service === 'algorithm') {
      relation = await materialise(
        engine,
        await applyAlgorithm(engine, step, relation),
        `dynamos result ${index} ${number}`
      )
    } else if (step.service === 'anonymize') relation = await applyAnonymize(engine, step, relation, '')
  }
  const path = `out/result-${index}.parquet`
  const rowCount = await copy(engine, relation, join(place.root, path))
  const read = await readFiles(engine, [join(place.root, path)])
  const { rows, truncated } = await jsonRows(engine, read.sql, assignment.maxInlineRows)
  const csv = `out/result-${index}.csv`
  if (assignment.csv) {
    await engine.run(`COPY (${read.sql}) TO ${quoteText(join(place.root, csv))} (FORMAT csv, HEADER true)`)
  }
  return {
    from: group.map(({ from }) => from),
    columns: read.columns.map(({ name }) => name),
    types: read.columns.map(({ type }) => type),
    rows,
    rowCount,
    truncated: truncated || rows.length < rowCount,
    parquet: await describePart(place.root, path, rowCount),
    ...(assignment.csv ? { csv: await describePart(place.root, csv, rowCount) } : {})
  }
}

async function copy(engine: Engine, relation: Relation, to: string): Promise<number> {
  try {
    const select = `SELECT ${outputList(relation.columns)} FROM ${relation.sql} AS q`
    return Number(await engine.run(`COPY (${select}) TO ${quoteText(to)} (FORMAT parquet, COMPRESSION zstd)`))
  } catch (error) {
    throw runtimeFailure(error)
  }
}
