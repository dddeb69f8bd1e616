import { FAILURE_CODES, REFUSAL_CODES } from '../../protocol/documents/index.ts'
import { codeOf, DynamosError, hasCode, toError } from '../../protocol/errors/index.ts'
import { ConfigInvalid } from '../config/index.ts'
import type { Problem } from './views.ts'

/** An answer that is not 2xx, decided by the API itself or by an operation that knows which one fits. */
export class ApiProblem extends DynamosError {
  static override readonly name = 'ApiProblem'
  readonly status: number
  constructor(status: number, code: string, message: string, options?: ErrorOptions) {
    super(code, message, options)
    this.status = status
  }
}

export const notFound = (what: string) =>
  new ApiProblem(404, 'not-found', `there is no ${what} here; list what there is and take its id`)

/** Something of that name, or that key, is there already and is not the same. */
export const conflict = (code: string, message: string) => new ApiProblem(409, code, message)

const STATUS: Readonly<Record<string, number>> = {
  'config-invalid': 400,
  'malformed-document': 400,
  'agreement-malformed': 400,
  'policy-malformed': 400,
  'bad-signature': 400,
  'not-an-approver': 403,
  'not-found': 404,
  'dataset-unknown': 404,
  'audit-too-old': 409,
  'already-ended': 409,
  'agreement-ambiguous': 409,
  'not-asked-here': 409,
  'request-replayed': 409,
  'rate-limited': 429,
  'quota-exceeded': 429,
  'peer-unreachable': 502,
  'peer-silent': 502,
  busy: 503,
  'log-broken': 503,
  'shutting-down': 503,
  'sandbox-unavailable': 503,
  cancelled: 503,
  timeout: 504,
  'job-timeout': 504,
  'storage-full': 507,
  'disk-limit': 507,
  'memory-limit': 507
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'The request is not as expected',
  401: 'A token is needed',
  403: 'Not yours to decide',
  404: 'Not found',
  406: 'No such format',
  408: 'The request came too slowly',
  409: 'In conflict with what is here',
  413: 'Too large',
  415: 'Media type not supported',
  421: 'Not this agent',
  422: 'Refused',
  429: 'Too often',
  500: 'The agent failed',
  502: 'Another agent did not answer',
  503: 'Not at the moment',
  504: 'Took too long',
  507: 'No space left'
}

/** What an operation may say to its own user. Anything without a published code stays in the log. */
const OPEN_CODES: readonly string[] = [...REFUSAL_CODES, ...FAILURE_CODES, ...Object.keys(STATUS)]

/** The HTTP framework's own errors carry a status; only 4xx are the caller's doing. */
function frameworkStatus(error: Error): number | undefined {
  if (!('statusCode' in error) || typeof error.statusCode !== 'number') return undefined
  return error.statusCode >= 400 && error.statusCode < 500 ? error.statusCode : undefined
}

function frameworkCode(status: number): string {
  return { 413: 'body-too-large', 415: 'media-type-not-supported' }[status] ?? 'bad-request'
}

function make(status: number, code: string, detail: string, extra: Partial<Problem> = {}): Problem {
  return {
    type: `urn:dynamos:error:${code}`,
    title: TITLES[status] ?? 'Error',
    status,
    detail,
    code,
    ...extra
  }
}

/** RFC 9457 for anything that was thrown; the unexpected is not described to the caller. */
export function problemOf(thrown: unknown): Problem {
  const error = toError(thrown)
  if (error instanceof ApiProblem) return make(error.status, error.code, error.message)
  if (error instanceof ConfigInvalid)
    return make(400, error.code, error.message, { problems: [...error.problems] })
  if (hasCode(error, 'FST_ERR_HANDLER_TIMEOUT'))
    return make(504, 'timeout', 'the agent did not answer in time; ask again, or ask for less')
  const framework = frameworkStatus(error)
  if (framework !== undefined) return make(framework, frameworkCode(framework), error.message)
  const code = codeOf(error)
  const published = OPEN_CODES.includes(code)
  const status = STATUS[code] ?? (published && code !== 'internal' ? 422 : 500)
  if (error instanceof DynamosError && code !== 'internal') return make(status, code, error.message)
  if (status === 500)
    return make(500, 'internal', "the agent failed; its log says more under this request's id")
  return make(status, code, status === 504 ? 'it took too long' : 'it was stopped before it was done')
}
