import type { Caller } from './caller.ts'
import { ApiProblem } from './problem.ts'

/** What a user may do through the API besides asking and reading, which all may. */
export type Role = 'steward' | 'operator'

/** Which roles a user of this agent has. */
export interface Roles {
  rolesOf(user: string): readonly Role[]
}

/** @throws {ApiProblem} 403 saying which role is needed and how to get it */
export function assertRole(
  { user }: Caller,
  roles: Roles,
  { wanted, what }: { wanted: Role | readonly Role[]; what: string }
): void {
  const anyOf = [wanted].flat()
  if (roles.rolesOf(user).some((role) => anyOf.includes(role))) return
  const who = anyOf.join(' or ')
  const keys = anyOf.map((role) => `${role}s`).join(' or ')
  throw new ApiProblem(
    403,
    'role-required',
    `expected the token of a ${who} of this agent to ${what}, found that of ${user}; use another with --token FILE, or have ${user} listed under ${keys} in agent.yaml and the agent started again`
  )
}
