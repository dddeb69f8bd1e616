import { MAX_APPROVAL_MS, type Signed } from '../../protocol/documents/index.ts'
import { DynamosError, instantText } from '../../protocol/errors/index.ts'
import { MAX_CLOCK_SKEW_MS, type Members } from '../membership/index.ts'
import type { RequestGuard } from '../negotiation/index.ts'
import type { Store } from '../store/index.ts'

/** A request that is refused before anything is decided about it. */
export class RequestRefused extends DynamosError {
  static override readonly name = 'RequestRefused'
}

/** An exchange takes at most a day, and people who have to approve it as long as they may. */
const MAX_LIFETIME_MS = 86_400_000 + MAX_APPROVAL_MS

interface GuardComponents {
  members: Members
  store: Store
  clock: { now(): number }
}

/**
 * What a request says of itself, in the order of cost: marketplace, who speaks, when, for whom, and that it is new, or
 * the same again: an exchange that promised nothing is forgotten before its request is. Nonces are kept until the request has expired and the clocks agree about it.
 */
export function createRequestGuard({ members, store, clock }: GuardComponents): RequestGuard {
  return async (request: Signed<'request'>, from: string): Promise<void> => {
    const { marketplace, issuer, issuedAt, expires, organisation, user, nonce } = request.payload
    const now = clock.now()
    if (marketplace !== members.marketplace)
      throw new RequestRefused('not-member', 'the request is of another marketplace')
    if (issuer !== from)
      throw new RequestRefused('bad-signature', `expected a request of ${from}, found one of ${issuer}`)
    const member = members.memberOf(from)
    if (member === undefined || member.organisation !== organisation) {
      throw new RequestRefused('not-member', `${from} is not known here as an agent of ${organisation}`)
    }
    if (issuedAt - now > MAX_CLOCK_SKEW_MS) {
      throw new RequestRefused(
        'clock-skew',
        `issued at ${instantText(issuedAt)}, here it is ${instantText(now)}; set the clock`
      )
    }
    if (expires <= now) {
      throw new RequestRefused(
        'document-expired',
        `the request ended at ${instantText(expires)}, here it is ${instantText(now)}`
      )
    }
    if (expires - now > MAX_LIFETIME_MS + MAX_CLOCK_SKEW_MS) {
      throw new RequestRefused(
        'malformed-document',
        `expected a request that ends within 31 days, found one of ${expires - now} ms`
      )
    }
    if (user.organisation !== organisation || !members.speaksFor(organisation, user.name)) {
      throw new RequestRefused('consumer-not-permitted', `${organisation} does not speak for ${user.name}`)
    }
    if (!(await store.nonces.claim(issuer, nonce, request.id, expires + MAX_CLOCK_SKEW_MS))) {
      throw new RequestRefused('request-replayed', 'this nonce was used for another request')
    }
  }
}
