import type { DatasetDescription } from '../../protocol/documents/index.ts'

export interface Offered {
  peer: string
  organisation: string
  dataset: DatasetDescription
}
