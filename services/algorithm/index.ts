/** What an algorithm is: a folder here with a manifest, and an `index.ts` that exports `algorithm`. */

export type { Algorithm, AlgorithmInput, Phase } from './algorithm.ts'
export { algorithmRefused, columnNamed, onlyParameters } from './algorithm.ts'
// what a job needs that lets only some of an algorithm's state leave
export { roundedState } from './average/index.ts'
export {
  atMostCells,
  columnsNamed,
  decimalPlaces,
  emptyCell,
  groupBy,
  keyList,
  namesOf,
  numeric,
  oneColumn,
  orderBy,
  TOO_LARGE,
  unscaled,
  wholeNumber,
  wholeOnly,
  withCellsLeftOut
} from './columns.ts'
export { type Decimal, decimalParameter } from './decimal.ts'
export { withBins } from './histogram/index.ts'
export { pairsOf, travelling, withoutRanges } from './moments/index.ts'
