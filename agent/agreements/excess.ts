import { type AgreementDraft, excessOver, type Finding } from '../../policy/index.ts'
import type { Dataset } from '../datasets/index.ts'

/** What a request brought stays under the terms that it came with: an agreement about it that is wider is void. */
export function checkExcess(draft: AgreementDraft, { config }: Pick<Dataset, 'config'>): Finding[] {
  const { madeFrom } = config
  if (madeFrom === undefined) return []
  return excessOver(madeFrom.terms, draft.terms, draft.provider).map(({ clause, message }) => {
    const line = draft.lines[clause] ?? draft.lines[clause.split('.')[0] ?? clause]
    return { level: 'error', clause, message, ...(line === undefined ? {} : { line }) }
  })
}
