import { DynamosError } from '../../protocol/errors/index.ts'
import type { Objection, ShareFailure } from './ports.ts'

/** A share that could not be done. Its message may quote data and stays in the local log. */
export class ShareFailed extends DynamosError {
  static override readonly name: string = 'ShareFailed'

  constructor(
    readonly failure: ShareFailure,
    message: string,
    options?: ErrorOptions
  ) {
    super(failure.code, message, options)
  }
}

/** Policy did not let the share go on: no failure, but a verdict. */
export class StoppedByPolicy extends ShareFailed {
  static override readonly name = 'StoppedByPolicy'

  constructor(readonly objection: Objection) {
    const { hop, refusal } = objection
    super({ hop, code: refusal.code, step: null, position: null }, refusal.reason)
  }
}
