import { MAX_EXPELLED } from '../../protocol/documents/index.ts'
import { DynamosError, instantText } from '../../protocol/errors/index.ts'

export class NotMember extends DynamosError {
  static override readonly name = 'NotMember'
  constructor(message: string, options?: ErrorOptions) {
    super('not-member', message, options)
  }
}

export class MembershipExpired extends DynamosError {
  static override readonly name = 'MembershipExpired'
  constructor(organisation: string, expires: number) {
    super(
      'membership-expired',
      `${organisation}: the membership ended ${instantText(expires)}; ask the authority to renew it`
    )
  }
}

export class Expelled extends DynamosError {
  static override readonly name = 'Expelled'
  constructor(peer: string, since: number) {
    super('expelled', `${peer} was expelled from the marketplace as of ${instantText(since)}`)
  }
}

export class StatusListFull extends DynamosError {
  static override readonly name = 'StatusListFull'
  constructor(keys: number) {
    super(
      'malformed-document',
      `expected a status list of at most ${MAX_EXPELLED} keys, found ${keys}; found a new marketplace and admit those who stay`
    )
  }
}

/** A signature that a holder of an authority key must not give. */
export class NotToBeSigned extends DynamosError {
  static override readonly name = 'NotToBeSigned'
  constructor(message: string) {
    super('malformed-document', message)
  }
}

/** The authority's clock, or this agent's, is wrong. */
export class FromTheFuture extends DynamosError {
  static override readonly name = 'FromTheFuture'
  constructor(what: string, issuedAt: number, now: number) {
    super(
      'clock-skew',
      `expected a ${what} of the past, found one of ${instantText(issuedAt)}, here it is ${instantText(now)}; set the clock that is wrong`
    )
  }
}

/** A file of the marketplace (charter, join request, membership package, authority's state) that is not what it should be. */
export class MembershipFileInvalid extends DynamosError {
  static override readonly name = 'MembershipFileInvalid'
  constructor(message: string, options?: ErrorOptions) {
    super('malformed-document', message, options)
  }
}
