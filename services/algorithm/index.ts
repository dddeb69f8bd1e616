/** What an algorithm is: a folder here with a manifest, and an `index.ts` that exports `algorithm`. */

export type { Algorithm, AlgorithmInput, Phase } from './algorithm.ts'
export { algorithmRefused, columnNamed, onlyParameters } from './algorithm.ts'
export {
  atMostCells,
  columnsNamed,
  decimalPlaces,
  groupBy,
  keyList,
  namesOf,
  numeric,
  oneColumn,
  orderBy,
  TOO_LARGE,
  unscaled,
  wholeNumber,
  wholeOnly
} from './columns.ts'
export { type Decimal, decimalParameter } from './decimal.ts'
