import type { ArchetypeBody } from '../../protocol/documents/index.ts'

/** Who plays which role, by peer. */
export interface Players {
  data: readonly string[]
  /** Empty where each data provider is its own infrastructure. */
  infrastructure: readonly string[]
  recipient: readonly string[]
}

const PLAYED = ['data', 'infrastructure', 'recipient'] as const

/** Is each data provider its own infrastructure under this archetype? */
export function computesAtData(archetype: ArchetypeBody): boolean {
  return archetype.where.some((condition) => {
    const [left, operator, right] = condition.split(' ')
    return operator === '==' && [left, right].sort().join() === 'data,infrastructure'
  })
}

/**
 * Why these parties are none that the archetype allows; undefined when they are. `==` means that the same parties play both
 * roles, `!=` that nobody plays both. A condition that cannot be checked is not met.
 */
export function playersProblem(archetype: ArchetypeBody, players: Players): string | undefined {
  const { data, recipient } = players
  const infrastructure = computesAtData(archetype) ? data : players.infrastructure
  const byRole = new Map<string, readonly string[]>(Object.entries({ data, infrastructure, recipient }))
  const crowded = PLAYED.find(
    (role) => archetype.roles[role] === 'one' && (byRole.get(role)?.length ?? 0) > 1
  )
  if (crowded !== undefined)
    return `${archetype.name} takes one party as ${crowded}, here are ${byRole.get(crowded)?.length}`
  for (const condition of archetype.where) {
    const [left = '', operator, right = ''] = condition.split(' ')
    const some = byRole.get(left)
    const others = byRole.get(right)
    if (some === undefined || others === undefined)
      return `"${condition}" of ${archetype.name} cannot be checked here: the parties of a chain are its data, infrastructure and recipient`
    const shared = some.filter((peer) => others.includes(peer))
    const met =
      operator === '=='
        ? shared.length === some.length && shared.length === others.length
        : operator === '!=' && shared.length === 0
    if (!met) return `${archetype.name} wants ${condition}, and these parties are not so`
  }
  return undefined
}
