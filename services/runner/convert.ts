import { join } from 'node:path'
import type { Contribution } from '../aggregate/index.ts'
import type { Engine } from '../engine/index.ts'
import { Failure } from '../failure/index.ts'
import type { Assignment, ReportOf } from '../job/index.ts'
import { quoteText } from '../sql/index.ts'
import { type Compared, compareRuns, FORGET } from './compare.ts'
import { jsonRows } from './json-rows.ts'
import { describePart, outputList, readFiles, readParts } from './parts.ts'
import { drawResult } from './picture.ts'
import type { JobPlace } from './place.ts'
import { applyAlgorithm, gather, materialise, type Relation, runtimeFailure } from './steps.ts'

type ConvertAssignment = Extract<Assignment, { kind: 'convert' }>
type Converted = ReportOf<'convert'>['results'][number]

/** Turns what parties sent into results: one over all of them when they are put together or merged, else one for each. */
export async function runConvert(
  engine: Engine,
  assignment: ConvertAssignment,
  place: JobPlace
): Promise<ReportOf<'convert'>> {
  const contributions = await readInputs(engine, assignment.inputs, place)
  const together =
    assignment.union ||
    assignment.steps.some(
      (step) => step.service === 'aggregate' || (step.service === 'algorithm' && step.phase === 'merge')
    )
  const groups = together ? [contributions] : contributions.map((contribution) => [contribution])
  const verification = await verified(engine, assignment, place, groups)
  if (verification?.some(({ same }) => !same) === true) return { kind: 'convert', verification, results: [] }
  const results: Converted[] = []
  for (const [index, group] of groups.entries())
    results.push(await convertGroup(engine, assignment, place, group, index))
  return { kind: 'convert', ...(verification === undefined ? {} : { verification }), results }
}

type Read = Contribution & { rows: number }

async function readInputs(
  engine: Engine,
  inputs: ConvertAssignment['inputs'],
  place: JobPlace
): Promise<Read[]> {
  const contributions: Read[] = []
  for (const input of inputs) {
    if (input.kind !== 'parts') throw new Failure('internal', 'a conversion takes parts')
    contributions.push(await readParts(engine, place.root, input))
  }
  return contributions.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0))
}

/** Each result beside the one that another party made of the same. */
async function verified(
  engine: Engine,
  { again, steps }: ConvertAssignment,
  place: JobPlace,
  groups: readonly (readonly Read[])[]
): Promise<Compared[] | undefined> {
  if (again === undefined) return undefined
  const repeated = await readInputs(engine, again.inputs, place)
  // whatever is still to be merged was computed by nobody yet, so it was not run again either
  if (steps.length > 0 || groups.some((group) => group.length !== 1) || repeated.length !== groups.length)
    throw new Failure('internal', 'expected two finished results of each')
  const compared: Compared[] = []
  for (const [index, [first]] of groups.entries()) {
    const other = repeated[index]
    if (first === undefined || other === undefined) continue
    const one = compareRuns(engine, { sql: first.relation }, { sql: other.relation }, again.salt)
    compared.push(
      await one.catch((error: unknown) => {
        throw runtimeFailure(error)
      })
    )
    await engine.run(FORGET)
  }
  return compared
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
    if (step.service === 'query' || step.service === 'anonymize')
      throw new Failure('internal', 'what concerns a provider is done there, before a conversion')
    if (step.service === 'algorithm') {
      relation = await materialise(
        engine,
        await applyAlgorithm(engine, step, relation),
        `dynamos result ${index} ${number}`
      )
    }
  }
  const path = `out/result-${index}.parquet`
  const rowCount = await copy(engine, relation, join(place.root, path))
  const read = await readFiles(engine, [join(place.root, path)])
  const { rows, truncated } = await jsonRows(engine, read.sql, assignment.maxInlineRows)
  const csv = `out/result-${index}.csv`
  if (assignment.csv) {
    await engine.run(`COPY (${read.sql}) TO ${quoteText(join(place.root, csv))} (FORMAT csv, HEADER true)`)
  }
  const from = group.map((one) => one.from)
  const result = { sql: `(${read.sql})`, columns: read.columns, rows: rowCount }
  const graph =
    assignment.graph === undefined
      ? undefined
      : await drawResult(
          engine,
          result,
          assignment.graph,
          from.flatMap((label) => label.split(',')).sort(),
          place,
          index
        )
  return {
    from,
    columns: read.columns.map(({ name }) => name),
    types: read.columns.map(({ type }) => type),
    rows,
    rowCount,
    truncated: truncated || rows.length < rowCount,
    parquet: await describePart(place.root, path, rowCount),
    ...(assignment.csv ? { csv: await describePart(place.root, csv, rowCount) } : {}),
    ...(graph === undefined ? {} : { graph })
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
