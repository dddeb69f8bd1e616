import type { AgreementDraft, Finding } from '../../policy/index.ts'
import { type Dataset, unprotectable } from '../datasets/index.ts'

const NAMED = 10

/**
 * Whether the people behind the provider's own dataset can be protected as the clause `output` says: it must be known of each
 * table whom its rows are about, and a sum tells less of one person where the values of its column have declared bounds.
 *
 * @param found what was found already: where tables are wrong, nothing is added
 */
export function checkProtected(
  draft: AgreementDraft,
  dataset: Dataset,
  found: readonly Finding[]
): Finding[] {
  if (found.some(({ level, clause }) => level === 'error' && /^(tables|output)/.test(clause))) return []
  const { tables, unbounded, shown } = unprotectable(draft.terms, dataset)
  const line = draft.lines.output
  const column = draft.columns?.output
  const finding = (level: Finding['level'], clause: string, message: string): Finding => ({
    level,
    clause,
    message,
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column })
  })
  const whose =
    'no column that tells whom its rows are about: name it in `output.unit`, or as `subject` in the dataset'
  if (tables.length > 0 && tables.length === shown)
    return [finding('error', 'output.unit', `no table has one; ${whose}. Every request would be refused`)]
  return [
    ...tables.map((table) =>
      finding('warning', 'output.unit', `table "${table}" has ${whose}. No query that reads it is answered`)
    ),
    ...(unbounded.length === 0
      ? []
      : [
          finding(
            'warning',
            'output',
            `nothing bounds the values of ${unbounded.slice(0, NAMED).join(', ')}${unbounded.length > NAMED ? ' and others' : ''}: one person may weigh any amount in a sum. \`min\` and \`max\` of a column in the dataset's file bound it`
          )
        ])
  ]
}
