import { codeOf, DynamosError, toError } from '../../protocol/errors/index.ts'
import { append, type LogEntry } from '../audit/index.ts'
import type { MembershipChange } from '../membership/index.ts'
import type { RequestGuard } from '../negotiation/index.ts'
import type { Foundations } from './foundations.ts'

type Components = Pick<Foundations, 'store' | 'clock' | 'log' | 'members' | 'self'>

const IDENTITY = 'logged-identity'
const WINDOW_MS = 60_000
/** Refusals that are logged in a minute: others could fill the disk with them. */
const MAX_REFUSALS = 60

/** Keeps in the log under which key this agent speaks, and every change of whom it trusts. */
export async function logStanding({ store, clock, log, members, self }: Components): Promise<void> {
  const { peer, organisation } = self
  if ((await store.settings.get(IDENTITY)) !== peer)
    await store.transaction(async (tx) => {
      await tx.settings.set(IDENTITY, peer)
      await append(tx, { time: clock.now(), kind: 'identity', fields: { peer, organisation } })
    })
  members.onChange((change) => {
    const entry: LogEntry = { time: clock.now(), kind: 'membership', fields: fieldsOf(change) }
    void store
      .transaction(async (tx) => await append(tx, entry))
      .catch((error: unknown) =>
        log.warn({ code: codeOf(error), err: toError(error) }, 'a change of memberships could not be logged')
      )
  })
}

const MAX_PEERS = 256

function fieldsOf(change: MembershipChange): Record<string, string | number | string[]> {
  switch (change.kind) {
    case 'member':
      return { about: change.kind, organisation: change.organisation }
    case 'dropped':
      return { about: change.kind, peers: change.peers.slice(0, MAX_PEERS), code: change.code }
    case 'status':
    case 'status-aged':
      return { about: change.kind, number: change.number }
  }
}

/** The same guard; what it refuses is in the log, each peer and code once in a minute. */
export function loggingRefusals(guard: RequestGuard, { store, clock, log }: Components): RequestGuard {
  let begun = 0
  const told = new Set<string>()
  const note = async (code: string, peer: string): Promise<void> => {
    const now = clock.now()
    if (now - begun >= WINDOW_MS) {
      begun = now
      told.clear()
    }
    const key = `${peer}/${code}`
    if (told.has(key) || told.size >= MAX_REFUSALS) return
    told.add(key)
    await store.transaction(
      async (tx) => await append(tx, { time: now, kind: 'refusal', fields: { code, peer } })
    )
  }
  return async (request, from) => {
    try {
      await guard(request, from)
    } catch (error) {
      if (error instanceof DynamosError)
        await note(error.code, from).catch((cause: unknown) =>
          log.warn({ code: codeOf(cause), err: toError(cause) }, 'a refusal could not be logged')
        )
      throw error
    }
  }
}
