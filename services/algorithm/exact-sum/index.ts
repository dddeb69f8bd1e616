/**
 * Exact sums of doubles in SQL. A double is an integer of 53 bits times a power of two; those of one band of 32 powers are
 * whole multiples of the band's lowest, so their sum is a whole number that a 128-bit integer holds for 2^42 rows. The sums of
 * all bands are the state: adding two states adds whole numbers, so neither order nor partition changes a bit.
 * The idea is Kulisch's long accumulator, cut into bands (Kulisch 2013, "Computer Arithmetic and Validity", ch. 8).
 */
import { quoteName } from '../../sql/index.ts'
import { groupBy, keyList } from '../columns.ts'

/** Bands beyond the 64 of finite doubles: what is there is counted, not added. */
const NAN = 100
const PLUS = 101
const MINUS = 102

interface Names {
  relation: string
  by: readonly string[]
  limbs: string
  count: string
}

/** One row per group: the sums per band as a list, and the number of values. */
export function limbState({ relation, value, by, limbs, count }: Names & { value: string }): string {
  const keys = keyList(by)
  const bits = `SELECT ${keys}CAST(CAST(CAST(${value} AS DOUBLE) AS BIT) AS BIGINT) AS bits FROM ${relation}`
  const parts = `SELECT ${keys}bits, (bits >> 52) & 2047 AS power, bits & 4503599627370495 AS fraction FROM (${bits}) AS b`
  const band = `CASE WHEN power < 2047 THEN power // 32 WHEN fraction <> 0 THEN ${NAN} WHEN bits > 0 THEN ${PLUS} ELSE ${MINUS} END`
  const whole = `CAST(fraction + CASE WHEN power > 0 THEN 4503599627370496 ELSE 0 END AS HUGEINT) << CAST(greatest(power, 1) % 32 AS INTEGER)`
  const term = `CASE WHEN bits IS NULL THEN NULL WHEN power = 2047 THEN 1 WHEN bits < 0 THEN -(${whole}) ELSE ${whole} END`
  const terms = `SELECT ${keys}CAST(${band} AS INTEGER) AS band, ${term} AS term FROM (${parts}) AS p`
  const bands = `SELECT ${keys}band, sum(term) AS total, count(term) AS n FROM (${terms}) AS t GROUP BY ${keys}band`
  return gather(bands, by, limbs, count)
}

/** The same state for all parties together. */
export function mergeLimbs({ relation, by, limbs, count }: Names): string {
  const keys = keyList(by)
  const flat = `SELECT ${keys}unnest(${quoteName(limbs)}) AS limb, 0 AS n FROM ${relation}`
  const counts = `SELECT ${keys}NULL AS band, CAST(NULL AS HUGEINT) AS total, sum(${quoteName(count)}) AS n FROM ${relation} ${groupBy(by)}`
  const sums = `SELECT ${keys}limb.band AS band, sum(CAST(limb.total AS HUGEINT)) AS total, 0 AS n FROM (${flat}) AS f GROUP BY ${keys}limb.band`
  return gather(`${sums} UNION ALL ${counts}`, by, limbs, count)
}

function gather(bands: string, by: readonly string[], limbs: string, count: string): string {
  const keys = keyList(by)
  const limb = `{'band': band, 'total': CAST(total AS DECIMAL(38,0))}`
  return `SELECT ${keys}coalesce(list(${limb} ORDER BY band) FILTER (WHERE total IS NOT NULL), []) AS ${quoteName(limbs)}, CAST(coalesce(sum(n), 0) AS BIGINT) AS ${quoteName(count)} FROM (${bands}) AS g ${groupBy(by)}`
}

/**
 * A relation with the same rows as `state` and a column `mean`: the sum divided by the count, as the nearest double but for
 * the last few bits. From the lowest band upwards each sum is rounded to a multiple of the next band's unit and the multiple
 * carried there. What stays behind is at most half a unit of the band above, so no two of the remaining terms can cancel, and
 * adding them as doubles is safe.
 */
export function meanOfLimbs(state: string, { by, limbs, count }: Omit<Names, 'relation'>): string {
  const keep = `${keyList(by)}${quoteName(count)}`
  const column = quoteName(limbs)
  const none = 'CAST([] AS STRUCT(band INTEGER, digit DOUBLE)[])'
  const zero = `{'band': CAST(-1 AS INTEGER), 'total': CAST(0 AS HUGEINT), 'digits': ${none}}`
  const finite = `list_transform(list_filter(${column}, lambda x: x.band < ${NAN}), lambda x: {'band': x.band, 'total': CAST(x.total AS HUGEINT), 'digits': ${none}})`
  const unit = '(CAST(1 AS HUGEINT) << (32 * least(x.band - a.band, 3)))'
  // rounds to nearest by flooring: the engine divides towards zero
  const up = `(a.total + ${unit} // 2)`
  const carry = `CASE WHEN x.band - a.band > 3 THEN CAST(0 AS HUGEINT) ELSE ${up} // ${unit} - CASE WHEN ${up} % ${unit} < 0 THEN 1 ELSE 0 END END`
  const left = asDouble(`(a.total - (${carry}) * ${unit})`)
  const step = `lambda a, x: {'band': x.band, 'total': x.total + ${carry}, 'digits': list_append(a.digits, {'band': a.band, 'digit': ${left}})}`
  const has = (band: number): string => `len(list_filter(${column}, lambda x: x.band = ${band})) > 0`
  const special = `CASE WHEN ${has(NAN)} OR (${has(PLUS)} AND ${has(MINUS)}) THEN CAST('nan' AS DOUBLE) WHEN ${has(PLUS)} THEN CAST('inf' AS DOUBLE) WHEN ${has(MINUS)} THEN CAST('-inf' AS DOUBLE) END`
  const carried = `SELECT ${keep}, ${special} AS special, list_reduce(list_prepend(${zero}, ${finite}), ${step}) AS s FROM (${state}) AS state`
  const all = `list_reverse(list_append(s.digits, {'band': s.band, 'digit': ${asDouble('s.total')}}))`
  const digits = `SELECT ${keep}, special, list_filter(${all}, lambda d: d.digit <> 0) AS digits FROM (${carried}) AS c`
  const tops = `SELECT ${keep}, special, digits, digits[1].band AS top FROM (${digits}) AS d`
  // scaled to the highest band first: the sum of values may exceed what a double holds although their mean does not
  const scaled = 'list_sum(list_transform(digits, lambda d: d.digit * pow(2.0, 32 * (d.band - top))))'
  const power = '(32 * top - 1075)'
  const mean = `(${scaled} / ${quoteName(count)}) * pow(2.0, ${power} // 2) * pow(2.0, ${power} - ${power} // 2)`
  return `SELECT ${keep}, CASE WHEN ${quoteName(count)} = 0 THEN NULL WHEN special IS NOT NULL THEN special WHEN top IS NULL THEN 0 ELSE ${mean} END AS mean FROM (${tops}) AS t`
}

/** A wide integer or decimal as the nearest double: the engine is an ulp off for negative ones. */
export function asDouble(term: string): string {
  return `CASE WHEN ${term} < 0 THEN -CAST(-${term} AS DOUBLE) ELSE CAST(${term} AS DOUBLE) END`
}
