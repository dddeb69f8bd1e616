import { type ResultView, requestView } from '../api/index.ts'
import type { HeldContract } from '../negotiation/index.ts'
import type { Store } from '../store/index.ts'

/**
 * Whose groups are not in a result, because too few units are in them or because of what left before.
 *
 * @param from organisations whose data it was made of
 */
export function suppressedOf(from: readonly string[], held: HeldContract | null): ResultView['suppressed'] {
  const groups = new Map<string, number>()
  for (const { payload } of held?.receipts.values() ?? []) {
    const { organisation, suppressed = 0 } = payload
    if (suppressed === 0 || !from.includes(organisation)) continue
    groups.set(organisation, (groups.get(organisation) ?? 0) + suppressed)
  }
  return [...groups].sort().map(([provider, count]) => ({ provider, groups: count }))
}

/** The same of a result that was stored, as the request's answer says. */
export function suppressedIn(
  store: Pick<Store, 'requests'>
): (request: string, index: number) => Promise<ResultView['suppressed']> {
  return async (request, index) => {
    const stored = await store.requests.get(request)
    const view = stored === undefined ? undefined : requestView.safeParse(stored.view).data
    return view?.results?.[index]?.suppressed ?? []
  }
}
