/** The most frequent values of a column. */
import { quoteName } from '../../sql/index.ts'
import { type Algorithm, onlyParameters } from '../algorithm.ts'
import { oneColumn, wholeNumber, wholeOnly } from '../columns.ts'

const MAX_VALUES = 10_000

export const algorithm: Algorithm = ({ relation, columns, parameters, phase }) => {
  onlyParameters(parameters, ['column', 'k'])
  // a value that is rare at each party may be frequent over all: what could be merged is every value with its count
  wholeOnly('topk', phase)
  const value = quoteName(oneColumn(parameters.column, 'column', columns).name)
  const k = wholeNumber(parameters.k, 'k', { min: 1, max: MAX_VALUES })
  return `SELECT ${value} AS "value", count(*) AS "count" FROM ${relation} GROUP BY ${value} ORDER BY count(*) DESC, ${value} ASC NULLS LAST LIMIT ${k}`
}
