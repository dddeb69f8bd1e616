import type { Coordinator, Hop } from '../../protocol/negotiation/index.ts'
import type { Store } from '../store/index.ts'
import type { Machines } from './commit.ts'
import type { Dossier } from './dossier.ts'
import type { ExchangePorts } from './ports.ts'

/** Whether an exchange was this agent's under another key than it has now: nothing that it would sign counts any more. */
export function isOfFormerKey({ hop, coordinator }: Machines, self: string): boolean {
  return [hop, coordinator].some((machine) => machine !== null && machine.self !== self)
}

/**
 * Ends here what was promised under the key before. The others were told by the membership that lists the new key, and end their
 * own shares; what was reserved is free again, except for what was used.
 */
export async function endOfFormerKey(
  dossier: Dossier | undefined,
  request: string,
  { hop, coordinator }: Machines,
  { store, decisions, clock, log }: Pick<ExchangePorts, 'store' | 'decisions' | 'clock' | 'log'>
): Promise<void> {
  const held = hop?.reservations.filter(({ state }) => state === 'held') ?? []
  const spent = hop?.everStarted ?? false
  if (dossier !== undefined)
    for (const { contract } of held) await decisions.release(dossier, contract, spent)
  const now = clock.now()
  await put(store, request, hop === null ? null : released(hop, spent), now)
  await put(store, request, coordinator, now)
  log.warn({ request, code: 'restarted' }, 'an exchange of the key before this one is over')
}

function released(hop: Hop, spent: boolean): Hop {
  return {
    ...hop,
    reservations: hop.reservations.map((one) =>
      one.state === 'held' ? { ...one, state: spent ? 'spent' : 'returned' } : one
    )
  }
}

async function put(
  store: Store,
  request: string,
  machine: Hop | Coordinator | null,
  now: number
): Promise<void> {
  if (machine === null) return
  await store.exchanges.put({
    request,
    role: machine.machine,
    state: Buffer.from(JSON.stringify(machine)),
    updatedAt: now,
    ended: true
  })
}
