import type { Logger } from 'pino'
import { codeOf, toError } from '../../protocol/errors/index.ts'
import type { Agreements } from '../agreements/index.ts'
import { forgetOld } from '../decisions/index.ts'
import type { Exchanges } from '../negotiation/index.ts'
import type { Clock, Network } from '../network/index.ts'
import type { Policies } from '../policies/index.ts'
import type { Store } from '../store/index.ts'

const SECOND = 1000
const PRUNE_EVERY_MS = 60 * SECOND

export interface UpkeepComponents {
  agreements: Agreements
  exchanges: Exchanges
  network: Network
  policies: Policies
  store: Store
  clock: Clock
  log: Logger
  /** Looks once more for what the network offers. */
  rememberDatasets(): Promise<void>
}

/** What an agent does again and again while it runs: delivers, ends, forgets and looks. */
export function keepUp(components: UpkeepComponents): { stop(): void } {
  const { agreements, exchanges, network, policies, store, clock, log, rememberDatasets } = components
  const deliver = (party?: string): void => {
    void agreements.proposals
      .deliver(party)
      .catch((error: unknown) =>
        log.warn({ code: codeOf(error), err: toError(error) }, 'what parties have to hear was not delivered')
      )
  }
  const prune = setInterval(() => {
    exchanges.prune()
    // A change of which the platform said nothing.
    void policies.reload()
    deliver()
    void forgetOld({ store, agreements, clock }).catch((error: unknown) =>
      log.warn({ code: codeOf(error), err: toError(error) }, 'what is over could not be forgotten')
    )
    void rememberDatasets().catch(() => undefined)
  }, PRUNE_EVERY_MS)
  prune.unref()
  const sweep = setInterval(() => {
    void agreements
      .sweep()
      .catch((error: unknown) =>
        log.warn({ code: codeOf(error), err: toError(error) }, 'an agreement that ended could not be ended')
      )
  }, SECOND)
  sweep.unref()
  network.on('peer:ready', ({ member }) => {
    void rememberDatasets().catch(() => undefined)
    deliver(member.organisation)
  })
  deliver()
  return {
    stop: () => {
      clearInterval(prune)
      clearInterval(sweep)
    }
  }
}
