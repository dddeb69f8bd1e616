import { toError } from '../../protocol/errors/index.ts'
import type { Discovery } from '../discovery/index.ts'
import type { Logger } from '../negotiation/index.ts'
import type { Policies } from '../policies/index.ts'
import type { CapabilityPublisher } from './capability.ts'

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
