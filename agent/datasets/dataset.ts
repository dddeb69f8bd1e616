import type { SourceTable } from '../../services/index.ts'
import type { DatasetConfig } from '../config/index.ts'

/** A dataset of this organisation, with what its files were found to hold. */
export interface Dataset {
  config: DatasetConfig
  /** Tables as an agreement may show them: names and types, in the order of the files. */
  tables: { name: string; rows: number; columns: { name: string; type: string }[] }[]
  sources: SourceTable[]
}
