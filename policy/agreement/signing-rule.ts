import { z } from 'zod'
import type { Terms } from '../../protocol/documents/index.ts'
import { AgreementMalformed } from './errors.ts'
import { parseAgreement, type ResolveUser } from './parse.ts'

/** What an agent may sign without asking a human: agreements that one organisation proposed, no wider than these terms. */
export interface SigningRule {
  from: string
  dataset: string
  terms: Terms
}

const head = z.looseObject({ from: z.string(), dataset: z.string() })

/**
 * A rule as it is written: `from`, `dataset` (`"*"`: any) and clauses as in an agreement, where nothing is open by omission
 * either. `consumers` left out are everybody at `from`; they count only where own data is opened.
 *
 * @throws {AgreementMalformed} with every problem
 */
export function parseSigningRule(written: unknown, place: string, resolveUser: ResolveUser): SigningRule {
  const parsed = head.safeParse(written)
  if (!parsed.success)
    throw new AgreementMalformed(place, [
      {
        level: 'error',
        clause: parsed.error.issues[0]?.path.join('.') ?? '',
        message: 'expected {from: ORGANISATION, dataset: NAME, purposes: […], …}'
      }
    ])
  const { from, dataset, ...clauses } = parsed.data
  const asAgreement = {
    consumers: [{ organisation: from }],
    ...clauses,
    agreement: 'rule',
    provider: from,
    dataset: dataset === '*' ? 'any' : dataset
  }
  const { terms } = parseAgreement(JSON.stringify(asAgreement), place, resolveUser)
  return { from, dataset, terms }
}
