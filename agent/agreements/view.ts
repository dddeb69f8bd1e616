import { describeAgreement, unenforceableClauses } from '../../policy/index.ts'
import { instantText } from '../../protocol/errors/index.ts'
import type { AgreementView } from '../api/index.ts'
import type { AgreementState } from '../store/index.ts'
import type { Agreement } from './agreement.ts'
import { revocationClause } from './ending.ts'
import type { AgreementRecords } from './proposals.ts'

/** An agreement as it stands here. */
export interface Known {
  agreement: Agreement
  state: AgreementState
  signedBy: string[]
  proposedBy?: string
}

const NOTHING: AgreementRecords = { refusals: [], revocations: [], undelivered: [], left: [] }

/** An agreement as people see it: exact terms, and plain words made from the same terms; what its parties said of it. */
export function viewAgreement(
  { agreement, state, signedBy, proposedBy }: Known,
  now: number,
  records: AgreementRecords = NOTHING
): AgreementView {
  const { name, provider, dataset, parties, terms, supersedes, counters, issuedAt } = agreement.payload
  const unenforceable = unenforceableClauses(terms).map((one) => `${one.clause}: ${one.reason}`)
  const ofThis = <T extends { agreement: string }>(rows: readonly T[]) =>
    rows.filter((row) => row.agreement === agreement.id)
  const refusals = ofThis(records.refusals).map(({ organisation, reason }) => ({ organisation, reason }))
  const [revocation] = ofThis(records.revocations)
  const [left] = ofThis(records.left)
  const unheard = ofThis(records.undelivered).flatMap(({ party, problem, gaveUp }) =>
    problem === null ? [] : [{ organisation: party, reason: problem, gaveUp: gaveUp === 1 }]
  )
  return {
    id: agreement.id,
    name,
    provider,
    dataset,
    parties,
    signedBy,
    state: stateOf(state, terms.valid, unenforceable.length > 0, now),
    unenforceable,
    plain: describeAgreement({ name, provider, dataset, terms }),
    terms,
    issued: instantText(issuedAt),
    ...(proposedBy === undefined ? {} : { proposedBy }),
    ...(supersedes === undefined ? {} : { supersedes }),
    ...(counters === undefined ? {} : { counters }),
    ...(agreement.standing === undefined ? {} : { standing: agreement.standing.payload.name }),
    ...(left === undefined ? {} : { replacedBy: left.organisation }),
    ...(refusals.length === 0 ? {} : { refusals }),
    ...(revocation === undefined
      ? {}
      : {
          revocation: {
            organisation: revocation.organisation,
            reason: revocation.reason,
            effect: revocationClause(agreement.payload).effect,
            ends: instantText(revocation.endsAt)
          }
        }),
    ...(unheard.length === 0 ? {} : { undelivered: unheard })
  }
}

function stateOf(
  stored: AgreementState,
  valid: { from?: number | undefined; until?: number | undefined },
  unenforceable: boolean,
  now: number
): AgreementView['state'] {
  if (stored !== 'in-force') return stored
  if (valid.until !== undefined && now >= valid.until) return 'expired'
  if (valid.from !== undefined && now < valid.from) return 'not-yet-valid'
  return unenforceable ? 'not-enforceable' : 'in-force'
}
