import type { Payload } from '../../protocol/documents/index.ts'
import type { StoredRevocation } from '../store/index.ts'
import type { Agreement } from './agreement.ts'

/** How an agreement came to its end, or will come to it. */
export interface Ending {
  /** Its id. */
  agreement: string
  name: string
  provider: string
  dataset: string
  why: 'revoked' | 'superseded' | 'expired'
  /** What becomes of exchanges that run under it: they stop, or they may finish. Nothing new begins either way. */
  effect: 'stop' | 'finish'
  /** The organisation that revoked it. */
  by: string | null
  reason: string | null
  /** From this instant on it is in force no longer. */
  at: number
}

/** What its clause says; left out: what runs stops, without notice. */
export function revocationClause({ terms }: Pick<Payload<'agreement'>, 'terms'>): {
  effect: 'stop' | 'finish'
  notice: number
} {
  return terms.revocation ?? { effect: 'stop', notice: 0 }
}

function endingOf(
  { id, payload }: Agreement,
  fields: Pick<Ending, 'why' | 'by' | 'reason' | 'at' | 'effect'>
): Ending {
  const { name, provider, dataset } = payload
  return { agreement: id, name, provider, dataset, ...fields }
}

/** When several parties revoke one, the earliest end counts. */
export function revoked(
  agreement: Agreement,
  { organisation: by, reason, endsAt: at }: StoredRevocation
): Ending {
  const { effect } = revocationClause(agreement.payload)
  return endingOf(agreement, { why: 'revoked', effect, by, reason, at })
}

export function superseded(agreement: Agreement, at: number): Ending {
  const { effect } = revocationClause(agreement.payload)
  return endingOf(agreement, { why: 'superseded', effect, by: null, reason: null, at })
}

/** Its parties agreed on that instant: nothing runs beyond it. */
export function expired(agreement: Agreement, at: number): Ending {
  return endingOf(agreement, { why: 'expired', effect: 'stop', by: null, reason: null, at })
}
