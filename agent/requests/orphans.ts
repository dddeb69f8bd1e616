import { FINAL_STATUS, type RequestView, requestView } from '../api/index.ts'
import { machineOf } from '../negotiation/index.ts'
import type { Store, StoredExchange } from '../store/index.ts'
import type { ResultFiles } from './results.ts'
import { viewResult } from './view.ts'

interface OrphanComponents {
  store: Pick<Store, 'requests' | 'exchanges'>
  results: Pick<ResultFiles, 'read'>
  clock: { now(): number }
  /** Whether an exchange goes on with this request and will end it. */
  goesOn(request: string): boolean
}

/**
 * Ends requests that no exchange will end any more: the agent went down between taking one up and asking, or between an
 * outcome and its being written into the request. Whoever waits for it, or repeats its Idempotency-Key, hears how it ended.
 */
export async function closeOrphans({ store, results, clock, goesOn }: OrphanComponents): Promise<void> {
  for (const { id, view: stored } of await store.requests.unfinished()) {
    if (goesOn(id)) continue
    const view = requestView.parse(stored)
    if (FINAL_STATUS.includes(view.status)) {
      await store.requests.update(id, { status: view.status, final: true, view, at: clock.now() })
      continue
    }
    const kept = hasCompleted(await store.exchanges.get(id, 'coordinator'))
      ? await results.read(id)
      : undefined
    const ended: RequestView =
      kept === undefined
        ? { ...view, status: 'failed', error: RESTARTED }
        : { ...view, status: 'completed', results: kept.map((result) => viewResult(result, null)) }
    await store.requests.update(id, { status: ended.status, final: true, view: ended, at: clock.now() })
  }
}

const RESTARTED = {
  code: 'restarted',
  hop: null,
  step: null,
  position: null,
  message: 'the agent was restarted before this request had ended; ask again'
}

function hasCompleted(stored: StoredExchange | undefined): boolean {
  if (stored === undefined) return false
  const { stage } = machineOf(stored)
  return stage.phase === 'ended' && stage.outcome.result === 'completed'
}
