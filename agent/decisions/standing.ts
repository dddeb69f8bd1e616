import type { fields, Refusal } from '../../protocol/documents/index.ts'
import { type Members, ownStanding, standingOf } from '../membership/index.ts'
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

/** What has to hold of the agents and the user of a contract each time that its going on is asked about. */
export function refuseParties(
  { members, self }: { members: Members; self: { peer: string } },
  { parties, user }: { parties: readonly { peer: string; organisation: string }[]; user: fields.User }
): Refusal | null {
  const others = parties.filter(({ peer }) => peer !== self.peer)
  for (const unfit of [
    ownStanding(members),
    ...others.map(({ peer, organisation }) => standingOf(members, peer, organisation))
  ])
    if (unfit !== null) return refuse(unfit.code, unfit.reason)
  if (members.speaksFor(user.organisation, user.name)) return null
  return refuse(
    'consumer-not-permitted',
    `the membership of ${user.organisation} does not speak for ${user.name} any more`
  )
}
