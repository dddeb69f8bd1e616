import { quoteName } from '../sql/index.ts'

/**
 * A relation of every value of some columns, as text: `i` is the column's place in the list, `v` the value, `r` the row's number
 * when it is asked for. A question about all columns is then asked once: thousands of aggregates in one SELECT took a minute
 * and a gigabyte for 400 columns (DuckDB 1.5).
 */
export function tall(
  relation: string,
  names: readonly string[],
  options: { numbered?: boolean } = {}
): string {
  const numbered = options.numbered === true
  const values = names.map((name) => `CAST(${quoteName(name)} AS VARCHAR)`)
  const row = numbered ? ', "dynamos row" AS r' : ''
  const from = numbered
    ? `(SELECT *, row_number() OVER () AS "dynamos row" FROM ${relation}) AS numbered`
    : `${relation}`
  return `(SELECT unnest(range(${names.length})) AS i, unnest([${values.join(', ')}]) AS v${row} FROM ${from})`
}
