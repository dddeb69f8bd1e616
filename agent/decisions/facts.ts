import type { WindowCount } from '../../policy/index.ts'
import type { Payload, Signed } from '../../protocol/documents/index.ts'
import type { Agreement } from '../agreements/index.ts'
import type { DecisionsComponents } from './components.ts'

/** What may permit a request here: nobody is answered by an agreement that the asker's organisation is no party to. */
export function agreementsFor(
  { agreements, self }: Pick<DecisionsComponents, 'agreements' | 'self'>,
  dataset: string,
  { user }: Pick<Payload<'request'>, 'user'>
): Agreement[] {
  return agreements.inForce({ provider: self.organisation, dataset, party: user.organisation })
}

/** Per agreement with a limit: how often this requester used its dataset within its window for other requests than this one. */
export async function requestsInWindow(
  components: Pick<DecisionsComponents, 'agreements' | 'store' | 'self' | 'clock'>,
  datasets: readonly string[],
  request: Signed<'request'>
): Promise<Record<string, WindowCount>> {
  const { store, clock } = components
  const now = clock.now()
  const counts: Record<string, WindowCount> = {}
  for (const dataset of new Set(datasets)) {
    const ofWindow = new Map<number, number>()
    for (const { id, payload } of agreementsFor(components, dataset, request.payload)) {
      const per = payload.terms.limits?.per
      if (per === undefined) continue
      const count =
        ofWindow.get(per) ??
        (await store.quota.count(dataset, requesterKey(request.payload), now - per, request.id))
      ofWindow.set(per, count)
      counts[id] = { count, freesAt: null }
    }
  }
  return counts
}

export function requesterKey(request: Payload<'request'>): string {
  return `${request.user.organisation}/${request.user.name}`
}

/**
 * Who could undo pseudonyms by trying values: data providers hold shares of the key, and a reader of the result, or of the
 * rows on their way, who is one too has key and pseudonyms. Said in every decision about it, so that policy can forbid it.
 */
export function pseudonymsOpenTo(
  holders: readonly string[],
  readers: readonly string[],
  self: string
): string[] {
  return [...new Set(readers)].filter((reader) => reader !== self && holders.includes(reader)).sort()
}

/** As it stands in the clauses of a decision. */
export function openClauses(openTo: readonly string[]): string[] {
  return openTo.map((organisation) => `pseudonyms-open-to: ${organisation}`)
}
