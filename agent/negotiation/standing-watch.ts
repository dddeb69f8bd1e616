import { objectionTo } from './deciding.ts'
import type { Dossier } from './dossier.ts'
import type { ExchangePorts, Objection } from './ports.ts'

/** Some of what policy rests on changes by time alone: rules that read the hour, an agreement or a membership that runs out. */
const AT_LEAST_EVERY_MS = 1000

interface Watched {
  /** The contract under which something that this agent permitted still runs, here or at others. */
  running(): string | null
  /** Policy does not permit any more that it goes on. */
  objects(contract: string, objection: Objection): void
}

/**
 * Whether what runs may go on: asked at once when told that something has changed, and every second besides. One question at
 * a time; what changes meanwhile is asked about again.
 */
export class StandingWatch {
  readonly #dossier: Dossier
  readonly #ports: ExchangePorts
  readonly #watched: Watched
  #cancel: (() => void) | null = null
  #asking = false
  #stale = false

  constructor(dossier: Dossier, ports: ExchangePorts, watched: Watched) {
    this.#dossier = dossier
    this.#ports = ports
    this.#watched = watched
  }

  /** To be called after every change of the exchange. @param again what to do when a second is over */
  arm(again: () => void): void {
    if (this.#watched.running() === null) this.stop()
    else
      this.#cancel ??= this.#ports.clock.after(AT_LEAST_EVERY_MS, () => {
        this.#cancel = null
        again()
        this.arm(again)
      })
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = null
  }

  async ask(): Promise<void> {
    this.#stale = true
    if (this.#asking) return
    this.#asking = true
    try {
      while (this.#stale) {
        this.#stale = false
        const contract = this.#watched.running()
        if (contract === null) return
        const objection = await objectionTo('continue', this.#dossier, contract, this.#ports)
        if (objection !== null) this.#watched.objects(contract, objection)
      }
    } finally {
      this.#asking = false
    }
  }
}
