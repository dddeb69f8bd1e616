import { DynamosError } from '../../protocol/errors/index.ts'
import type { ShareFailure } from './ports.ts'

/** A share that could not be done. Its message may quote data and stays in the local log. */
export class ShareFailed extends DynamosError {
  static override readonly name = 'ShareFailed'

  constructor(
    readonly failure: ShareFailure,
    message: string,
    options?: ErrorOptions
  ) {
    super(failure.code, message, options)
  }
}
