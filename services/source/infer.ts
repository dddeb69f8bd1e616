import { quoteName, quoteText } from '../sql/index.ts'
import { tall } from './tall.ts'

/** What inferring needs of the engine. */
export interface RowReader {
  rows(sql: string): Promise<unknown[][]>
}

/** A type and when a text is one of its values; asked in this order. */
interface Candidate {
  type: string
  holds(text: string): string
}

/** A first look at so many rows leaves few types to ask all rows about. */
const FIRST = 20_000

const WHOLE = '-?(0|[1-9]\\d*)'
const DAY = '\\d{4}-\\d\\d-\\d\\d'
const CLOCK = '\\d\\d:\\d\\d(:\\d\\d([.]\\d+)?)?'

/**
 * Finds the types of text columns from every row, in constant memory (DuckDB's own inference keeps the whole file). Digits with
 * leading zeros, and whole numbers that neither BIGINT nor DOUBLE holds exactly, are texts: they name something. Dates are
 * those of ISO 8601; "02/03/2020" means different days to different people.
 *
 * @returns types by column; VARCHAR for columns without a value
 */
export async function inferTypes(
  engine: RowReader,
  scan: string,
  names: readonly string[],
  decimal: '.' | ','
): Promise<Map<string, string>> {
  const all = candidates(decimal)
  const sample = await ask(
    engine,
    `(SELECT * FROM ${scan} LIMIT ${FIRST})`,
    new Map(names.map((name) => [name, all]))
  )
  // a column without a value so far may still be anything
  const left = new Map(names.map((name) => [name, sample.get(name) ?? all]))
  const open = new Map([...left].filter(([, types]) => types.length > 0))
  const found = await ask(engine, scan, open)
  return new Map(names.map((name) => [name, found.get(name)?.[0]?.type ?? 'VARCHAR']))
}

/** From so many columns on, one question about all of them is quicker than one about each. */
const WIDE = 40

/** The candidates that hold all values of each column; a column without values is left out. */
async function ask(
  engine: RowReader,
  relation: string,
  asked: ReadonlyMap<string, readonly Candidate[]>
): Promise<Map<string, readonly Candidate[]>> {
  if (asked.size === 0) return new Map()
  if (asked.size >= WIDE) return await askWide(engine, relation, asked)
  const counts = [...asked].flatMap(([name, types]) => {
    const column = quoteName(name)
    return [
      `count(${column})`,
      ...types.map(({ holds }) => `count(*) FILTER (WHERE ${column} IS NOT NULL AND NOT (${holds(column)}))`)
    ]
  })
  const [row = []] = await engine.rows(`SELECT ${counts.join(', ')} FROM ${relation} AS t`)
  const answers = row.map(Number)
  const left = new Map<string, readonly Candidate[]>()
  for (const [name, types] of asked) {
    const [values, ...failures] = answers.splice(0, 1 + types.length)
    if (values !== undefined && values > 0)
      left.set(
        name,
        types.filter((_, index) => failures[index] === 0)
      )
  }
  return left
}

async function askWide(
  engine: RowReader,
  relation: string,
  asked: ReadonlyMap<string, readonly Candidate[]>
): Promise<Map<string, readonly Candidate[]>> {
  const names = [...asked.keys()]
  const all = [...new Set([...asked.values()].flat())]
  const failing = all.map(({ holds }) => `count(*) FILTER (WHERE NOT (${holds('v')}))`)
  const counts = ['i', ...failing].join(', ')
  const found = await engine.rows(
    `SELECT ${counts} FROM ${tall(`${relation} AS t`, names)} AS t WHERE v IS NOT NULL GROUP BY i`
  )
  return new Map(
    found.flatMap(([index, ...answers]) => {
      const name = names[Number(index)]
      const types = name === undefined ? undefined : asked.get(name)
      if (name === undefined || types === undefined) return []
      return [[name, types.filter((type) => Number(answers[all.indexOf(type)]) === 0)] as const]
    })
  )
}

function candidates(decimal: '.' | ','): Candidate[] {
  const point = decimal === '.' ? '[.]' : ','
  const number = `[-+]?(\\d+${point}?\\d*|${point}\\d+)([eE][-+]?\\d+)?`
  const matches = (text: string, pattern: string): string =>
    `regexp_full_match(${text}, ${quoteText(pattern)})`
  const casts = (text: string, type: string): string => `TRY_CAST(${text} AS ${type}) IS NOT NULL`
  const temporal = (type: string, pattern: string): Candidate => ({
    type,
    holds: (text) => `${matches(text, pattern)} AND ${casts(text, type)}`
  })
  return [
    { type: 'BOOLEAN', holds: (text) => `lower(${text}) IN ('true', 'false')` },
    { type: 'BIGINT', holds: (text) => `${matches(text, WHOLE)} AND ${casts(text, 'BIGINT')}` },
    {
      type: 'DOUBLE',
      holds: (text) => {
        const plain = decimal === '.' ? text : `replace(${text}, ',', '.')`
        const name = `(${matches(text, '[-+]?0\\d+.*')} OR ${matches(text, '[-+]?\\d{16,}')})`
        return `${matches(text, number)} AND NOT ${name} AND ${casts(plain, 'DOUBLE')}`
      }
    },
    temporal('DATE', DAY),
    temporal('TIME', CLOCK),
    temporal('TIMESTAMP', `${DAY}([T ]${CLOCK})?`),
    temporal('TIMESTAMP WITH TIME ZONE', `${DAY}[T ]${CLOCK} ?([zZ]|[-+]\\d\\d(:?\\d\\d)?)`)
  ]
}

/** SQL that holds for texts which are values of a type, whole: the engine's own cast cuts a time off a date, and rounds. */
export function isText(column: string, type: string): string {
  const found = candidates('.').find((one) => one.type === type)
  if (type === 'BOOLEAN') return `lower(${column}) IN ('0', '1', 'true', 'false')`
  if (found !== undefined) return found.holds(column)
  const scale = /^DECIMAL\(\d+,(\d+)\)$/.exec(type)?.[1]
  const digits = scale === undefined ? '' : `regexp_full_match(${column}, '-?\\d+([.]\\d{0,${scale}})?') AND `
  return `${digits}TRY_CAST(${column} AS ${type}) IS NOT NULL`
}

/** Types that the engine's CSV reader parses just as they are inferred; the others are cast from text. */
export function readNatively(type: string): boolean {
  return type === 'VARCHAR' || type === 'BOOLEAN' || type === 'BIGINT' || type === 'DOUBLE'
}
