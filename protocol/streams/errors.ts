import { DynamosError } from '../errors/index.ts'

/** The peer answered with an error of its own; `code` is the peer's. */
export class PeerRefused extends DynamosError {
  static override readonly name = 'PeerRefused'
}

/** The stream ended before its end frame: nothing that came over it counts. */
export class StreamEndedEarly extends DynamosError {
  static override readonly name = 'StreamEndedEarly'
  constructor(message: string, options?: ErrorOptions) {
    super('flow-short', message, options)
  }
}

/** The other end sent nothing, or took nothing, for too long. */
export class StreamIdle extends DynamosError {
  static override readonly name = 'StreamIdle'
  constructor(message: string, options?: ErrorOptions) {
    super('peer-silent', message, options)
  }
}
