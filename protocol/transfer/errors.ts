import { FAILURE_CODES, type FailureCode, type RefusalCode } from '../documents/index.ts'
import { codeOf, DynamosError, isStorageFull, toError } from '../errors/index.ts'
import { StreamEndedEarly } from '../streams/index.ts'

/**
 * A transfer that is no success: `flow-short`, `flow-altered`, `flow-refused`, `output-too-large`, `storage-full`,
 * `timeout`, `cancelled` or `internal`. `remote`: the other end said so.
 */
export class FlowFailed extends DynamosError {
  static override readonly name: string = 'FlowFailed'
  declare readonly code: FailureCode
  readonly remote: boolean

  constructor(code: FailureCode, message: string, options: ErrorOptions & { remote?: boolean } = {}) {
    super(code, message, options)
    this.remote = options.remote ?? false
  }
}

/** The receiver does not take this flow; `reason` is its own code. */
export class FlowRefused extends FlowFailed {
  static override readonly name: string = 'FlowRefused'
  readonly reason: RefusalCode

  constructor(reason: RefusalCode, remote: boolean) {
    super('flow-refused', `expected the receiver to take the flow, found ${reason}`, { remote })
    this.reason = reason
  }
}

function isFailureCode(code: string): code is FailureCode {
  return FAILURE_CODES.some((known) => known === code)
}

/** Whatever ended a transfer, as the error of this room. */
export function asFlowFailed(thrown: unknown, signal: AbortSignal | undefined): FlowFailed {
  if (thrown instanceof FlowFailed) return thrown
  if (signal?.aborted === true) {
    return codeOf(signal.reason) === 'timeout'
      ? new FlowFailed('timeout', 'expected the transfer to end before its deadline', {
          cause: signal.reason
        })
      : new FlowFailed('cancelled', 'the transfer was cancelled', { cause: signal.reason })
  }
  const error = toError(thrown)
  if (isStorageFull(error))
    return new FlowFailed('storage-full', 'expected room for the part, found a full disk: free some space', {
      cause: error
    })
  if (error instanceof StreamEndedEarly)
    return new FlowFailed('flow-short', `expected a whole transfer: ${error.message}`, { cause: error })
  if (error instanceof DynamosError && isFailureCode(error.code))
    return new FlowFailed(error.code, error.message, { cause: error })
  return new FlowFailed('internal', `the transfer failed: ${error.message}`, { cause: error })
}
