/** Time as a component. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Runs `action` once, later; what it returns cancels. Does not keep the process alive. */
  after(milliseconds: number, action: () => void): () => void
}

/** setTimeout fires at once beyond this. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  after(milliseconds, action) {
    const timer = setTimeout(action, Math.min(Math.max(milliseconds, 0), LONGEST_TIMER_MS))
    timer.unref()
    return () => clearTimeout(timer)
  }
}

/** Structured log; pino's loggers fit. Nothing a peer wrote goes into `message`. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }
