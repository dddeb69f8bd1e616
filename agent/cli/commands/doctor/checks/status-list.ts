import { type Check, type Found, inDays, isLacking, type Patient } from '../check.ts'

const SOON_MS = 2 * 86_400_000
const PUBLISH =
  'get a newer list from the authority (dynamos marketplace renew --status-only), and then dynamos marketplace publish status.json'

interface List {
  number: number
  holdsUntil: number
  conflicts: readonly { number: number; lists: readonly string[] }[]
}

function listOf({ running, installed }: Patient): List | undefined {
  if (!isLacking(running)) {
    const { number, holdsUntil, conflicts } = running.marketplace.status
    return { number, holdsUntil: Date.parse(holdsUntil), conflicts }
  }
  if (isLacking(installed)) return undefined
  const { number, issuedAt } = installed.status.payload
  return { number, holdsUntil: issuedAt + installed.charter.payload.statusMaxAge, conflicts: [] }
}

/** The list of expelled keys: an agent with an old one believes nobody. */
export const statusList: Check = {
  name: 'status list',
  look: (patient) => {
    const list = listOf(patient)
    if (list === undefined) return []
    const { number, holdsUntil, conflicts } = list
    const left = holdsUntil - patient.now
    const until = new Date(holdsUntil).toISOString()
    const found: Found[] = []
    if (left < 0)
      found.push({
        level: 'error',
        code: 'status-list-too-old',
        message: `list ${number} was good until ${until}; the agent refuses everything since`,
        mend: `connect to a member that has a newer one (bootstrap: in agent.yaml), or ${PUBLISH}`
      })
    else if (left < SOON_MS)
      found.push({
        level: 'warning',
        code: 'status-list-too-old',
        message: `list ${number} is good for ${inDays(left)} more`,
        mend: PUBLISH
      })
    else found.push({ level: 'ok', message: `number ${number}, good until ${until}` })
    for (const conflict of conflicts)
      found.push({
        level: 'warning',
        message: `the authorities signed several lists under number ${conflict.number}: ${conflict.lists.join(', ')}; all of them count`,
        mend: 'tell the authorities; a list with a higher number ends it: dynamos marketplace renew --status-only'
      })
    return found
  }
}
