/** Pearson's correlation of each pair of columns, over the rows that hold both. */
import { quoteList } from '../../sql/index.ts'
import { type Algorithm, onlyParameters } from '../algorithm.ts'
import { columnsNamed, namesOf, numeric } from '../columns.ts'
import { mergeMoments, pairMoments, pairsOf, readMoments } from '../moments/index.ts'

const LIMITS = { min: 2, max: 32 }

export const algorithm: Algorithm = ({ relation, columns, parameters, phase }) => {
  onlyParameters(parameters, ['columns'])
  const names = namesOf(parameters.columns, 'columns', LIMITS)
  if (phase === 'merge') return finish(mergeMoments(relation, columns, 'correlation'), names)
  const found = columnsNamed(names, 'columns', columns)
  for (const column of found) numeric(column, 'columns')
  const state = pairMoments(relation, found, pairsOf(found.length))
  return phase === 'partial' ? state : finish(state, names)
}

function finish(state: string, names: readonly string[]): string {
  const named = `SELECT unnest(${quoteList(names)}) AS name, unnest(range(1, ${names.length + 1})) AS place`
  const pair = 'p.i = least(a.place, b.place) AND p.j = greatest(a.place, b.place)'
  return `SELECT a.name AS "row", b.name AS "column", p.r AS correlation, CAST(coalesce(p.n, 0) AS BIGINT) AS n FROM (${named}) AS a CROSS JOIN (${named}) AS b LEFT JOIN (${readMoments(state)}) AS p ON ${pair} ORDER BY a.place, b.place`
}
