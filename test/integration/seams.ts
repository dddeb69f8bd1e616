import type { AgentSeams } from '../../agent/daemon/index.ts'

type Clock = NonNullable<AgentSeams['clock']>

/** Real time, which a test can move ahead: what is due by then is done at once. */
export class MovedClock implements Clock {
  #ahead = 0
  readonly #timers = new Set<{ due: number; run: () => void }>()

  now(): number {
    return Date.now() + this.#ahead
  }

  after(milliseconds: number, run: () => void): () => void {
    const entry = { due: this.now() + milliseconds, run: (): void => undefined }
    const timer = setTimeout(() => entry.run(), Math.min(Math.max(0, milliseconds), 2 ** 31 - 1))
    timer.unref()
    const cancel = () => {
      clearTimeout(timer)
      this.#timers.delete(entry)
    }
    entry.run = () => {
      cancel()
      run()
    }
    this.#timers.add(entry)
    return cancel
  }

  move(milliseconds: number): void {
    this.#ahead += milliseconds
    const due = [...this.#timers]
      .filter((one) => one.due <= this.now())
      .sort((one, other) => one.due - other.due)
    for (const one of due) if (this.#timers.has(one)) one.run()
  }
}

/** A flow in the middle of which a test can stop the world: it was taken, and no part of it has moved yet. */
export class HeldFlow {
  #reached = Promise.withResolvers<void>()
  #released = Promise.withResolvers<void>()
  #holds = false

  readonly beforePart = async (): Promise<void> => {
    if (!this.#holds) return
    this.#reached.resolve()
    await this.#released.promise
  }

  /** Holds what is sent from now on. */
  hold(): void {
    this.#reached = Promise.withResolvers<void>()
    this.#released = Promise.withResolvers<void>()
    this.#holds = true
  }

  async reached(): Promise<void> {
    await this.#reached.promise
  }

  release(): void {
    this.#holds = false
    this.#released.resolve()
  }
}
