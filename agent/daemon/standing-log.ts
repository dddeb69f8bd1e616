import { codeOf, toError } from '../../protocol/errors/index.ts'
import { append, type LogEntry } from '../audit/index.ts'
import type { MembershipChange } from '../membership/index.ts'
import type { Foundations } from './foundations.ts'

type Components = Pick<Foundations, 'store' | 'clock' | 'log' | 'members' | 'self'>

const IDENTITY = 'logged-identity'

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
