/**
 * The mean of a column, over all rows or per group. Sums are exact, so the answer depends neither on the order of rows nor on
 * which party held which of them: merging states equals computing over the union, bit for bit.
 */
import type { Column } from '../../job/index.ts'
import { foldName, isDecimal, isDouble, isInteger, quoteName } from '../../sql/index.ts'
import { type Algorithm, algorithmRefused, columnNamed, onlyParameters } from '../algorithm.ts'
import { groupBy, keyList, orderBy } from '../columns.ts'
import { asDouble, limbState, meanOfLimbs, mergeLimbs } from '../exact-sum/index.ts'

const SUM = 'average.sum'
const LIMBS = 'average.limbs'
const COUNT = 'average.count'
const RESULT = new Set(['average', 'count', SUM, LIMBS, COUNT])

export const algorithm: Algorithm = ({ relation, columns, parameters, phase }) => {
  onlyParameters(parameters, ['value', 'by'])
  const { value, by: names = [] } = parameters
  if (typeof value !== 'string') throw algorithmRefused('value: expected the name of a numeric column')
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    throw algorithmRefused('by: expected a list of column names')
  }
  const by = names.map((name: string) => columnNamed(name, 'by', columns).name)
  const clash = by.find((name, index) => RESULT.has(foldName(name)) || by.indexOf(name) !== index)
  if (clash !== undefined) throw algorithmRefused(`by: "${clash}" would be a column of the result twice`)
  // group columns go by their place meanwhile, so that none is mistaken for one of ours
  const keys = by.map((_, index) => `k${index}`)
  const named = by.map((name, index) => `${quoteName(name)} AS k${index}, `).join('')
  const given = (rest: string): string => `(SELECT ${named}${rest} FROM ${relation}) AS given_keys`
  const shown = by.map((name, index) => `k${index} AS ${quoteName(name)}, `).join('')
  if (phase === 'merge') {
    const limbs = columns.some(({ name }) => name === LIMBS)
    const has = (wanted: string): boolean => columns.some(({ name }) => name === wanted)
    if (!(has(COUNT) && (limbs || has(SUM)))) throw algorithmRefused('merge: expected states of "average"')
    const state = mergedState(given(`${quoteName(limbs ? LIMBS : SUM)}, ${quoteName(COUNT)}`), limbs, keys)
    return finish(state, limbs, keys, shown)
  }
  const column = columnNamed(value, 'value', columns)
  const state = partialState(given(`${quoteName(column.name)} AS v`), column, keys)
  if (phase === 'complete') return finish(state, isDouble(column.type), keys, shown)
  const sent = [isDouble(column.type) ? LIMBS : SUM, COUNT].map(quoteName).join(', ')
  return `SELECT ${shown}${sent} FROM (${state}) AS state ${orderBy(keys, 'state')}`
}

function partialState(relation: string, column: Column, by: readonly string[]): string {
  if (isDouble(column.type)) return limbState({ relation, value: 'v', by, limbs: LIMBS, count: COUNT })
  let term = 'v'
  if (isInteger(column.type)) term = 'CAST(v AS DECIMAL(38,0))'
  else if (!isDecimal(column.type))
    throw algorithmRefused(`value: column "${column.name}" is ${column.type}, expected a number`)
  return `SELECT ${keyList(by)}sum(${term}) AS ${quoteName(SUM)}, count(v) AS ${quoteName(COUNT)} FROM ${relation} ${groupBy(by)}`
}

function mergedState(relation: string, limbs: boolean, by: readonly string[]): string {
  if (limbs) return mergeLimbs({ relation, by, limbs: LIMBS, count: COUNT })
  return `SELECT ${keyList(by)}sum(${quoteName(SUM)}) AS ${quoteName(SUM)}, CAST(sum(${quoteName(COUNT)}) AS BIGINT) AS ${quoteName(COUNT)} FROM ${relation} ${groupBy(by)}`
}

function finish(state: string, limbs: boolean, by: readonly string[], shown: string): string {
  const count = quoteName(COUNT)
  const means = limbs
    ? meanOfLimbs(state, { by, limbs: LIMBS, count: COUNT })
    : `SELECT *, CASE WHEN ${count} > 0 THEN ${asDouble(quoteName(SUM))} / ${count} END AS mean FROM (${state}) AS state`
  return `SELECT ${shown}mean AS average, ${count} AS "count" FROM (${means}) AS means ${orderBy(by, 'means')}`
}

/**
 * A state as from one value for each group, the sum as a double. The exact sums of doubles tell the largest and smallest values
 * apart from the others by their size; where single values are to stay unknown only the sum itself may leave.
 *
 * @param averages what `complete` gave for the groups
 */
export function roundedState(averages: string, by: readonly string[]): string {
  const keys = by.map((_, index) => `k${index}`)
  const named = by.map((name, index) => `${quoteName(name)} AS k${index}, `).join('')
  const sums = `(SELECT ${named}average * "count" AS v, "count" AS n FROM ${averages}) AS given_sums`
  const state = limbState({ relation: sums, value: 'v', by: keys, limbs: LIMBS, count: COUNT })
  const same = ['TRUE', ...keys.map((key) => `s.${key} IS NOT DISTINCT FROM c.${key}`)].join(' AND ')
  const shown = by.map((name, index) => `s.k${index} AS ${quoteName(name)}, `).join('')
  return `SELECT ${shown}s.${quoteName(LIMBS)}, c.n AS ${quoteName(COUNT)} FROM (${state}) AS s JOIN ${sums.replace('given_sums', 'c')} ON ${same} ${orderBy(keys, 's')}`
}
