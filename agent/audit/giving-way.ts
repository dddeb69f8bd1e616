import { setImmediate, setTimeout } from 'node:timers/promises'

/** A turn of others shorter than this may be the page that was read ahead. */
const NOTICED_MS = 2
/** How many times as long as others worked they are left alone: more work is then most likely to follow. */
const REST = 4
const MAX_REST_MS = 50

/**
 * Lets the rest of this process go first: while others work, work in the background takes a small part of the time, and all of
 * it while nobody else does.
 */
export function givingWay(): () => Promise<void> {
  return async () => {
    const asked = performance.now()
    await setImmediate()
    const others = performance.now() - asked
    if (others < NOTICED_MS) return
    await setTimeout(Math.min(REST * others, MAX_REST_MS))
  }
}
