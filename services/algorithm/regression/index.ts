/**
 * Ordinary least squares with an intercept, from means, variances and covariances alone, so that parties' states can be merged.
 * Correlations are swept (Goodnight 1979, "A tutorial on the SWEEP operator"), which scale does not touch; a predictor that the
 * ones before it all but determine is left out, as R leaves it out.
 */
import { quoteList } from '../../sql/index.ts'
import { type Algorithm, algorithmRefused, onlyParameters } from '../algorithm.ts'
import { columnsNamed, namesOf, numeric } from '../columns.ts'
import { columnMoments, inUnits, mergeMoments, readMoments } from '../moments/index.ts'
import { withStudentTail } from '../tails/index.ts'

const LIMITS = { min: 1, max: 16 }

/** The share of a predictor's variance that the predictors before it must leave unexplained. */
const TOLERANCE = 1e-10

const MOMENTS = '"regression moments"'

export const algorithm: Algorithm = ({ relation, columns, parameters, phase }) => {
  onlyParameters(parameters, ['outcome', 'predictors'])
  const { outcome } = parameters
  if (typeof outcome !== 'string') throw algorithmRefused('outcome: expected the name of a numeric column')
  const predictors = namesOf(parameters.predictors, 'predictors', LIMITS)
  if (phase === 'merge') return finish(mergeMoments(relation, columns, 'regression'), predictors)
  const found = columnsNamed(predictors, 'predictors', columns)
  const [explained] = columnsNamed([outcome], 'outcome', columns)
  if (explained === undefined || found.includes(explained))
    throw algorithmRefused(`predictors: "${outcome}" is the outcome`)
  for (const column of found) numeric(column, 'predictors')
  numeric(explained, 'outcome')
  const state = columnMoments(relation, [...found, explained], true)
  return phase === 'partial' ? state : finish(state, predictors)
}

function finish(state: string, predictors: readonly string[]): string {
  const count = predictors.length
  const y = count + 1
  const pairs = `SELECT *, i AS a, j AS b FROM ${MOMENTS} UNION ALL SELECT *, j AS a, i AS b FROM ${MOMENTS} WHERE i <> j`
  // a column that does not vary is in no relation to any other; what is not finite leaves everything undetermined
  const cells = `SELECT a, list(coalesce(r, 0) ORDER BY b) AS cells FROM (${pairs}) AS p GROUP BY a`
  const matrix = `SELECT list(cells ORDER BY a) AS m FROM (${cells}) AS c`
  const own = (term: string): string => `(SELECT list(${term} ORDER BY i) FROM ${MOMENTS} WHERE i = j)`
  const facts = `SELECT m, ${own('sqrt(xx)')} AS s, ${own('mean')} AS means, ${own('ex')} AS e, ${own('sx')} AS d, (SELECT max(n) FROM ${MOMENTS}) AS n, (SELECT max(bad) FROM ${MOMENTS}) AS bad FROM (${matrix}) AS x`
  const swept = `SELECT *, ${sweeps(count)} AS w FROM (${facts}) AS f`
  const used = `list_transform(range(1, ${y}), lambda k: w[k][k] <= -0.5)`
  const known = `SELECT *, ${used} AS used, list_count(list_filter(range(1, ${y}), lambda k: w[k][k] <= -0.5)) AS k, CASE WHEN m[${y}][${y}] > 0 THEN greatest(0, w[${y}][${y}]) END AS rest FROM (${swept}) AS f`
  const degrees = `SELECT *, n - k - 1 AS df, CASE WHEN n - k - 1 > 0 THEN rest / (n - k - 1) END AS unexplained FROM (${known}) AS f`
  // in units of the outcome's sqrt(xx) * 2^e, and of a predictor's own
  const slope = (k: string): string => `CASE WHEN used[${k}] THEN w[${k}][${y}] END`
  const error = (k: string): string => `CASE WHEN used[${k}] THEN sqrt(unexplained * -w[${k}][${k}]) END`
  const z = (k: string): string => `means[${k}] / s[${k}]`
  const usedPlaces = `list_filter(range(1, ${y}), lambda k: w[k][k] <= -0.5)`
  const level = `(means[${y}] - s[${y}] * coalesce(list_sum(list_transform(${usedPlaces}, lambda k: w[k][${y}] * ${z('k')})), 0))`
  const leverage = `(1 / n - coalesce(list_sum(list_transform(${usedPlaces}, lambda k: list_sum(list_transform(${usedPlaces}, lambda l: ${z('k')} * ${z('l')} * w[k][l])))), 0))`
  const scale = (k: string): string => `s[${y}] / s[${k}]`
  const power = (k: string): string => `(e[${y}] - e[${k}])`
  const decimals = (k: string): string => `(d[${y}] - d[${k}])`
  const whole = (term: string, k: string): string => inUnits(`(${term}) * ${scale(k)}`, power(k), decimals(k))
  const level0 = inUnits(level, `e[${y}]`, `d[${y}]`)
  const error0 = inUnits(`sqrt(unexplained * ${leverage}) * s[${y}]`, `e[${y}]`, `d[${y}]`)
  const terms = `SELECT f.*, p.place, p.name FROM (SELECT unnest(range(0, ${y})) AS place, unnest(${quoteList(['(intercept)', ...predictors])}) AS name) AS p LEFT JOIN (${degrees}) AS f ON TRUE`
  const undetermined = `CAST('nan' AS DOUBLE)`
  const value = (intercept: string, predictor: string): string =>
    `CASE WHEN bad > 0 THEN ${undetermined} WHEN n IS NULL OR n = 0 THEN NULL WHEN place = 0 THEN ${intercept} ELSE ${predictor} END`
  const ratio = (top: string, below: string): string => `CASE WHEN ${below} > 0 THEN ${top} / ${below} END`
  const estimated = `SELECT place, name, ${value(level0, whole(slope('place'), 'place'))} AS estimate, ${value(error0, whole(error('place'), 'place'))} AS standard_error, ${value(ratio(level, `(sqrt(unexplained * ${leverage}) * s[${y}])`), ratio(slope('place'), `(${error('place')})`))} AS t, CASE WHEN bad > 0 THEN NULL ELSE df END AS df, coalesce(n, 0) AS n, CASE WHEN bad > 0 THEN ${undetermined} ELSE 1 - rest END AS r2 FROM (${terms}) AS f`
  const tested = withStudentTail(estimated, 't', 'df', 'p')
  return `WITH ${MOMENTS} AS MATERIALIZED (${readMoments(state)}) SELECT name AS term, estimate, standard_error, t, p, CAST(n AS BIGINT) AS n, CAST(df AS BIGINT) AS df, r2 FROM (${tested}) AS t ORDER BY place`
}

/**
 * The matrix `m`, outcome last, with each predictor swept: minus the inverse, the slopes, and what stays unexplained. A place that
 * was swept holds -1 or less on the diagonal, one that was left out about 0.
 */
function sweeps(count: number): string {
  const steps = Array.from({ length: count }, (_, index) => `[[CAST(${index + 1} AS DOUBLE)]]`)
  const k = 'CAST(e[1][1] AS INTEGER)'
  const d = `acc[${k}][${k}]`
  const cell = `CASE WHEN a = ${k} AND b = ${k} THEN -1 / ${d} WHEN a = ${k} OR b = ${k} THEN acc[a][b] / ${d} ELSE acc[a][b] - acc[a][${k}] * acc[${k}][b] / ${d} END`
  const places = `range(1, ${count + 2})`
  const swept = `list_transform(${places}, lambda a: list_transform(${places}, lambda b: ${cell}))`
  return `list_reduce(list_prepend(m, [${steps.join(', ')}]), lambda acc, e: CASE WHEN ${d} > ${TOLERANCE} THEN ${swept} ELSE acc END)`
}
