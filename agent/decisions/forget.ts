import type { Agreement } from '../agreements/index.ts'
import { GROUPS_KEPT_MS } from '../exchange/index.ts'
import type { DecisionsComponents } from './components.ts'

/** Long enough for an agreement to come whose window is longer than those of today. */
const QUOTA_KEPT_MS = 366 * 86_400_000
/** For whoever asks what was approved, and why not. */
const APPROVALS_KEPT_MS = 90 * 86_400_000

/** Removes what no decision rests on any more, and what decisions once rested on: nonces of requests that are over, uses of data outside every window. */
export async function forgetOld({
  store,
  agreements,
  clock,
  keep
}: Pick<DecisionsComponents, 'clock' | 'store'> & {
  agreements: { inForce(): readonly Pick<Agreement, 'payload'>[] }
  /** How long it is kept what decisions rested on, in milliseconds. */
  keep: number
}): Promise<void> {
  const now = clock.now()
  const windows = agreements.inForce().map(({ payload }) => payload.terms.limits?.per ?? 0)
  await store.nonces.prune(now)
  await store.openings.forgetBefore(now - keep)
  await store.peerPositions.forgetBefore(now - keep)
  await store.releasedGroups.prune(now - GROUPS_KEPT_MS)
  await store.approvals.prune(now - APPROVALS_KEPT_MS)
  await store.quota.prune(now - Math.max(QUOTA_KEPT_MS, ...windows))
}
