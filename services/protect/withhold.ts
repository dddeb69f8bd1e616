import { quoteName, quoteText } from '../sql/index.ts'
import { type Cells, RELEASED, type UnitRows } from './cells.ts'

/** Session variable of the engine: what unit hashes are keyed with must not end up in its error messages. */
export const SALT = 'protect_salt'

const TAGGED = '"dynamos tagged"'
const COUNTED = '"dynamos counted"'
const SETS = '"dynamos sets"'
const SIZES = '"dynamos sizes"'
const EARLIER = '"dynamos earlier"'
const NEAR = '"dynamos near"'
/** Row hashes are added up modulo a prime that a BIGINT holds. */
const PRIME = '9223372036854775783'

export interface Withholding {
  minGroupSize: number
  /** Absolute path of a file with the groups that were released before: set, unit, content; undefined: none were. */
  earlier: string | undefined
  /** How many more units can be remembered. */
  room: number
}

/**
 * Statements after which `RELEASED` holds the cells that may leave, and {@link rememberedGroups} gives what is to be remembered
 * of them.
 *
 * A cell leaves when at least `minGroupSize` distinct units of every table that was read are in it, and none of its sets of
 * units differs from one that was released before by 1 to `minGroupSize` - 1 units: units that only one has, or that have other
 * rows in it. What cannot be remembered does not leave.
 */
export function planWithholding(
  cells: Cells,
  rows: UnitRows,
  { minGroupSize, earlier, room }: Withholding
): string[] {
  if (rows.units.length === 0)
    return [
      `CREATE TEMP TABLE ${RELEASED} AS SELECT cell FROM (${cells.numbered}) AS n`,
      nothing(SETS, 'cell BIGINT, set VARCHAR, unit VARCHAR, content BIGINT')
    ]
  const units = rows.units.map((name) => `count(DISTINCT ${quoteName(name)})`)
  const enough = units.map((count) => `${count} >= ${minGroupSize}`).join(' AND ')
  const content = `CAST(sum(CAST(${quoteName(rows.content)} AS HUGEINT)) % ${PRIME} AS BIGINT)`
  const hashed = (unit: string): string => `left(sha256(getvariable('${SALT}') || ${quoteName(unit)}), 16)`
  const entries = rows.units.map(
    (unit, index) =>
      `SELECT cell, ${index} AS reading, ${hashed(unit)} AS unit, content FROM (SELECT cell, ${quoteName(unit)}, ${content} AS content FROM ${TAGGED} WHERE ${quoteName(unit)} IS NOT NULL AND cell IN (SELECT cell FROM ${COUNTED}) GROUP BY cell, ${quoteName(unit)}) AS e`
  )
  const digest = `left(sha256(string_agg(unit || ' ' || content, ',' ORDER BY unit)), 32)`
  const named = `SELECT cell, reading, ${digest} AS set FROM "dynamos entries" GROUP BY cell, reading`
  // readings that hold the same units are one set
  const distinct = `SELECT cell, set, min(reading) AS reading FROM (${named}) AS n GROUP BY cell, set`
  const differ = (own: string, other: string): string =>
    `${own}.size + ${other}.size - 2 * n.common BETWEEN 1 AND ${minGroupSize - 1} OR ${own}.size + ${other}.size - n.common - n.same BETWEEN 1 AND ${minGroupSize - 1}`
  const overlap = `SELECT a.cell, a.set AS own, b.set AS other, count(*) AS common, count(*) FILTER (WHERE a.content = b.content) AS same FROM ${SETS} AS a JOIN ${EARLIER} AS b ON a.unit = b.unit GROUP BY a.cell, a.set, b.set`
  // several cells may hold the same set: units of each are counted for themselves
  const within = `SELECT a.cell, a.set AS own, b.set AS other, count(*) AS common, count(*) FILTER (WHERE a.content = b.content) AS same FROM ${SETS} AS a JOIN ${SETS} AS b ON a.unit = b.unit AND b.cell < a.cell GROUP BY a.cell, a.set, b.cell, b.set`
  const near = [
    `SELECT n.cell FROM (${overlap}) AS n JOIN ${SIZES} AS s ON s.set = n.own JOIN "dynamos earlier sizes" AS o ON o.set = n.other WHERE ${differ('s', 'o')}`,
    ...(cells.overlap
      ? [
          `SELECT n.cell FROM (${within}) AS n JOIN ${SIZES} AS s ON s.set = n.own JOIN ${SIZES} AS o ON o.set = n.other WHERE ${differ('s', 'o')}`
        ]
      : [])
  ]
  const fresh = `SELECT s.cell, count(*) FILTER (WHERE s.set NOT IN (SELECT set FROM "dynamos earlier sizes")) AS fresh FROM ${SETS} AS s WHERE s.cell NOT IN (SELECT cell FROM ${NEAR}) GROUP BY s.cell`
  return [
    `CREATE TEMP TABLE ${TAGGED} AS ${cells.tagged}`,
    `CREATE TEMP TABLE ${COUNTED} AS SELECT cell FROM ${TAGGED} GROUP BY cell HAVING ${enough}`,
    `CREATE TEMP TABLE "dynamos entries" AS ${entries.join(' UNION ALL ')}`,
    `CREATE TEMP TABLE ${SETS} AS SELECT e.cell, d.set, e.unit, e.content FROM "dynamos entries" AS e JOIN (${distinct}) AS d ON e.cell = d.cell AND e.reading = d.reading`,
    `CREATE TEMP TABLE ${SIZES} AS SELECT set, count(DISTINCT unit) AS size FROM ${SETS} GROUP BY set`,
    earlier === undefined
      ? nothing(EARLIER, 'set VARCHAR, unit VARCHAR, content BIGINT')
      : `CREATE TEMP TABLE ${EARLIER} AS SELECT DISTINCT * FROM read_csv(${quoteText(earlier)}, header = false, auto_detect = false, columns = {'set': 'VARCHAR', 'unit': 'VARCHAR', 'content': 'BIGINT'})`,
    `CREATE TEMP TABLE "dynamos earlier sizes" AS SELECT set, count(*) AS size FROM ${EARLIER} GROUP BY set`,
    `CREATE TEMP TABLE ${NEAR} AS SELECT DISTINCT cell FROM (${near.join(' UNION ALL ')}) AS n`,
    `CREATE TEMP TABLE ${RELEASED} AS SELECT cell FROM (SELECT cell, sum(fresh) OVER (ORDER BY cell) AS taken FROM (${fresh}) AS f) AS t WHERE taken <= ${room}`
  ]
}

function nothing(table: string, columns: string): string {
  return `CREATE TEMP TABLE ${table} (${columns})`
}

/** SQL of `set, unit, content` of the groups that leave. */
export function rememberedGroups(): string {
  return `SELECT DISTINCT set, unit, content FROM ${SETS} WHERE cell IN (SELECT cell FROM ${RELEASED}) ORDER BY set, unit`
}

/** SQL of how many cells stay. */
export function keptCells(cells: Cells): string {
  return `SELECT count(*) FROM (${cells.numbered}) AS n WHERE cell NOT IN (SELECT cell FROM ${RELEASED})`
}
