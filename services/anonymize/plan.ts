import type { Column, TableSchema } from '../job/index.ts'
import { isDecimal, isDouble, isInteger, isTemporal, quoteName } from '../sql/index.ts'
import { type AnonymizeParameters, type Coarseness, parseAnonymize, refused } from './parameters.ts'

const BLOCK = 64
/** Session variables of the engine, the inner one for each domain: a key pasted into SQL would end up in the engine's error messages. */
const INNER = 'pseudonym_inner'
const OUTER = 'pseudonym_outer'

/** What a column becomes: the SQL over its old name, and its type. */
interface Changed {
  sql: string
  type: string
}

/**
 * A SELECT that gives `relation` with the asked columns changed, under the same names and in the same order. Columns that the
 * relation lacks are passed over: an agreement names those of all its tables.
 *
 * @throws {Failure} anonymize-parameters
 */
export function planAnonymize(
  relation: string,
  columns: readonly Column[],
  parameters: AnonymizeParameters
): { sql: string; columns: Column[] } {
  const changed = columns.map((column) => ({ name: column.name, ...changeColumn(column, parameters) }))
  const list = changed.map(({ name, sql }) => `${sql} AS ${quoteName(name)}`).join(', ')
  return {
    sql: `SELECT ${list} FROM ${relation}`,
    columns: changed.map(({ name, type }) => ({ name, type }))
  }
}

/**
 * The schemas an analyst's SQL meets when its tables are anonymised: what `inspect` is to be given.
 *
 * @throws {Failure} anonymize-parameters
 */
export function anonymisedTables(
  tables: readonly TableSchema[],
  parameters: Record<string, unknown>
): TableSchema[] {
  const parsed = parseAnonymize(parameters)
  return tables.map(({ name, columns }) => ({ name, columns: planAnonymize('t', columns, parsed).columns }))
}

/**
 * The two padded keys of HMAC-SHA256 (RFC 2104), hex, by the session variable that holds each.
 *
 * @param key 32 bytes, hex
 */
export function pseudonymKeys(key: string, domain: string): Record<string, string> {
  const padded = Buffer.alloc(BLOCK)
  Buffer.from(key, 'hex').copy(padded)
  const inner = Buffer.concat([padded.map((byte) => byte ^ 0x36), Buffer.from(domain)])
  return {
    [innerOf(domain)]: inner.toString('hex'),
    [OUTER]: Buffer.from(padded.map((byte) => byte ^ 0x5c)).toString('hex')
  }
}

function changeColumn(column: Column, parameters: AnonymizeParameters): Changed {
  const old = quoteName(column.name)
  const is = (name: string): boolean => name.toLowerCase() === column.name.toLowerCase()
  if (parameters.suppress.some(is)) return { sql: `CAST(NULL AS ${column.type})`, type: column.type }
  if (parameters.pseudonymise.some(is)) return { sql: pseudonym(old, parameters.domain), type: 'VARCHAR' }
  for (const [name, to] of parameters.generalise)
    if (is(name)) return { sql: generalise(old, column, to), type: column.type }
  return { sql: old, type: column.type }
}

function innerOf(domain: string): string {
  return `${INNER}_${Buffer.from(domain).toString('hex')}`
}

/** HMAC-SHA256(key, domain ‖ value as text), its first 128 bits in hex. */
function pseudonym(old: string, domain: string): string {
  const value = `encode(CAST(${old} AS VARCHAR))`
  const inner = `unhex(sha256(unhex(getvariable('${innerOf(domain)}')) || ${value}))`
  return `CASE WHEN ${old} IS NULL THEN NULL ELSE left(sha256(unhex(getvariable('${OUTER}')) || ${inner}), 32) END`
}

function generalise(old: string, column: Column, to: Coarseness): string {
  const { type } = column
  if (typeof to === 'number') {
    if (isInteger(type)) {
      if (!Number.isSafeInteger(to))
        throw refused(`"generalise", column "${column.name}": expected a whole bin width for ${type}`)
      const rest = `(CAST(${old} AS HUGEINT) % ${to})`
      return `TRY_CAST(CAST(${old} AS HUGEINT) - ${rest} - CASE WHEN ${rest} < 0 THEN ${to} ELSE 0 END AS ${type})`
    }
    if (isDouble(type) || isDecimal(type))
      return `TRY_CAST(floor(${old} / ${decimalText(to)}) * ${decimalText(to)} AS ${type})`
    throw refused(`"generalise", column "${column.name}": a bin width needs a number, it is ${type}`)
  }
  if (isTemporal(type)) return `CAST(date_trunc('${to}', ${old}) AS ${type})`
  if (type === 'VARCHAR')
    return `CAST(CAST(date_trunc('${to}', TRY_CAST(${old} AS DATE)) AS DATE) AS VARCHAR)`
  if (isInteger(type))
    return `CASE WHEN ${old} BETWEEN 10000101 AND 99991231 THEN CAST(${compactDate(old, to)} AS ${type}) END`
  throw refused(`"generalise", column "${column.name}": "${to}" needs a date, it is ${type}`)
}

/** Dates are often kept as whole numbers of the form yyyymmdd. */
function compactDate(old: string, to: 'year' | 'quarter' | 'month'): string {
  if (to === 'year') return `(${old} // 10000) * 10000 + 101`
  if (to === 'month') return `(${old} // 100) * 100 + 1`
  return `(${old} // 10000) * 10000 + ((((${old} // 100) % 100) - 1) // 3 * 3 + 1) * 100 + 1`
}

function decimalText(value: number): string {
  return `CAST('${value}' AS DOUBLE)`
}
