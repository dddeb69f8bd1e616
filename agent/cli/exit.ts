import { REFUSAL_CODES } from '../../protocol/documents/codes.ts'
import { codeOf as codeOfOwn, DynamosError, toError } from '../../protocol/errors/index.ts'
import type { RequestStatus } from '../api/index.ts'

/** What programs rely on. */
export const EXIT = { done: 0, usage: 2, refused: 3, failed: 4, timedOut: 5 } as const

/** The command line, or a file it names, is not as expected. */
export class UsageError extends DynamosError {
  static override readonly name = 'UsageError'
  constructor(message: string, options?: ErrorOptions) {
    super('usage', message, options)
  }
}

/** The work was done and its outcome was told; only the exit code is left to set. */
export function exitOfStatus(status: RequestStatus): number {
  if (status === 'refused') return EXIT.refused
  if (status === 'timed-out') return EXIT.timedOut
  return status === 'failed' || status === 'cancelled' ? EXIT.failed : EXIT.done
}

const USAGE_CODES: readonly string[] = [
  'usage',
  'config-invalid',
  'malformed-document',
  'agreement-malformed',
  'bad-request',
  'body-too-large',
  'policy-malformed',
  'predicate-invalid'
]
const REFUSALS: readonly string[] = REFUSAL_CODES

/** Refusal codes that are about this machine or this moment, not about what was asked. */
const NOT_REFUSALS: readonly string[] = ['shutting-down', 'storage-full', 'log-broken']

/** Our codes are lower case with dashes, the platform's (ENOENT, ERR_…) are not. */
const OWN_CODE = /^[a-z]+(-[a-z]+)*$/

/**
 * The code of anything thrown. Handlers are loaded later than this module, in whatever way the program was put together, so
 * an error of ours is known by its code and not by its class.
 */
export function codeOf(thrown: unknown): string {
  const error = toError(thrown)
  const own = 'code' in error && typeof error.code === 'string' && OWN_CODE.test(error.code)
  return own ? String(error.code) : codeOfOwn(error)
}

/** The exit code of anything thrown. */
export function exitOf(thrown: unknown): number {
  const code = codeOf(thrown)
  if (USAGE_CODES.includes(code)) return EXIT.usage
  if (code === 'timeout') return EXIT.timedOut
  if (REFUSALS.includes(code) && !NOT_REFUSALS.includes(code)) return EXIT.refused
  return EXIT.failed
}

/** What happened and what to do; a stack trace only for those who ask for one. */
export function explainError(thrown: unknown, debug: boolean): string {
  const error = toError(thrown)
  if (debug) return error.stack ?? error.message
  if (codeOf(error) !== 'internal') return error.message
  return `${error.message} (DEBUG=1 shows where)`
}
