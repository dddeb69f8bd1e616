/**
 * How code inside a job fails: with a code, and a hint that may leave the organisation. Kept apart from the schemas of
 * `job/`, so that the runner starts without a validation library.
 */
import type { JobErrorReport } from '../job/index.ts'

export type FailureCode = JobErrorReport['code']

export interface FailureInit {
  /** Safe to show to the analyst: names only what the analyst may know, never a value. */
  hint?: string
  /** Character offset in the analyst's own text, from 0. */
  position?: number
  cause?: unknown
}

/** `message` may quote data and stays in the local log. */
export class Failure extends Error {
  static override readonly name = 'Failure'
  override readonly name = Failure.name
  readonly code: FailureCode
  readonly hint: string | undefined
  readonly position: number | undefined

  constructor(code: FailureCode, message: string, init: FailureInit = {}) {
    super(message, { cause: init.cause })
    this.code = code
    this.hint = init.hint
    this.position = init.position
  }

  report(): JobErrorReport {
    return {
      kind: 'error',
      code: this.code,
      message: this.message.slice(0, 8192),
      ...(this.position === undefined ? {} : { position: this.position }),
      ...(this.hint === undefined ? {} : { hint: this.hint.slice(0, 1024) })
    }
  }
}

export { nearest } from '../../protocol/errors/index.ts'
