import { codeOf, toError } from '../../protocol/errors/index.ts'
import type { Agreements } from '../agreements/index.ts'
import type { LogWatch } from '../audit/index.ts'
import { forgetOld } from '../decisions/index.ts'
import type { Exchanges, Logger } from '../negotiation/index.ts'
import type { Clock, Network } from '../network/index.ts'
import type { Store } from '../store/index.ts'
import { RefusalLog } from './refusal-log.ts'

const SECOND = 1000
const PRUNE_EVERY_MS = 60 * SECOND

/**
 * What an agent does by itself as time passes: forgets what is over, ends agreements whose time has come, and tells parties
 * what they have not heard yet, again whenever one of them is reached. It notes whom the network refused.
 */
export function keepHouse({
  network,
  agreements,
  exchanges,
  store,
  clock,
  log,
  watch,
  keep
}: {
  network: Network
  agreements: Agreements
  exchanges: Exchanges
  store: Store
  clock: Clock
  log: Logger
  watch: LogWatch
  keep: number
}): { stop(): void } {
  const warned = (message: string) => (error: unknown) =>
    log.warn({ code: codeOf(error), err: toError(error) }, message)
  const deliver = (party?: string): void =>
    void agreements.proposals.deliver(party).catch(warned('what parties have to hear was not delivered'))
  const prune = setInterval(() => {
    exchanges.prune()
    deliver()
    void watch.checkpoint().catch(warned('no checkpoint could be signed'))
    void forgetOld({ store, agreements, clock, keep }).catch(warned('what is over could not be forgotten'))
  }, PRUNE_EVERY_MS)
  const sweep = setInterval(
    () => void agreements.sweep().catch(warned('an agreement that ended could not be ended')),
    SECOND
  )
  for (const timer of [prune, sweep]) timer.unref()
  network.on('peer:ready', ({ member }) => {
    deliver(member.organisation)
  })
  const refusals = new RefusalLog({ store, clock, log })
  network.on('refused', refusals.note)
  deliver()
  return {
    stop: () => {
      network.off('refused', refusals.note)
      clearInterval(prune)
      clearInterval(sweep)
    }
  }
}
