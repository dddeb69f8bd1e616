import type { Clock } from './ports.ts'

/** A clock whose timers do nothing any more once `over` says so: an agent that has stopped has no store to act on. */
export function stoppingClock(clock: Clock, over: () => boolean): Clock {
  return {
    now: () => clock.now(),
    after: (milliseconds, run) =>
      clock.after(milliseconds, () => {
        if (!over()) run()
      })
  }
}
