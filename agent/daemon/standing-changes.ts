import { toError } from '../../protocol/errors/index.ts'
import type { Agreements } from '../agreements/index.ts'
import type { Members } from '../membership/index.ts'
import type { Exchanges, Logger } from '../negotiation/index.ts'
import type { Policies } from '../policies/index.ts'

/** Whatever changes that decisions rest on, what runs is asked about again. Time, which changes too, is seen to every second. */
export function followStanding({
  members,
  agreements,
  policies,
  exchanges,
  log
}: {
  members: Members
  agreements: Agreements
  policies: Policies
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
  policies.onChange(() => exchanges.reconsider())
}
