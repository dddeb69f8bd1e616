import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Engine, resourceFailure } from '../engine/index.ts'
import { Failure, nearest } from '../failure/index.ts'
import {
  type Chart,
  chooseChart,
  type DrawnColumn,
  isMap,
  type Json,
  type JsonMap,
  kindOf,
  MAX_ROWS,
  specificationProblems,
  unknownFields
} from '../graph/index.ts'
import type { ReportOf } from '../job/index.ts'
import { describePart } from './parts.ts'
import type { GraphOrder } from './picture-rows.ts'
import { shapeOf, takeRows } from './picture-rows.ts'
import type { JobPlace } from './place.ts'
import type { Relation } from './steps.ts'

export type Picture = NonNullable<ReportOf<'convert'>['results'][number]['graph']>
type Renderer = typeof import('../draw/index.ts')

/** What is drawn, before Vega is asked. */
interface Drawn {
  specification: JsonMap
  rows: JsonMap[]
  notes: string[]
}

/**
 * Draws one result. A specification that the request gave is drawn or fails the job; one that was chosen here never does: the
 * result counts more than its picture.
 *
 * @throws {Failure} graph-specification
 */
export async function drawResult(
  engine: Engine,
  result: Relation & { rows: number },
  order: GraphOrder,
  from: readonly string[],
  place: JobPlace,
  index: number
): Promise<Picture> {
  const started = performance.now()
  const given = order.specification === undefined ? undefined : parseGiven(order.specification)
  const done = (files: Picture['files'], notes: string[]): Picture => ({
    files,
    notes: notes.map((note) => note.slice(0, 300)),
    milliseconds: performance.now() - started
  })
  try {
    const drawn =
      given === undefined ? await chosen(engine, result, order, from) : await asGiven(engine, result, given)
    if (drawn === null) return done([], ['no picture: the result has no rows'])
    const { draw } = await loadRenderer()
    const { svg, png, specification, warnings } = await draw(drawn.specification, drawn.rows)
    const files: Picture['files'] = []
    for (const [format, content] of [
      ['svg', svg],
      ['png', png],
      ['vl.json', specification]
    ] as const) {
      const path = `out/graph-${index}.${format}`
      await writeFile(join(place.root, path), content)
      files.push({ format, part: await describePart(place.root, path, 0) })
    }
    return done(files, given === undefined ? drawn.notes : [...drawn.notes, ...warnings.slice(0, 4)])
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (given !== undefined)
      throw error instanceof Failure
        ? error
        : (resourceFailure(error) ?? refused(message.slice(0, 600), error))
    process.stderr.write(
      `a picture could not be drawn: ${String(error instanceof Error ? error.stack : error)}\n`
    )
    return done([], ['no picture: the result could not be drawn'])
  }
}

/** Beside the runner's bundle; loading it takes 40 ms, which only a job that draws shall pay. */
async function loadRenderer(): Promise<Renderer> {
  return await import(new URL('./graph/graph.mjs', import.meta.url).href)
}

async function chosen(
  engine: Engine,
  result: Relation & { rows: number },
  order: GraphOrder,
  from: readonly string[]
): Promise<Drawn | null> {
  const chart: Chart | null = chooseChart(await shapeOf(engine, result, order, from))
  if (chart === null) return null
  const { specification, notes, take } = chart
  return { specification, notes, rows: await takeRows(engine, result, take) }
}

async function asGiven(
  engine: Engine,
  result: Relation & { rows: number },
  specification: JsonMap
): Promise<Drawn> {
  const names = result.columns.map(({ name }) => name)
  const [unknown] = unknownFields(specification, names)
  if (unknown !== undefined) {
    const near = nearest(unknown, names)
    const known = names.map((name) => `"${name}"`).join(', ')
    throw refused(
      `the result has no column "${unknown}"${near === undefined ? '' : `, did you mean "${near}"?`} It has ${known}`.slice(
        0,
        600
      )
    )
  }
  const rows = await takeRows(engine, result, {
    columns: result.columns.map(({ name, type }) => ({ field: name, columns: [name], as: asOf(type) })),
    top: [],
    limit: MAX_ROWS,
    sample: true,
    countAs: null
  })
  const notes = result.rows > MAX_ROWS ? [`drawn from a sample of ${MAX_ROWS} of ${result.rows} rows`] : []
  return { specification, notes, rows }
}

function asOf(type: string): DrawnColumn['as'] {
  const kind = kindOf(type)
  if (kind === 'number' || kind === 'time') return kind
  return type === 'BOOLEAN' ? 'truth' : 'text'
}

/** Checked where it was submitted, and once more where it is drawn: another agent's word does not count. */
function parseGiven(text: string): JsonMap {
  let value: Json
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw refused('expected JSON', error)
  }
  const [problem] = specificationProblems(value)
  if (problem !== undefined) throw refused(`${problem.path.join('.')}: ${problem.message}`.slice(0, 600))
  if (!isMap(value)) throw refused('expected a map')
  return value
}

function refused(message: string, cause?: unknown): Failure {
  return new Failure('graph-specification', message, { hint: `options.graph: ${message}`, cause })
}
