import type { Approval } from '../../policy/index.ts'
import type { OfferDetails, Payload, RowAnswer } from '../../protocol/documents/index.ts'
import { estimateJob, roundedUp } from '../composition/index.ts'
import type { DecisionsComponents, DecisionsInit } from './components.ts'
import type { Inspected } from './inspection.ts'
import { approvalNote } from './must-approve.ts'

/** Rows that would run under one agreement, as far as they are permitted in the end. */
export interface Grant {
  agreement: { id: string; name: string }
  rows: number[]
  inspected: Inspected
}

const BYTES_PER_CELL = 8

/** What the asker alone gets beside the answers. */
export function detailsOf(
  request: Payload<'request'>,
  answered: {
    rows: readonly RowAnswer[]
    grants: Iterable<Grant>
    approvals: Readonly<Record<string, Approval>>
    load: number
  },
  init: Pick<DecisionsInit, 'resources'>,
  components: Pick<DecisionsComponents, 'agreements' | 'datasets'>
): OfferDetails {
  const permitted = new Set(answered.rows.flatMap((row) => (row.verdict === 'permit' ? [row.row] : [])))
  const grants = [...answered.grants]
    .map((grant) => ({ ...grant, rows: grant.rows.filter((row) => permitted.has(row)) }))
    .filter((grant) => grant.rows.length > 0)
  const notes = grants.flatMap(({ agreement: { id } }) =>
    approvalNote(components.agreements.get(id), answered.approvals[id])
  )
  return {
    grants: grants.map(({ agreement, rows, inspected }) => ({ agreement, rows, columns: inspected.columns })),
    estimates: { ...estimatesOf(request, grants.length > 0, init, components), load: answered.load },
    notes: [...notesOf(grants.map((grant) => grant.inspected)), ...notes]
  }
}

/** From the stored profile: blind to literals, and powers of two. Who may not ask learns no size either. */
function estimatesOf(
  request: Payload<'request'>,
  granted: boolean,
  { resources }: Pick<DecisionsInit, 'resources'>,
  { datasets }: Pick<DecisionsComponents, 'datasets'>
): Omit<OfferDetails['estimates'], 'load'> {
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
    cost: roundedUp(estimate.cost)
  }
}

function notesOf(inspected: readonly Inspected[]): string[] {
  const found = new Set(inspected.flatMap((one) => one.perProvider))
  return [...found].map((clause) => `${clause.toUpperCase()} acts per provider`)
}
