import { codeOf } from '../../protocol/errors/index.ts'
import type { Queued } from './advance.ts'
import { DISK_FULL } from './deciding.ts'
import type { Clock } from './ports.ts'

export const STORE_AGAIN_MS = 1000

/** What cannot be stored cannot be promised; how a share ended is known here alone, and said again until it is stored. */
export function fallBack(
  { machine, event }: Queued,
  error: unknown,
  clock: Clock,
  dispatch: (queued: Queued) => void
): void {
  if (machine !== 'hop') return
  if (event.type === 'share-done' || event.type === 'share-failed')
    clock.after(STORE_AGAIN_MS, () => dispatch({ machine, event: { ...event, now: clock.now() } }))
  else if (event.type === 'reserved' && event.refusal === null && codeOf(error) === 'storage-full')
    dispatch({ machine, event: { ...event, now: clock.now(), refusal: DISK_FULL } })
}
