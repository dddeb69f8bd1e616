import { DynamosError, toError } from '../../protocol/errors/index.ts'
import type { Dossier } from './dossier.ts'
import type { ExchangePorts, ShareFailure } from './ports.ts'
import { ShareFailed } from './share-failed.ts'

interface ShareEnds {
  done(contract: string): void
  failed(contract: string, failure: ShareFailure): void
  /** Nothing runs any more under this contract. */
  over(): void
}

/** The shares of one request that run here. */
export class RunningShares {
  readonly #dossier: Dossier
  readonly #ports: ExchangePorts
  readonly #ends: ShareEnds
  readonly #stops = new Map<string, AbortController>()
  readonly #running = new Set<Promise<void>>()

  constructor(dossier: Dossier, ports: ExchangePorts, ends: ShareEnds) {
    this.#dossier = dossier
    this.#ports = ports
    this.#ends = ends
  }

  get size(): number {
    return this.#stops.size
  }

  has(contract: string): boolean {
    return this.#stops.has(contract)
  }

  start(contract: string): void {
    const stop = new AbortController()
    this.#stops.set(contract, stop)
    const running = this.#run(contract, stop.signal).finally(() => {
      this.#stops.delete(contract)
      this.#running.delete(running)
      this.#ends.over()
    })
    this.#running.add(running)
  }

  stop(contract: string): void {
    this.#stops.get(contract)?.abort(new DynamosError('cancelled', 'the exchange was stopped'))
  }

  stopAll(): void {
    for (const stop of this.#stops.values())
      stop.abort(new DynamosError('shutting-down', 'the agent is stopping'))
  }

  /** Resolves when none runs any more. */
  async ended(): Promise<void> {
    await Promise.all(this.#running)
  }

  async #run(contract: string, signal: AbortSignal): Promise<void> {
    const { shares, self, log } = this.#ports
    try {
      await shares.run(this.#dossier, contract, signal)
      await this.#record(contract, 'done')
      this.#ends.done(contract)
    } catch (error) {
      const failure =
        error instanceof ShareFailed
          ? error.failure
          : { hop: self, code: 'internal' as const, step: null, position: null }
      log.warn(
        { request: this.#dossier.request.id, contract, ...failure, err: toError(error) },
        'a share failed'
      )
      await this.#record(contract, 'failed').catch((cause: unknown) =>
        log.error({ contract, err: toError(cause) }, 'how a share ended could not be stored')
      )
      this.#ends.failed(contract, failure)
    }
  }

  async #record(contract: string, status: 'done' | 'failed'): Promise<void> {
    const { store, clock } = this.#ports
    for (const { step, round } of await store.work.of(contract))
      await store.work.end(contract, step, round, status, clock.now())
  }
}
