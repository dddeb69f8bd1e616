import type { AgreementDraft, Finding } from '../../policy/index.ts'
import { anonymizeProblems, type Dataset, tablesCountedByRows } from '../datasets/index.ts'

/**
 * Whether the columns of the provider's own dataset can become what the clause `anonymize` says; without types nobody can
 * tell, and the hop would refuse each request `anonymize-parameters`.
 *
 * @param found what was found already: where names or tables are wrong, nothing is added
 */
export function checkAnonymised(
  draft: AgreementDraft,
  dataset: Dataset,
  found: readonly Finding[]
): Finding[] {
  if (found.some(({ level, clause }) => level === 'error' && /^(tables|anonymize)/.test(clause))) return []
  const placeOf = (clause: string) => {
    const key = draft.lines[clause] === undefined ? 'anonymize' : clause
    const line = draft.lines[key]
    const column = draft.columns?.[key]
    return { ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) }
  }
  const finding = (level: Finding['level'], clause: string, message: string): Finding => ({
    level,
    clause,
    message,
    ...placeOf(clause)
  })
  return [
    ...anonymizeProblems(draft.terms, dataset).map(({ clause, message }) =>
      finding('error', clause, message)
    ),
    ...tablesCountedByRows(draft.terms, dataset).map((table) =>
      finding(
        'warning',
        'anonymize.k',
        `table "${table}" has no subject, so k counts rows: somebody with several rows counts as several`
      )
    )
  ]
}
