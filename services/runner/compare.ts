import type { Engine } from '../engine/index.ts'
import type { ReportOf } from '../job/index.ts'
import { quoteName } from '../sql/index.ts'
import {
  type CanonicalColumn,
  canonicalColumns,
  canonicalDigest,
  headerOf,
  type Rows,
  rowText
} from './canonical.ts'

export type Compared = NonNullable<ReportOf<'convert'>['verification']>[number]

/**
 * Two floats that are nearer than this part of the larger are the same. Two that share ten significant digits are at most half
 * as far apart, so that a partner which is taken out of several alike still fits.
 */
const TOLERANCE = '2e-9'

/** Lets go of what a comparison kept. */
export const FORGET = ['first', 'again'].map((name) => `DROP TABLE IF EXISTS ${table(name)}`).join('; ')

/**
 * Whether two runs of the same steps gave the same. Equal digests say so. Rounding to ten digits tells apart what lies on two
 * sides of a boundary, however near; so where digests differ, the rows that found no partner are paired anew, by everything
 * but their floats, and those are compared as numbers.
 */
export async function compareRuns(engine: Engine, first: Rows, again: Rows, salt: string): Promise<Compared> {
  const digests = {
    first: await canonicalDigest(engine, first, salt),
    again: await canonicalDigest(engine, again, salt)
  }
  return { ...digests, same: digests.first === digests.again || (await nearly(engine, first, again)) }
}

async function nearly(engine: Engine, first: Rows, again: Rows): Promise<boolean> {
  const columns = await canonicalColumns(engine, first)
  const others = await canonicalColumns(engine, again)
  if (headerOf(columns) !== headerOf(others)) return false
  const floats = columns.filter(({ family }) => family === 'float')
  if (floats.length === 0) return false
  for (const [name, { sql }] of [['first', first] as const, ['again', again] as const])
    await engine.run(`CREATE TEMP TABLE ${table(name)} AS ${numbered(sql, columns, floats)}`)
  const left = (one: string, other: string): string =>
    `SELECT *, row_number() OVER (ORDER BY k, ${floats.map((_, index) => `c${index}, f${index}`).join(', ')}) AS place FROM (SELECT * FROM ${table(one)} AS a ANTI JOIN ${table(other)} AS b ON a.r = b.r AND a.n = b.n) AS l`
  const near = floats.map((_, index) => close(`a.f${index}`, `b.f${index}`)).join(' AND ')
  const apart = `SELECT count(*) FROM (${left('first', 'again')}) AS a FULL JOIN (${left('again', 'first')}) AS b ON a.place = b.place WHERE (a.k IS NOT DISTINCT FROM b.k AND ${near}) IS NOT TRUE`
  return Number(await engine.run(apart)) === 0
}

function table(name: string): string {
  return quoteName(`dynamos compared ${name}`)
}

/** Each row: its text r, and which of several alike it is; its text without floats k; its floats f, and c as they are sorted by. */
function numbered(
  sql: string,
  columns: readonly CanonicalColumn[],
  floats: readonly CanonicalColumn[]
): string {
  const rest = columns.filter((column) => !floats.includes(column))
  const values = floats.map(({ name }, index) => {
    const value = `CAST(${quoteName(name)} AS DOUBLE)`
    // what differs in its last digits only must find its place in the same order on both sides
    return `${value} AS f${index}, CAST(format('{:.4e}', ${value}) AS DOUBLE) AS c${index}`
  })
  const all = `SELECT ${rowText(columns)} AS r, ${rowText(rest)} AS k, ${values.join(', ')} FROM ${sql} AS q`
  return `SELECT *, row_number() OVER (PARTITION BY r) AS n FROM (${all}) AS t`
}

function close(one: string, other: string): string {
  const finite = `isfinite(${one}) AND isfinite(${other})`
  const near = `abs(${one} - ${other}) <= ${TOLERANCE} * greatest(abs(${one}), abs(${other}))`
  return `(${one} IS NOT DISTINCT FROM ${other} OR (${finite} AND ${near}))`
}
