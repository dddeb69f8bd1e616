/** The organisation's own datasets: files described by a steward, profiled in jobs, described to others without values. */
export { anonymizeByDataset, type ShownDataset } from './anonymize.ts'
export { DatasetMissing, DatasetReplaced } from './errors.ts'
export { type Dataset, Datasets, type DatasetsInit, profileTables } from './registry.ts'
