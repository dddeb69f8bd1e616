import type { fields, Refusal } from '../../protocol/documents/index.ts'
import { type Members, ownStanding, standingOf } from '../membership/index.ts'
import type { Objection } from '../negotiation/index.ts'
import { refuse } from './components.ts'

/** Why this hop acts for nobody. */
export function refuseAll({ members }: { members: Members }): Refusal | null {
  const unfit = ownStanding(members)
  return unfit === null ? null : refuse(unfit.code, unfit.reason)
}

/** Why nothing goes to or comes from the agent at the other end of a flow. */
export function refuseFlowWith({ members }: { members: Members }, peer: string): Refusal | null {
  const unfit = ownStanding(members) ?? standingOf(members, peer)
  return unfit === null ? null : refuse(unfit.code, unfit.reason)
}

/**
 * What has to hold of the agents and the user of a contract each time that its going on is asked about; and whose fault it is
 * when it does not.
 */
export function objectionToParties(
  { members, self }: { members: Members; self: { peer: string } },
  { parties, user }: { parties: readonly { peer: string; organisation: string }[]; user: fields.User }
): Objection | null {
  const own = ownStanding(members)
  if (own !== null) return { refusal: refuse(own.code, own.reason), hop: self.peer }
  for (const { peer, organisation } of parties) {
    const unfit = peer === self.peer ? null : standingOf(members, peer, organisation)
    if (unfit !== null) return { refusal: refuse(unfit.code, unfit.reason), hop: peer }
  }
  if (members.speaksFor(user.organisation, user.name)) return null
  const reason = `the membership of ${user.organisation} does not speak for ${user.name} any more`
  return { refusal: refuse('consumer-not-permitted', reason), hop: self.peer }
}
