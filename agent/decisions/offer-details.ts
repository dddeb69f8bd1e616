import type { Approval } from '../../policy/index.ts'
import type { OfferDetails, Payload, RowAnswer } from '../../protocol/documents/index.ts'
import { anonymityNotes } from './anonymity.ts'
import type { DecisionsComponents, DecisionsInit } from './components.ts'
import { estimatesOf } from './estimates.ts'
import type { GrantedRows } from './granted.ts'
import { grantedColumns } from './granted-columns.ts'
import type { Inspected } from './inspection.ts'
import { approvalNote } from './must-approve.ts'

const MAX_NOTES = 64

/** What the asker alone gets beside the answers. */
export function detailsOf(
  request: Payload<'request'>,
  answered: {
    rows: readonly RowAnswer[]
    grants: Iterable<GrantedRows>
    approvals: Readonly<Record<string, Approval>>
    load: number
  },
  { resources }: Pick<DecisionsInit, 'resources'>,
  components: DecisionsComponents
): OfferDetails {
  const { agreements, datasets } = components
  const permitted = new Set(answered.rows.flatMap((row) => (row.verdict === 'permit' ? [row.row] : [])))
  // A row that one part of the decision permitted may have been refused by another.
  const grants = [...answered.grants]
    .map((grant) => ({ ...grant, rows: grant.rows.filter((row) => permitted.has(row)) }))
    .filter((grant) => grant.rows.length > 0)
  const ids = [...new Set(grants.flatMap((one) => one.grants.map(({ agreement }) => agreement.id)))]
  return {
    grants: grants.map(({ grants: granting, rows, inspected }) => ({
      agreements: granting.map(({ agreement: { id, payload } }) => ({
        dataset: payload.dataset,
        id,
        name: payload.name
      })),
      rows: rows.sort((one, other) => one - other),
      columns: grantedColumns(
        inspected.columns,
        granting.map(({ dataset }) => dataset)
      )
    })),
    estimates: estimatesOf(request, {
      datasets,
      resources,
      granted: grants.length > 0,
      load: answered.load
    }),
    notes: [
      ...(components.notes?.() ?? []),
      ...notesOf(grants.map((grant) => grant.inspected)),
      ...anonymityNotes(components, request, ids),
      ...ids.flatMap((id) => approvalNote(agreements.get(id), answered.approvals[id]))
    ].slice(0, MAX_NOTES)
  }
}

function notesOf(inspected: readonly Inspected[]): string[] {
  const found = new Set(inspected.flatMap((one) => one.perProvider))
  return [...found].map((clause) => `${clause.toUpperCase()} acts per provider`)
}
