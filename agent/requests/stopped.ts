import { refusalCode } from '../../protocol/documents/index.ts'
import type { StopView } from '../api/index.ts'
import type { RequestRecord } from './record.ts'

/** Why a party took back what it had permitted, for people. */
export function explainStop(code: string, hop: string): string | null {
  switch (code) {
    case 'agreement-revoked':
      return `the agreement with ${hop} was revoked while this ran`
    case 'agreement-superseded':
      return `a newer version of the agreement with ${hop} came into force while this ran; ask again under it`
    case 'agreement-expired':
      return `the agreement with ${hop} ended while this ran`
    case 'expelled':
      return `${hop} was expelled from the marketplace`
    case 'membership-expired':
      return `the membership of ${hop} has ended`
    case 'status-list-too-old':
      return `the status list of ${hop} became too old to act on`
    case 'policy-changed':
      return `${hop} has other rules now than when this started, and they forbid it`
    case 'policy-forbids':
      return `a rule of ${hop} forbids that this goes on`
    case 'approval-refused':
      return `${hop} took its approval back`
    case 'release-refused':
      return `${hop} refused to release the result`
    default:
      return null
  }
}

/**
 * Who stopped a request that had started, when, and why: parties' own signed words, whatever became of the request; where
 * there are none, what the recipient signed about the one it blames.
 */
export function stopsOf(record: RequestRecord, organisationOf: (peer: string) => string): StopView[] {
  const { dossier, coordinator } = record
  const view = (hop: string, code: string, at: number): StopView[] => {
    const message = explainStop(code, hop)
    return message === null || !refusalCode.safeParse(code).success
      ? []
      : [{ hop, code, at: new Date(at).toISOString(), message }]
  }
  const own = [...dossier.outcomes.values()].flatMap(({ payload }) => {
    const { result, organisation, hop, code, issuedAt } = payload
    const said = result === 'expired' && code !== null && hop === organisation
    return said ? view(organisation, code, issuedAt) : []
  })
  const stage = coordinator?.stage
  if (own.length > 0 || stage?.phase !== 'ended' || !coordinator?.plans.some((plan) => plan.started))
    return own
  const { signer, code, hop } = stage.outcome
  const signed = signer === null ? undefined : dossier.outcomes.get(signer)
  if (signed === undefined || code === null || hop === null) return own
  return view(organisationOf(hop), code, signed.payload.issuedAt)
}
