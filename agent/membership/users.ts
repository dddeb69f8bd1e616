import type { Member } from './verify.ts'

/** How a membership covers a user: by the whole address, or by its domain. */
export function claimOn(member: Member | undefined, user: string): 'user' | 'domain' | undefined {
  const address = user.toLowerCase()
  const at = address.lastIndexOf('@')
  if (at <= 0) return undefined
  const claims = member?.speaksFor.map((one) => one.toLowerCase()) ?? []
  if (claims.includes(address)) return 'user'
  return claims.includes(address.slice(at + 1)) ? 'domain' : undefined
}

/** The one organisation that speaks for an address; a membership that lists the user goes before one that lists the domain. */
export function speakerFor(members: readonly Member[], user: string): string | undefined {
  const claims = members.map((member) => ({ member, claim: claimOn(member, user) }))
  for (const kind of ['user', 'domain'] as const) {
    const found = claims.filter(({ claim }) => claim === kind)
    if (found.length > 1) return undefined
    if (found[0] !== undefined) return found[0].member.organisation
  }
  return undefined
}
