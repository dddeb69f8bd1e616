import { peerOfKeyFile } from '../../../../identity/index.ts'
import { type Check, type Found, inDays, isLacking, type Patient } from '../check.ts'

const SOON_MS = 14 * 86_400_000
const JOIN =
  'dynamos marketplace join CHARTER, send join-request.json to the authority, and then dynamos marketplace install FILE'
const renewed = (organisation: string): string =>
  `ask the authority (dynamos marketplace renew ${organisation}), and then dynamos marketplace install FILE`

/** What an agent believes of itself: as it runs, or else as its file says. */
interface Standing {
  name: string
  contact: string
  organisation: string
  standing: string | undefined
  agents: readonly string[]
  speaksFor: readonly string[]
  expires: number
}

function standingOf({ installed, running }: Patient): Standing | undefined {
  if (!isLacking(running)) {
    const { name, contact, membership } = running.marketplace
    return { name, contact, ...membership, expires: Date.parse(membership.expires) }
  }
  if (isLacking(installed)) return undefined
  const { charter, membership } = installed
  return { ...charter.payload, ...membership.payload, standing: undefined }
}

const REFUSED: Readonly<Record<string, string>> = {
  expelled: 'the authority expelled this agent’s key',
  'not-member': 'a newer membership of this organisation does not list this agent’s key'
}

function ofStanding({ standing, organisation, contact, expires }: Standing, now: number): Found[] {
  if (standing !== undefined && REFUSED[standing] !== undefined)
    return [
      {
        level: 'error',
        code: standing,
        message: REFUSED[standing],
        mend: `ask the authority${contact === '' ? '' : ` (${contact})`}; to come back: dynamos marketplace join CHARTER --new-key agent`
      }
    ]
  if (expires <= now)
    return [
      {
        level: 'error',
        code: 'membership-expired',
        message: `the membership of ${organisation} ended ${new Date(expires).toISOString()}`,
        mend: renewed(organisation)
      }
    ]
  if (expires - now < SOON_MS)
    return [
      {
        level: 'warning',
        code: 'membership-expired',
        message: `the membership of ${organisation} ends in ${inDays(expires - now)}`,
        mend: renewed(organisation)
      }
    ]
  return []
}

function isCovered(user: string, speaksFor: readonly string[]): boolean {
  const claims = speaksFor.map((one) => one.toLowerCase())
  const address = user.toLowerCase()
  return claims.includes(address) || claims.includes(address.slice(address.lastIndexOf('@') + 1))
}

/** Whether others believe this agent: member, current, with this key, for these users. */
export const membership: Check = {
  name: 'membership',
  look: async (patient) => {
    const { config, installed, now } = patient
    const own = standingOf(patient)
    if (own === undefined)
      return isLacking(installed) && !isLacking(config)
        ? [{ level: 'error', code: 'not-member', message: installed.message, mend: JOIN }]
        : []
    const found = ofStanding(own, now)
    if (!isLacking(config)) {
      const peer = await peerOfKeyFile(config.identity.key).then(
        (key) => key.peer,
        () => undefined
      )
      if (peer !== undefined && !own.agents.includes(peer))
        found.push({
          level: 'error',
          code: 'not-member',
          message: `the membership lists ${own.agents.join(', ')}, and the key in ${config.identity.key} is ${peer}`,
          mend: JOIN
        })
      if (config.organisation !== own.organisation)
        found.push({
          level: 'error',
          code: 'not-member',
          message: `agent.yaml says ${config.organisation}, the membership ${own.organisation}`,
          mend: `set organisation: ${own.organisation} in ${config.file}, or ${JOIN}`
        })
      const strangers = config.users.filter((user) => !isCovered(user, own.speaksFor))
      if (strangers.length > 0)
        found.push({
          level: 'error',
          code: 'consumer-not-permitted',
          message: `the membership does not speak for ${strangers.join(', ')}, whom agent.yaml lists: what they ask is refused`,
          mend: `dynamos marketplace join CHARTER --speaks-for ${strangers.join(',')}, and install what the authority answers`
        })
    }
    if (found.length > 0) return found
    return [
      {
        level: 'ok',
        message: `${own.organisation} is a member of ${own.name} until ${new Date(own.expires).toISOString()}`
      }
    ]
  }
}
