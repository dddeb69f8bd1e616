import { DynamosError, instantText } from '../../protocol/errors/index.ts'

/** The peer could not be reached, or the connection broke before it answered. */
export class PeerUnreachable extends DynamosError {
  static override readonly name = 'PeerUnreachable'
  constructor(message: string, options?: ErrorOptions) {
    super('peer-unreachable', message, options)
  }
}

/** The peer was reached and did not answer in time. */
export class PeerSilent extends DynamosError {
  static override readonly name = 'PeerSilent'
  constructor(message: string, options?: ErrorOptions) {
    super('peer-silent', message, options)
  }
}

export class RateLimited extends DynamosError {
  static override readonly name = 'RateLimited'
  constructor(message: string) {
    super('rate-limited', message)
  }
}

export class ClockSkew extends DynamosError {
  static override readonly name = 'ClockSkew'
  constructor(theirs: number, ours: number) {
    super(
      'clock-skew',
      `expected clocks at most 120 s apart, found ${instantText(theirs)} against ${instantText(ours)} here; set the clock`
    )
  }
}

/** A connection that is not (yet) a member's: nothing but hello runs on it. */
export class HelloMissing extends DynamosError {
  static override readonly name = 'HelloMissing'
  constructor(message: string) {
    super('not-member', message)
  }
}

export class CannotListen extends DynamosError {
  static override readonly name = 'CannotListen'
  constructor(addresses: readonly string[], options?: ErrorOptions) {
    super(
      'cannot-listen',
      `expected to listen on ${addresses.join(', ')}, found the port taken or the address not ours; change 'listen'`,
      options
    )
  }
}
