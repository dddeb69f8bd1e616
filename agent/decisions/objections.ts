import type { Refusal } from '../../protocol/documents/index.ts'
import type { Agreements } from '../agreements/index.ts'
import type { Basis } from '../audit/index.ts'
import type { Dossier, Objection } from '../negotiation/index.ts'
import { refuse } from './components.ts'
import { decisionEntry } from './decision-entry.ts'

/** Why there is nothing in force any more under which a contract was made; told to its parties, who signed it too. */
export function endedAgreement(id: string, agreements: Pick<Agreements, 'ending'>): Refusal {
  const ending = agreements.ending(id)
  if (ending === undefined) return refuse('no-agreement', 'the agreement is no longer in force')
  const { name, why, by, at } = ending
  const when = new Date(at).toISOString()
  switch (why) {
    case 'revoked':
      return refuse(
        'agreement-revoked',
        `agreement ${name} was revoked${by === null ? '' : ` by ${by}`}; it ended ${when}`
      )
    case 'superseded':
      return refuse('agreement-superseded', `a newer version of agreement ${name} is in force since ${when}`)
    case 'expired':
      return refuse('agreement-expired', `agreement ${name} ended ${when}`)
  }
}

/** Rules forbid what they permitted at the start: other rules than then, unless only time has passed. */
export function sinceStart({ refusal, hop }: Objection, then: string | undefined, now: string): Objection {
  if (refusal.code !== 'policy-forbids' || then === undefined || then === now) return { refusal, hop }
  return {
    refusal: { ...refusal, code: 'policy-changed', reason: `the rules have changed: ${refusal.reason}` },
    hop
  }
}

/** Puts in the log that what was permitted is so no longer. A verdict that did not change is no entry. */
export function noteStop(
  { refusal }: Objection,
  policy: string,
  now: number,
  dossier: Dossier,
  contract: string,
  basis: Basis | undefined
): void {
  if (dossier.told(contract).some((one) => one.question === 'continue')) return
  const clauses = [refusal.clause ?? refusal.code]
  const verdict = { verdict: 'deny' as const, refusal, clauses, detail: null, policy }
  dossier.decided(decisionEntry(now, dossier.request.id, contract, 'continue', verdict), basis)
}
