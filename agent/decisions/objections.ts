import { type Payload, type Refusal, type RefusalCode, refusalCode } from '../../protocol/documents/index.ts'
import type { Agreements } from '../agreements/index.ts'
import type { Members } from '../membership/index.ts'
import type { Dossier, Objection } from '../negotiation/index.ts'
import { refuse } from './components.ts'
import { decisionEntry } from './facts.ts'

type Trust = Pick<Members, 'statusTooOld' | 'whyNot' | 'organisationOf'>
type Self = { peer: string; organisation: string }

/** Why somebody is not, or no longer, to be dealt with. */
function standingCode(members: Trust, peer: string): RefusalCode {
  const code = refusalCode.safeParse(members.whyNot(peer))
  return code.success ? code.data : 'not-member'
}

function lost(code: RefusalCode, peer: string, organisation: string): Refusal {
  switch (code) {
    case 'expelled':
      return refuse(code, `${peer} of ${organisation} was expelled from the marketplace`)
    case 'membership-expired':
      return refuse(code, `the membership of ${organisation} has ended`)
    default:
      return refuse(code, `${peer} is not known here as an agent of ${organisation}`)
  }
}

/** Whether this agent may act at all, and on nobody's list stands anything against the parties of a contract. */
export function standingObjection(
  members: Trust,
  self: Self,
  { parties }: Pick<Payload<'contract'>, 'parties'>
): Objection | null {
  if (members.whyNot(self.peer) !== undefined)
    return {
      refusal: lost(standingCode(members, self.peer), self.peer, self.organisation),
      hop: self.peer
    }
  if (members.statusTooOld())
    return {
      refusal: refuse('status-list-too-old', `the status list of ${self.organisation} is too old to act on`),
      hop: self.peer
    }
  for (const { peer, organisation } of parties) {
    if (peer === self.peer || members.organisationOf(peer) === organisation) continue
    return { refusal: lost(standingCode(members, peer), peer, organisation), hop: peer }
  }
  return null
}

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
  contract: string
): void {
  if (dossier.told(contract).some((one) => one.question === 'continue')) return
  const clauses = [refusal.clause ?? refusal.code]
  const verdict = { verdict: 'deny' as const, refusal, clauses, detail: null, policy }
  dossier.decided(decisionEntry(now, dossier.request.id, contract, 'continue', verdict))
}
