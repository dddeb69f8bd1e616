import { toError } from '../../protocol/errors/index.ts'
import type { Agreements } from '../agreements/index.ts'
import type { Datasets } from '../datasets/index.ts'
import { Disclosure } from '../decisions/index.ts'
import type { Discovery } from '../discovery/index.ts'
import type { Logger } from '../negotiation/index.ts'
import type { Policies } from '../policies/index.ts'
import type { CapabilityPublisher } from './capability.ts'
import type { Foundations } from './foundations.ts'

/**
 * Describes this agent anew when other rules decide who may know of what.
 *
 * @returns what does the same for any other reason
 */
export function tellOfChanges({
  policies,
  publisher,
  discovery,
  log
}: {
  policies: Policies
  publisher: CapabilityPublisher
  discovery: Discovery
  log: Logger
}): () => void {
  const tell = (): void => {
    publisher.changed()
    void discovery
      .announce()
      .catch((error: unknown) => log.warn({ err: toError(error) }, 'a change was not announced'))
  }
  let { policy } = policies.disclosure
  policies.onChange(() => {
    if (policy === policies.disclosure.policy) return
    policy = policies.disclosure.policy
    tell()
  })
  return tell
}

/** Who may know of which dataset, by the rules as they are when it is asked. */
export function openDisclosure(
  { self, policies, store, clock, log }: Foundations,
  { datasets, agreements, changed }: { datasets: Datasets; agreements: Agreements; changed: () => void }
): Disclosure {
  return new Disclosure({
    self,
    get rules() {
      return policies.disclosure
    },
    datasets,
    isParty: (dataset, party) =>
      agreements.inForce({ provider: self.organisation, dataset, party }).length > 0,
    store,
    clock,
    log,
    changed
  })
}
