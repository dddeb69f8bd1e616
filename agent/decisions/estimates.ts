import type { OfferDetails, Payload, Resources } from '../../protocol/documents/index.ts'
import { estimateJob, roundedUp } from '../composition/index.ts'
import type { Datasets } from '../datasets/index.ts'

const BYTES_PER_CELL = 8

/** From the stored profile: blind to literals, and powers of two. Who may not ask learns no size either. */
export function estimatesOf(
  request: Payload<'request'>,
  here: { datasets: Datasets; resources: Resources; granted: boolean; load: number }
): OfferDetails['estimates'] {
  const { datasets, resources, granted, load } = here
  const tables = granted ? request.datasets.flatMap((id) => datasets.get(id)?.tables ?? []) : []
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  const cells = tables.reduce((sum, table) => sum + table.rows * table.columns.length, 0)
  const estimate = estimateJob(rows, resources)
  return {
    rows: roundedUp(rows),
    bytes: roundedUp(cells * BYTES_PER_CELL),
    milliseconds: roundedUp(estimate.milliseconds),
    millijoules: roundedUp(estimate.millijoules),
    carbon: roundedUp(estimate.carbon),
    cost: roundedUp(estimate.cost),
    load
  }
}
