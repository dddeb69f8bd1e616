/**
 * Tail probabilities in SQL, with a relative error well below 1e-9: the regularised incomplete gamma and beta functions by
 * series and continued fraction (Press et al., "Numerical Recipes", §6.2 and §6.4). For large parameters their prefactors are
 * taken from Stirling's series instead of from differences of `lgamma`, which lose digits there (Loader 2000, "Fast and
 * accurate computation of binomial probabilities").
 */
import { quoteName } from '../../sql/index.ts'

/** Parameters from which on the asymptotic series are exact to the last bits. */
const LARGE = 20

/** ln(1 + u) without losing the digits of a small `u`. */
function log1p(u: string): string {
  return `CASE WHEN 1 + (${u}) = 1 THEN (${u}) ELSE ln(1 + (${u})) * (${u}) / ((1 + (${u})) - 1) END`
}

/**
 * The rows of `source` with one column more: the probability that a chi-squared variable of `df` degrees of freedom exceeds
 * `statistic`. NULL where either is NULL or `df` is 0.
 */
export function withChiSquaredTail(source: string, statistic: string, df: string, as: string): string {
  const a = '"tail.a"'
  const x = '"tail.x"'
  const front = '"tail.front"'
  const named = `SELECT *, CAST(${quoteName(df)} AS DOUBLE) / 2 AS ${a}, CAST(${quoteName(statistic)} AS DOUBLE) / 2 AS ${x} FROM (${source}) AS tail0`
  const excess = `((${x} - ${a}) / ${a})`
  const stirling = `(1 / (12 * ${a}) - 1 / (360 * pow(${a}, 3)) + 1 / (1260 * pow(${a}, 5)) - 1 / (1680 * pow(${a}, 7)))`
  // x^a e^-x / gamma(a + 1)
  const prefactor = `CASE WHEN ${x} = 0 THEN 0 WHEN ${a} < ${LARGE} THEN exp(${a} * ln(${x}) - ${x} - lgamma(${a} + 1)) ELSE exp(-${a} * (${excess} - (${log1p(excess)})) - ${stirling}) / sqrt(2 * pi() * ${a}) END`
  const fronted = `SELECT *, CASE WHEN ${a} > 0 AND ${x} >= 0 THEN ${prefactor} END AS ${front}, CAST(ceil(100 + 10 * sqrt(${a})) AS BIGINT) AS "tail.n" FROM (${named}) AS tail1`
  const ratios = `list_transform(range(1, "tail.n"), lambda m: [${x} / (${a} + m), 0])`
  const series = `list_reduce(${ratios}, lambda acc, e: [acc[1] * e[1], acc[2] + acc[1] * e[1]], [CAST(1 AS DOUBLE), 1])[2]`
  const terms = `list_transform(range(1, "tail.n"), lambda m: [-m * (m - ${a}), ${x} + 1 - ${a} + 2 * m, 0])`
  const step =
    'lambda acc, e: [e[2] + e[1] / acc[1], 1 / (e[1] * acc[2] + e[2]), acc[3] * (e[2] + e[1] / acc[1]) / (e[1] * acc[2] + e[2])]'
  const first = `1 / (${x} + 1 - ${a})`
  const fraction = `list_reduce(${terms}, ${step}, [CAST(1e300 AS DOUBLE), ${first}, ${first}])[3]`
  const tail = `CASE WHEN ${front} IS NULL THEN NULL WHEN ${x} < ${a} + 1 THEN 1 - ${front} * ${series} WHEN ${front} = 0 THEN 0 ELSE ${front} * ${a} * ${fraction} END`
  return `SELECT * EXCLUDE (${a}, ${x}, ${front}, "tail.n"), CASE WHEN ${a} > 0 AND ${x} >= 0 THEN greatest(0, least(1, ${tail})) END AS ${quoteName(as)} FROM (${fronted}) AS tail2`
}

/**
 * The rows of `source` with one column more: the probability that a Student variable of `df` degrees of freedom is further from
 * 0 than `statistic`, on either side. NULL where either is NULL or `df` is not positive.
 */
export function withStudentTail(source: string, statistic: string, df: string, as: string): string {
  const a = '"tail.a"'
  const u = '"tail.u"'
  const near = '"tail.near"'
  const t = `CAST(${quoteName(statistic)} AS DOUBLE)`
  const named = `SELECT *, CAST(${quoteName(df)} AS DOUBLE) / 2 AS ${a}, pow(${t}, 2) / ${quoteName(df)} AS ${u} FROM (${source}) AS tail0`
  const x = `(1 / (1 + ${u}))`
  const y = `(${u} / (1 + ${u}))`
  const stirling = `0.5 * ln(${a}) - 1 / (8 * ${a}) + 1 / (192 * pow(${a}, 3)) - 1 / (640 * pow(${a}, 5)) + 17 / (14336 * pow(${a}, 7)) - 31 / (18432 * pow(${a}, 9))`
  const ratio = `CASE WHEN ${a} < ${LARGE} THEN lgamma(${a} + 0.5) - lgamma(${a}) ELSE ${stirling} END`
  // x^a y^(1/2) / beta(a, 1/2)
  const prefactor = `sqrt(${y}) * exp((${ratio}) - ${a} * (${log1p(u)})) / sqrt(pi())`
  const finite = `CASE WHEN ${a} > 0 AND isfinite(${u}) THEN ${prefactor} END AS "tail.front"`
  const fronted = `SELECT *, ${finite}, ${x} >= (${a} + 1) / (${a} + 2.5) AS ${near}, CAST(ceil(100 + 10 * sqrt(${a})) AS BIGINT) AS "tail.n" FROM (${named}) AS tail1`
  const sided = `SELECT *, CASE WHEN ${near} THEN 0.5 ELSE ${a} END AS "tail.p", CASE WHEN ${near} THEN ${a} ELSE 0.5 END AS "tail.q", CASE WHEN ${near} THEN ${y} ELSE ${x} END AS "tail.z" FROM (${fronted}) AS tail2`
  const even = '[m * ("tail.q" - m) * "tail.z" / (("tail.p" - 1 + 2 * m) * ("tail.p" + 2 * m)), 0, 0]'
  const odd =
    '[-("tail.p" + m) * ("tail.p" + "tail.q" + m) * "tail.z" / (("tail.p" + 2 * m) * ("tail.p" + 1 + 2 * m)), 0, 0]'
  const terms = `flatten(list_transform(range(1, "tail.n"), lambda m: [${even}, ${odd}]))`
  const step =
    'lambda acc, e: [1 + e[1] / acc[1], 1 / (1 + e[1] * acc[2]), acc[3] * (1 + e[1] / acc[1]) / (1 + e[1] * acc[2])]'
  const first = '1 / (1 - ("tail.p" + "tail.q") * "tail.z" / ("tail.p" + 1))'
  const fraction = `list_reduce(${terms}, ${step}, [CAST(1 AS DOUBLE), ${first}, ${first}])[3]`
  const part = `"tail.front" / "tail.p" * ${fraction}`
  const infinite = `CASE WHEN ${a} > 0 AND isinf(${u}) THEN 0 END`
  const tail = `CASE WHEN "tail.front" IS NULL THEN ${infinite} WHEN ${near} THEN 1 - ${part} WHEN "tail.front" = 0 THEN 0 ELSE ${part} END`
  const own = [a, u, near, '"tail.front"', '"tail.n"', '"tail.p"', '"tail.q"', '"tail.z"'].join(', ')
  return `SELECT * EXCLUDE (${own}), CASE WHEN ${a} > 0 AND NOT isnan(${u}) THEN greatest(0, least(1, ${tail})) END AS ${quoteName(as)} FROM (${sided}) AS tail3`
}
