import { DynamosError } from '../../protocol/errors/index.ts'
import type { JobErrorReport } from '../../services/index.ts'

/** The runner's own codes, and those of what happens to a job from outside. */
export type JobFailureCode =
  | JobErrorReport['code']
  | 'dataset-changed'
  | 'job-timeout'
  | 'job-killed'
  | 'job-cancelled'
  | 'sandbox-unavailable'

export interface JobFailedInit {
  /** Safe to send to the analyst: names only what the analyst may know, never a value. */
  hint?: string | undefined
  /** Character offset in the analyst's own text, from 0. */
  position?: number | undefined
  cause?: unknown
}

/** A job that gave no result. `localMessage` may quote data: it is for the local log and leaves the organisation never. */
export class JobFailed extends DynamosError {
  static override readonly name: string = 'JobFailed'
  override readonly code: JobFailureCode
  readonly localMessage: string
  readonly hint: string | undefined
  readonly position: number | undefined

  constructor(code: JobFailureCode, localMessage: string, init: JobFailedInit = {}) {
    super(code, init.hint ?? `the job failed: ${code}`, { cause: init.cause })
    this.code = code
    this.localMessage = localMessage
    this.hint = init.hint
    this.position = init.position
  }
}
