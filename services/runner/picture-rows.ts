import type { Engine } from '../engine/index.ts'
import {
  type ColumnFacts,
  type DrawnColumn,
  type JsonMap,
  kindOf,
  type ResultShape,
  type Take
} from '../graph/index.ts'
import type { Assignment } from '../job/index.ts'
import { isDouble, quoteName, quoteText } from '../sql/index.ts'
import type { Relation } from './steps.ts'

/** From here on, different values are estimated. */
const MANY = 100_000
const NO_VALUE = '(no value)'
const LONGEST = 500
const LABEL = 36
const MAX_COLUMNS = 64
const SEED = 42

/** What a picture needs to know of a result. */
export async function shapeOf(
  engine: Engine,
  result: Relation & { rows: number },
  { algorithm, value, units = {} }: GraphOrder,
  from: readonly string[]
): Promise<ResultShape> {
  const columns = result.columns.slice(0, MAX_COLUMNS)
  const asked = columns.flatMap(({ name, type }) => {
    const column = quoteName(name)
    const distinct = result.rows > MANY ? `approx_count_distinct(${column})` : `count(DISTINCT ${column})`
    const finite = kindOf(type) === 'number' ? finiteOf(column) : 'NULL'
    return [`count(${column})`, distinct, `count(${finite})`, `min(${finite})`, `max(${finite})`]
  })
  const [row = []] = await engine.rows(`SELECT ${asked.join(', ')} FROM ${result.sql} AS r`)
  const facts = columns.map(({ name, type }, index): ColumnFacts => {
    const [filled = 0, distinct = 0, finite = 0] = row.slice(index * 5, index * 5 + 3).map(Number)
    const [min, max] = row.slice(index * 5 + 3, index * 5 + 5)
    const unit = Object.hasOwn(units, name) ? units[name] : undefined
    return {
      name,
      type,
      // an estimate that comes near says that every value is another
      distinct: distinct > filled * 0.9 && result.rows > MANY ? filled : Math.min(distinct, filled),
      nulls: result.rows - filled,
      finite,
      ...(typeof min === 'number' && typeof max === 'number' ? { min, max } : {}),
      ...(unit === undefined ? {} : { unit })
    }
  })
  return {
    columns: facts,
    rowCount: result.rows,
    from,
    ...(algorithm === undefined ? {} : { algorithm }),
    ...(value === undefined ? {} : { value })
  }
}

/** The rows that a picture draws, as Vega takes them. */
export async function takeRows(
  engine: Engine,
  result: Relation & { rows: number },
  take: Take
): Promise<JsonMap[]> {
  const typeOf = new Map(result.columns.map(({ name, type }) => [name, type]))
  const expressions = take.columns.map((column) => expressionOf(column, typeOf))
  const where = take.top.map(({ columns, by, limit }) => {
    const key = labelOf(columns)
    const order = by === null ? 'count(*)' : `sum(${finiteOf(quoteName(by))})`
    const groups = `SELECT ${key} FROM ${result.sql} AS g GROUP BY 1 ORDER BY ${order} DESC NULLS LAST, 1 LIMIT ${limit}`
    return `${key} IN (${groups})`
  })
  const list = expressions.map((expression, index) => `${expression} AS c${index}`)
  const kept = `SELECT ${list.join(', ')} FROM ${result.sql} AS r${where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`}`
  const sql =
    take.countAs !== null
      ? `SELECT *, CAST(count(*) AS DOUBLE) FROM (${kept}) AS k GROUP BY ALL ORDER BY 1 LIMIT ${take.limit}`
      : take.sample && result.rows > take.limit
        ? `SELECT * FROM (${kept}) AS k USING SAMPLE reservoir(${take.limit} ROWS) REPEATABLE (${SEED})`
        : `SELECT * FROM (${kept}) AS k LIMIT ${take.limit}`
  const fields = [...take.columns.map(({ field }) => field), ...(take.countAs === null ? [] : [take.countAs])]
  const short = take.columns.map(({ as }) => (as === 'label' ? new ShortLabels() : null))
  return (await engine.rows(sql)).map((row) =>
    Object.fromEntries(
      fields.map((field, index) => {
        const value = plainValue(row[index], take.columns[index]?.as ?? 'number')
        return [field, typeof value === 'string' ? (short[index]?.of(value) ?? value) : value]
      })
    )
  )
}

/** Long names are cut in the middle, since they often differ at their ends; what differs goes on to differ. */
class ShortLabels {
  readonly #shortened = new Map<string, string>()
  readonly #used = new Set<string>()

  of(label: string): string {
    const known = this.#shortened.get(label)
    if (known !== undefined) return known
    const letters = [...label]
    const cut =
      letters.length <= LABEL
        ? label
        : `${letters.slice(0, LABEL / 2).join('')}…${letters.slice(1 - LABEL / 2).join('')}`
    let unique = cut
    for (let number = 2; this.#used.has(unique); number++) unique = `${cut} (${number})`
    this.#used.add(unique)
    this.#shortened.set(label, unique)
    return unique
  }
}

function expressionOf({ columns, as }: DrawnColumn, typeOf: ReadonlyMap<string, string>): string {
  const [name = ''] = columns
  const column = quoteName(name)
  const type = typeOf.get(name) ?? 'VARCHAR'
  switch (as) {
    case 'label':
      return labelOf(columns)
    case 'number':
      return finiteOf(column)
    case 'time':
      return `CASE WHEN isfinite(${column}) THEN epoch_ms(${/TIME ZONE|TZ/.test(type) ? column : `CAST(${column} AS TIMESTAMP)`}) END`
    case 'text':
      return isDouble(type)
        ? `printf('%.6g', CAST(${column} AS DOUBLE))`
        : `left(CAST(${column} AS VARCHAR), ${LONGEST})`
    case 'truth':
      return column
  }
}

function finiteOf(column: string): string {
  return `CASE WHEN isfinite(CAST(${column} AS DOUBLE)) THEN CAST(${column} AS DOUBLE) END`
}

function labelOf(columns: readonly string[]): string {
  const labels = columns.map(
    (name) => `coalesce(left(CAST(${quoteName(name)} AS VARCHAR), ${LONGEST}), ${quoteText(NO_VALUE)})`
  )
  return labels.length === 1 ? (labels[0] ?? "''") : `concat_ws(' · ', ${labels.join(', ')})`
}

function plainValue(value: unknown, as: DrawnColumn['as']): string | number | boolean | null {
  if (as === 'time') {
    const at = new Date(Number(value))
    return value === null || Number.isNaN(at.getTime())
      ? null
      : at.toISOString().replace('T00:00:00.000Z', '')
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  return null
}

export type GraphOrder = NonNullable<Extract<Assignment, { kind: 'convert' }>['graph']>
