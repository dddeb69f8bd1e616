/**
 * Means, variances and covariances of pairs of columns, as states that can be merged.
 *
 * Why not plain sums of products: with a mean far from 0 their difference has no digits left, and squares of large doubles are no
 * doubles. Each party sums products of deviations from its own mean, scaled by a power of two to about 1; merging adds what lies
 * between the parties' means (Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance"). Variances are sums of
 * terms that cannot cancel, and the error of a covariance is 2^-50 of the product of both standard deviations.
 * A party's sums are of whole numbers of 2^-88, so no order of rows changes a bit of them; parties are added in the order of
 * their states, so neither does who came first.
 */
export { columnMoments } from './by-column.ts'
export { pairMoments } from './by-pair.ts'
export { inUnits, mergeMoments, readMoments, withoutRanges } from './merge.ts'
export { type Pair, pairsOf, travelling } from './state.ts'
