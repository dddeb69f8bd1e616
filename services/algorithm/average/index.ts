/**
 * The mean of a column, over all rows or per group. Sums are exact, so the answer depends neither on the order of rows nor on
 * which party held which of them: merging states equals computing over the union, bit for bit.
 */
import type { Column } from '../../job/index.ts'
import { isDecimal, isDouble, isInteger, quoteName } from '../../sql/index.ts'
import { asDouble, limbState, meanOfLimbs, mergeLimbs } from '../exact-sum/index.ts'
import {
  type Algorithm,
  algorithmRefused,
  columnNamed,
  groupBy,
  keyList,
  onlyParameters,
  orderBy
} from '../index.ts'

const SUM = 'average.sum'
const LIMBS = 'average.limbs'
const COUNT = 'average.count'

export const algorithm: Algorithm = ({ relation, columns, parameters, phase }) => {
  onlyParameters(parameters, ['value', 'by'])
  const { value, by: names = [] } = parameters
  if (typeof value !== 'string') throw algorithmRefused('value: expected the name of a numeric column')
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    throw algorithmRefused('by: expected a list of column names')
  }
  const by = names.map((name: string) => columnNamed(name, 'by', columns).name)
  const clash = by.find((name, index) => name === 'average' || name === 'count' || by.indexOf(name) !== index)
  if (clash !== undefined) throw algorithmRefused(`by: "${clash}" would be a column of the result twice`)
  if (phase === 'merge')
    return finish(
      mergedState(relation, columns, by),
      columns.some(({ name }) => name === LIMBS),
      by
    )
  const column = columnNamed(value, 'value', columns)
  const state = partialState(relation, column, by)
  return phase === 'partial' ? `${state} ${orderBy(by)}` : finish(state, isDouble(column.type), by)
}

function partialState(relation: string, column: Column, by: readonly string[]): string {
  const value = quoteName(column.name)
  if (isDouble(column.type)) return limbState({ relation, value, by, limbs: LIMBS, count: COUNT })
  let term = value
  if (isInteger(column.type)) term = `CAST(${value} AS DECIMAL(38,0))`
  else if (!isDecimal(column.type))
    throw algorithmRefused(`value: column "${column.name}" is ${column.type}, expected a number`)
  return `SELECT ${keyList(by)}sum(${term}) AS ${quoteName(SUM)}, count(${value}) AS ${quoteName(COUNT)} FROM ${relation} ${groupBy(by)}`
}

function mergedState(relation: string, columns: readonly Column[], by: readonly string[]): string {
  const has = (name: string): boolean => columns.some((column) => column.name === name)
  if (!has(COUNT) || !(has(SUM) || has(LIMBS))) throw algorithmRefused('merge: expected states of "average"')
  if (has(LIMBS)) return mergeLimbs({ relation, by, limbs: LIMBS, count: COUNT })
  return `SELECT ${keyList(by)}sum(${quoteName(SUM)}) AS ${quoteName(SUM)}, CAST(sum(${quoteName(COUNT)}) AS BIGINT) AS ${quoteName(COUNT)} FROM ${relation} ${groupBy(by)}`
}

function finish(state: string, limbs: boolean, by: readonly string[]): string {
  const count = quoteName(COUNT)
  const means = limbs
    ? meanOfLimbs(state, { by, limbs: LIMBS, count: COUNT })
    : `SELECT *, CASE WHEN ${count} > 0 THEN ${asDouble(quoteName(SUM))} / ${count} END AS mean FROM (${state}) AS state`
  return `SELECT ${keyList(by)}mean AS average, ${count} AS "count" FROM (${means}) AS means ${orderBy(by)}`
}
