import type { Engine } from '../engine/index.ts'
import type { Column } from '../job/index.ts'
import { tall } from '../source/index.ts'
import { quoteList, quoteName } from '../sql/index.ts'
import { asked, FORMS, type Shape, shapeOf } from './shapes.ts'

/** What a steward is told of a column, to describe it by; for the owner's own eyes. */
export interface Look {
  shape?: Shape
  codes?: string[]
}

interface Source {
  /** SQL of a SELECT. */
  sql: string
  columns: readonly Column[]
  rows: number
  /** Columns whose type was found from their values: one may be a text for the sake of a few of them. */
  inferred: ReadonlySet<string>
}

/** Shapes of values show in so many rows; whether codes are all of them, and which texts are odd, is asked of all. */
const SAMPLE_ROWS = 100_000
const SAMPLE_CELLS = 2_000_000

const MOST_CODES = 24
const LONGEST_CODE = 64
/** A code stands for a group: what fewer rows hold may be somebody's own. */
const LEAST_ROWS = 5

const SAMPLE = quoteName('dynamos look')

/**
 * Looks closer at values: which columns may belong to persons, which hold codes, and where texts stand among numbers.
 *
 * @returns looks by column, and notes that hold no value
 */
export async function lookClosely(
  engine: Engine,
  source: Source
): Promise<{ looks: Map<string, Look>; notes: string[] }> {
  const looks = new Map<string, Look>()
  const columns = source.columns.filter(({ type }) => asked(type).any)
  if (columns.length === 0 || source.rows === 0) return { looks, notes: [] }
  const limit = Math.max(1000, Math.min(SAMPLE_ROWS, Math.floor(SAMPLE_CELLS / columns.length)))
  const list = columns.map(({ name }) => quoteName(name)).join(', ')
  await engine.run(`CREATE TEMP TABLE ${SAMPLE} AS SELECT ${list} FROM (${source.sql}) AS t LIMIT ${limit}`)
  try {
    const few = await shapesIn(engine, columns, looks)
    const codes = await codesIn(engine, SAMPLE, few)
    const beyond = source.rows > limit
    const { notes, stray } = await oddOnes(engine, source, columns, beyond ? codes : new Map())
    // what the first rows do not hold makes other codes, or none
    const again = stray.length === 0 ? new Map() : await codesIn(engine, `(${source.sql}) AS t`, stray)
    for (const name of few) {
      const found = stray.includes(name) ? again.get(name) : codes.get(name)
      if (found !== undefined) looks.set(name, { ...looks.get(name), codes: found })
    }
    return { looks, notes }
  } finally {
    await engine.run(`DROP TABLE ${SAMPLE}`)
  }
}

/** Sets the shapes of columns; gives those that have none and hold few values. */
async function shapesIn(
  engine: Engine,
  columns: readonly Column[],
  looks: Map<string, Look>
): Promise<string[]> {
  const names = columns.map(({ name }) => name)
  const fitting = FORMS.map(({ holds }) => `count(*) FILTER (WHERE ${holds('v')})`)
  const counted = await engine.rows(
    `SELECT i, count(v), count(DISTINCT v), ${fitting.join(', ')} FROM ${tall(SAMPLE, names)} AS t GROUP BY i`
  )
  const answers = new Map(counted.map(([index, ...counts]) => [Number(index), counts.map(Number)]))
  return columns.flatMap(({ name, type }, index) => {
    const [values = 0, distinct = 0, ...fits] = answers.get(index) ?? []
    const { forms, unique, codes } = asked(type)
    const shape = shapeOf(
      forms,
      forms.map((form) => fits[FORMS.indexOf(form)] ?? 0),
      { values, distinct, unique }
    )
    if (shape !== undefined) looks.set(name, { shape })
    return shape === undefined && codes && distinct > 1 && distinct <= MOST_CODES ? [name] : []
  })
}

/** The values of columns when they are few, short, and each in several rows. */
async function codesIn(
  engine: Engine,
  relation: string,
  names: readonly string[]
): Promise<Map<string, string[]>> {
  if (names.length === 0) return new Map()
  const found = await engine.rows(
    `SELECT i, to_json(list(v ORDER BY v)) FROM (SELECT i, v, count(*) AS n FROM ${tall(relation, names)} AS t WHERE v IS NOT NULL GROUP BY i, v) AS c
     GROUP BY i HAVING count(*) <= ${MOST_CODES} AND min(n) >= ${LEAST_ROWS} AND max(length(v)) <= ${LONGEST_CODE}`
  )
  return new Map(
    found.flatMap(([index, list]) => {
      const name = names[Number(index)]
      return name === undefined ? [] : [[name, texts(JSON.parse(String(list)))] as const]
    })
  )
}

/** In the order of numbers where all are numbers. */
function texts(value: unknown): string[] {
  const all = Array.isArray(value) ? value.map(String) : []
  return all.every((one) => /^-?\d{1,15}$/.test(one))
    ? all.sort((one, other) => Number(one) - Number(other))
    : all
}

/** Of all rows: which columns hold more than the codes that were found, and which texts are numbers but for a few. */
async function oddOnes(
  engine: Engine,
  { sql, rows, inferred }: Source,
  columns: readonly Column[],
  codes: ReadonlyMap<string, readonly string[]>
): Promise<{ notes: string[]; stray: string[] }> {
  const text = new Set(
    columns.filter(({ name, type }) => type === 'VARCHAR' && inferred.has(name)).map(({ name }) => name)
  )
  const names = columns.map(({ name }) => name).filter((name) => text.has(name) || codes.has(name))
  if (names.length === 0) return { notes: [], stray: [] }
  const known = names.flatMap((name, index) => (codes.get(name) ?? []).map((code) => `${index}:${code}`))
  const outside = known.length === 0 ? 'false' : `concat(i, ':', v) NOT IN (${quoteList(known).slice(1, -1)})`
  const odd = 'TRY_CAST(v AS DOUBLE) IS NULL'
  const found = await engine.rows(
    `SELECT i, count(*), count(*) FILTER (WHERE ${outside}), count(*) FILTER (WHERE ${odd}), min(r) FILTER (WHERE ${odd})
     FROM ${tall(`(${sql}) AS t`, names, { numbered: true })} AS t WHERE v IS NOT NULL GROUP BY i ORDER BY i`
  )
  const notes: string[] = []
  const stray: string[] = []
  for (const answers of found) {
    const [index = 0, values = 0, strays = 0, odds = 0, first = 0] = answers.map(Number)
    const name = names[index]
    if (name === undefined) continue
    if (codes.has(name) && strays > 0) stray.push(name)
    // a text for the sake of one row in ten, or fewer, is worth a look
    if (!text.has(name) || odds === 0 || odds > values / 10) continue
    const none = odds === 1 ? 'is no number' : 'are no numbers'
    notes.push(
      `column "${name}" is text since ${odds} of its ${values} values ${none}; the first is in row ${first} of ${rows}`
    )
  }
  return { notes, stray }
}
