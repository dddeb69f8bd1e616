import { DynamosError, toError } from '../../protocol/errors/index.ts'
import type { EndCode } from '../../protocol/negotiation/index.ts'
import { objectionTo } from './deciding.ts'
import type { Dossier } from './dossier.ts'
import type { ExchangePorts, Objection, ShareFailure, ShareGate } from './ports.ts'
import { ShareFailed, StoppedByPolicy } from './share-failed.ts'

interface ShareEnds {
  done(contract: string): void
  failed(contract: string, failure: ShareFailure): void
  /** Policy did not let it go on. */
  objects(contract: string, objection: Objection): void
  /** Output is about to leave. @returns whether the share may still go on */
  leaving(contract: string): Promise<boolean>
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

  /** @param code why, where it is more than that somebody wants it no longer */
  stop(contract: string, code: EndCode = 'cancelled'): void {
    this.#stops.get(contract)?.abort(new DynamosError(code, 'the exchange was stopped'))
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
      await shares.run(this.#dossier, contract, signal, this.#gate(contract, signal))
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
      if (error instanceof StoppedByPolicy) this.#ends.objects(contract, error.objection)
      else this.#ends.failed(contract, failure)
    }
  }

  #gate(contract: string, signal: AbortSignal): ShareGate {
    return {
      leaving: async () => {
        if (await this.#ends.leaving(contract)) return
        const failure = { hop: this.#ports.self, code: 'cancelled' as const, step: null, position: null }
        throw new ShareFailed(failure, 'the exchange was stopped before anything left')
      },
      mayContinue: async () => {
        signal.throwIfAborted()
        const objection = await objectionTo('continue', this.#dossier, contract, this.#ports)
        if (objection !== null) throw new StoppedByPolicy(objection)
      }
    }
  }

  async #record(contract: string, status: 'done' | 'failed'): Promise<void> {
    const { store, clock } = this.#ports
    for (const { step, round } of await store.work.of(contract))
      await store.work.end(contract, step, round, status, clock.now())
  }
}
