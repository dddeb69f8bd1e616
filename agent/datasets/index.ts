/** The organisation's own datasets: files described by a steward, profiled in jobs, described to others without values. */

export {
  anonymisedOf,
  anonymisedSchema,
  anonymizeByDataset,
  anonymizeNotes,
  anonymizeParameters,
  anonymizeProblems,
  givesPseudonyms,
  type ShownDataset,
  tablesCountedByRows,
  tablesToRead
} from './anonymize.ts'
export type { Dataset } from './dataset.ts'
export { AnonymizeImpossible, DatasetMissing, DatasetReplaced } from './errors.ts'
export { Datasets, type DatasetsInit, profileTables } from './registry.ts'
export { type ProtectedDatasets, protectedDatasets, unprotectable, withUnitColumns } from './units.ts'
