import type { Column, TableSchema } from '../job/index.ts'
import { foldName, quoteName, quoteText, sameName } from '../sql/index.ts'
import { type Changed, coarser } from './coarser.ts'
import { type AnonymizeParameters, type Coarseness, parseAnonymize, refused } from './parameters.ts'

const BLOCK = 64
/** Session variables of the engine, the inner one for each domain: a key pasted into SQL would end up in the engine's error messages. */
const INNER = 'pseudonym_inner'
const OUTER = 'pseudonym_outer'

/** By what `k` counts in a table, in the columns that the plan gives. */
export interface Counting {
  k: number
  quasi: readonly string[]
  /** The column after all others that holds whom a row is about; null where each row counts for itself. */
  subject: string | null
}

export interface AnonymizePlan {
  /** Gives `columns`, and after them the column that {@link Counting} counts by. */
  sql: string
  columns: Column[]
  /** Null where nothing is counted: the plan is then all there is to do. */
  counting: Counting | null
}

/**
 * A SELECT that gives `relation` with the asked columns changed, under the same names and in the same order. Columns that the
 * relation lacks are passed over: an agreement names those of all its tables.
 *
 * @param table its name, by which it has a subject
 * @throws {Failure} anonymize-parameters
 */
export function planAnonymize(
  relation: string,
  columns: readonly Column[],
  parameters: AnonymizeParameters,
  table = ''
): AnonymizePlan {
  const subject = parameters.subjects.get(table)
  const subjectColumn =
    subject === undefined ? undefined : columns.find((column) => sameName(column.name, subject.column))
  const shown = columns.filter((column) => subject?.shown !== false || column !== subjectColumn)
  const free = freeNames(columns)
  const joins: string[] = []
  const changed = shown.map((column) => {
    const become = (to: Coarseness) => {
      const mapped = free('coarser')
      const change = coarser(quoteName(column.name), column, to, mapped)
      if (typeof to === 'object' && 'values' in to)
        joins.push(
          joinMap(to.values, quoteName(column.name), { map: free('map'), value: free('value'), mapped })
        )
      return change
    }
    return { name: column.name, ...changeColumn(column, parameters, become) }
  })
  const counting = countingOf(shown, parameters, subject === undefined ? null : free('subject'))
  if (counting !== null && subject !== undefined && subjectColumn === undefined)
    throw refused(`table "${table}" has no column "${subject.column}" to count its subjects by`)
  const list = changed.map(({ name, sql }) => `${sql} AS ${quoteName(name)}`)
  if (counting?.subject != null && subjectColumn !== undefined)
    list.push(`${quoteName(subjectColumn.name)} AS ${counting.subject}`)
  return {
    sql: `SELECT ${list.join(', ')} FROM ${[relation, ...joins].join(' ')}`,
    columns: changed.map(({ name, type }) => ({ name, type })),
    counting
  }
}

/**
 * The rows of `relation`, which holds what {@link planAnonymize} gave, whose combination of quasi-identifiers at least `k`
 * distinct subjects share. NULL is a value like others here, but a row without subject counts for nobody.
 */
export function planShared(
  relation: string,
  columns: readonly Column[],
  { k, quasi, subject }: Counting
): string {
  const by = quasi.map(quoteName)
  const subjects = subject === null ? 'count(*)' : `count(DISTINCT ${subject})`
  const shared = `SELECT ${by.join(', ')} FROM ${relation} GROUP BY ${by.join(', ')} HAVING ${subjects} >= ${k}`
  const same = by.map((name) => `changed.${name} IS NOT DISTINCT FROM shared.${name}`)
  const list = columns.map(({ name }) => `changed.${quoteName(name)}`)
  return `SELECT ${list.join(', ')} FROM ${relation} AS changed SEMI JOIN (${shared}) AS shared ON ${same.join(' AND ')}`
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
  return tables.map(({ name, columns }) => ({
    name,
    columns: planAnonymize('t', columns, parsed, name).columns
  }))
}

/**
 * The two padded keys of HMAC-SHA256 (RFC 2104), hex, by the session variable that holds each.
 *
 * @param key 32 bytes, hex
 */
export function pseudonymKeys(key: string, domain: string): Record<string, string> {
  const padded = Buffer.alloc(BLOCK)
  Buffer.from(key, 'hex').copy(padded)
  // "a" and value "b1" are not "ab" and value "1"
  const prefix = domain === '' ? '' : `${domain}\0`
  const inner = Buffer.concat([padded.map((byte) => byte ^ 0x36), Buffer.from(prefix)])
  return {
    [innerOf(domain)]: inner.toString('hex'),
    [OUTER]: Buffer.from(padded.map((byte) => byte ^ 0x5c)).toString('hex')
  }
}

/** Makes quoted names that no column has. */
function freeNames(columns: readonly Column[]): (stem: string) => string {
  const taken = new Set(columns.map(({ name }) => foldName(name)))
  return (stem) => {
    let name = `dynamos ${stem}`
    for (let number = 1; taken.has(name); number += 1) name = `dynamos ${stem} ${number}`
    taken.add(name)
    return quoteName(name)
  }
}

function countingOf(
  columns: readonly Column[],
  { k, quasi }: AnonymizeParameters,
  subject: string | null
): Counting | null {
  const here = columns.filter(({ name }) => quasi.some((one) => sameName(one, name))).map(({ name }) => name)
  return k > 1 && here.length > 0 ? { k, quasi: here, subject } : null
}

function joinMap(
  values: ReadonlyMap<string, string>,
  old: string,
  { map, value, mapped }: { map: string; value: string; mapped: string }
): string {
  const rows = [...values].map(([from, to]) => `(${quoteText(from)}, ${quoteText(to)})`)
  const list =
    rows.length > 0
      ? `(VALUES ${rows.join(', ')})`
      : '(SELECT CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR) WHERE false)'
  return `LEFT JOIN ${list} AS ${map}(${value}, ${mapped}) ON CAST(${old} AS VARCHAR) = ${value}`
}

function changeColumn(
  column: Column,
  parameters: AnonymizeParameters,
  become: (to: Coarseness) => Changed
): Changed {
  const old = quoteName(column.name)
  const is = (name: string): boolean => sameName(name, column.name)
  if (parameters.suppress.some(is)) return { sql: `CAST(NULL AS ${column.type})`, type: column.type }
  if (parameters.pseudonymise.some(is)) return { sql: pseudonym(old, parameters.domain), type: 'VARCHAR' }
  for (const [name, to] of parameters.generalise) if (is(name)) return become(to)
  return { sql: old, type: column.type }
}

function innerOf(domain: string): string {
  return `${INNER}_${Buffer.from(domain).toString('hex')}`
}

/** HMAC-SHA256(key, domain ‖ 0x00 ‖ value as text), its first 128 bits in hex. */
function pseudonym(old: string, domain: string): string {
  const value = `encode(CAST(${old} AS VARCHAR))`
  const inner = `unhex(sha256(unhex(getvariable('${innerOf(domain)}')) || ${value}))`
  return `CASE WHEN ${old} IS NULL THEN NULL ELSE left(sha256(unhex(getvariable('${OUTER}')) || ${inner}), 32) END`
}
