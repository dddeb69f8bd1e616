import type { Column } from '../job/index.ts'
import { isDecimal, isDouble, isInteger, isTemporal, quoteText } from '../sql/index.ts'
import { type Coarseness, type DatePart, refused } from './parameters.ts'

/** What a column becomes: SQL over its old name, and its type. */
export interface Changed {
  sql: string
  type: string
}

const BITS: Readonly<Record<string, number>> = {
  TINYINT: 8,
  SMALLINT: 16,
  INTEGER: 32,
  BIGINT: 64,
  HUGEINT: 128
}

/**
 * @param old the column as SQL
 * @param mapped what a value map gives for it, as SQL; NULL where the map lacks the value
 * @throws {Failure} anonymize-parameters when the column's type cannot be made coarser in this way
 */
export function coarser(old: string, column: Column, to: Coarseness, mapped: string): Changed {
  const { type } = column
  if (typeof to === 'number') return { sql: binOfWidth(old, column, to), type }
  if (typeof to === 'string') return { sql: startOfPart(old, column, to), type }
  if ('prefix' in to) {
    if (type === 'VARCHAR') return { sql: `left(${old}, ${to.prefix})`, type }
    throw unfit(
      column,
      isInteger(type)
        ? `a prefix needs a text, it is ${type}; give a bin width, or declare the column as VARCHAR in the dataset`
        : `a prefix needs a text, it is ${type}`
    )
  }
  if ('edges' in to) return { sql: binBetween(old, column, to.edges), type }
  if (!isMappable(type)) throw unfit(column, `a value map needs a text, whole number or date, it is ${type}`)
  // NULL was no value before, so it is not "every other value" either.
  const { otherwise } = to
  const sql =
    otherwise === null
      ? mapped
      : `CASE WHEN ${old} IS NOT NULL THEN coalesce(${mapped}, ${quoteText(otherwise)}) END`
  return { sql, type: 'VARCHAR' }
}

/** Whether each value has one text, by which a map can name it. */
export function isMappable(type: string): boolean {
  return type === 'VARCHAR' || type === 'BOOLEAN' || type === 'DATE' || isInteger(type)
}

function unfit(column: Column, what: string) {
  return refused(`"generalise", column "${column.name}": ${what}`)
}

function binOfWidth(old: string, column: Column, width: number): string {
  const { type } = column
  if (isInteger(type)) {
    if (!Number.isSafeInteger(width)) throw unfit(column, `expected a whole bin width for ${type}`)
    const rest = `(CAST(${old} AS HUGEINT) % ${width})`
    return `TRY_CAST(CAST(${old} AS HUGEINT) - ${rest} - CASE WHEN ${rest} < 0 THEN ${width} ELSE 0 END AS ${type})`
  }
  if (isDouble(type) || isDecimal(type)) {
    const step = `CAST('${width}' AS DOUBLE)`
    return `TRY_CAST(floor(${old} / ${step}) * ${step} AS ${type})`
  }
  throw unfit(column, `a bin width needs a number, it is ${type}`)
}

/** The highest edge that is not above the value; NULL below the first. */
function binBetween(old: string, column: Column, edges: readonly string[]): string {
  const { type } = column
  if (!isInteger(type) && !isDouble(type) && !isDecimal(type))
    throw unfit(column, `edges need a number, it is ${type}`)
  const wrong = edges.find((edge) => !holds(type, edge))
  if (wrong !== undefined) throw unfit(column, `${type} cannot hold the edge ${wrong}`)
  const nan = isDouble(type) ? `WHEN isnan(${old}) THEN NULL ` : ''
  const cases = [...edges].reverse().map((edge) => {
    const typed = `CAST('${edge}' AS ${type})`
    return `WHEN ${old} >= ${typed} THEN ${typed}`
  })
  return `CASE ${nan}${cases.join(' ')} END`
}

function holds(type: string, edge: string): boolean {
  if (isDouble(type)) return true
  const [whole = '', fraction = ''] = edge
    .replace(/^-/, '')
    .replace(/^0+(?=\d)/, '')
    .split('.')
  const decimals = fraction.replace(/0+$/, '').length
  if (isInteger(type)) {
    const unsigned = type.startsWith('U')
    const bits = BITS[unsigned ? type.slice(1) : type] ?? 0
    const value = BigInt(edge.split('.')[0] ?? edge)
    const size = unsigned ? 1n << BigInt(bits) : 1n << BigInt(bits - 1)
    return decimals === 0 && value < size && value >= (unsigned ? 0n : -size)
  }
  const [, width = '0', scale = '0'] = /^DECIMAL\((\d+),\s*(\d+)\)$/.exec(type) ?? []
  const digits = whole === '0' ? 0 : whole.length
  return decimals <= Number(scale) && digits <= Number(width) - Number(scale)
}

function startOfPart(old: string, column: Column, part: DatePart): string {
  const { type } = column
  if (isTemporal(type)) return `CAST(date_trunc('${part}', ${old}) AS ${type})`
  if (type === 'VARCHAR')
    return `CAST(CAST(date_trunc('${part}', TRY_CAST(${old} AS DATE)) AS DATE) AS VARCHAR)`
  if (isInteger(type))
    return `CASE WHEN ${old} BETWEEN 10000101 AND 99991231 THEN CAST(${compactDate(old, part)} AS ${type}) END`
  throw unfit(column, `"${part}" needs a date, it is ${type}`)
}

/** Dates are often kept as whole numbers of the form yyyymmdd. */
function compactDate(old: string, to: DatePart): string {
  if (to === 'year') return `(${old} // 10000) * 10000 + 101`
  if (to === 'month') return `(${old} // 100) * 100 + 1`
  return `(${old} // 10000) * 10000 + ((((${old} // 100) % 100) - 1) // 3 * 3 + 1) * 100 + 1`
}
