import type { RefusalCode } from '../../protocol/documents/index.ts'
import type { Members } from './members.ts'

export interface Unfit {
  readonly code: RefusalCode
  readonly reason: string
}

const SAYS: Readonly<Record<string, RefusalCode>> = {
  expelled: 'expelled',
  'membership-expired': 'membership-expired'
}

/** Why this agent acts for nobody: it is no member any more, or cannot tell who still is. */
export function ownStanding(members: Members): Unfit | null {
  const { organisation } = members.lastOwn.payload
  const code = members.whyNot(members.self)
  if (code !== undefined)
    return { code: SAYS[code] ?? 'not-member', reason: `${organisation} is no member any more: ${code}` }
  if (!members.statusTooOld()) return null
  return { code: 'status-list-too-old', reason: `the status list of ${organisation} is too old to act on` }
}

/** Why this agent does not act with another, which it was told is one of `organisation`. */
export function standingOf(members: Members, peer: string, organisation?: string): Unfit | null {
  const code = members.whyNot(peer)
  if (code === undefined && (organisation === undefined || members.organisationOf(peer) === organisation))
    return null
  const named = organisation ?? 'a member'
  const ended = code === undefined ? undefined : SAYS[code]
  return ended === undefined
    ? { code: 'not-member', reason: `${peer} is not known here as an agent of ${named}` }
    : { code: ended, reason: `${peer} is no agent of ${named} any more: ${ended}` }
}
