import { toError } from '../../protocol/errors/index.ts'
import type { Agreements } from '../agreements/index.ts'
import type { Members } from '../membership/index.ts'
import type { Exchanges, Logger } from '../negotiation/index.ts'

/**
 * When an agreement or a membership changes that decisions rest on, what runs is asked about again. Rules are the policy desk's;
 * time, which changes too, is seen to every second.
 */
export function followStanding({
  members,
  agreements,
  exchanges,
  log
}: {
  members: Members
  agreements: Agreements
  exchanges: Exchanges
  log: Logger
}): void {
  agreements.onEnded(() => exchanges.reconsider())
  members.onChange((change) => {
    if (change.kind === 'status')
      void agreements
        .judgeSigners()
        .catch((error: unknown) => log.error({ err: toError(error) }, 'signatures could not be judged again'))
    exchanges.reconsider()
  })
}
