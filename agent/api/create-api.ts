import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController
} from 'fastify'
import { type TokenVerifier, verifyBearer } from './bearer.ts'
import type { Caller } from './caller.ts'
import type { RouteContext } from './context.ts'
import { assertOwnHost } from './host-guard.ts'
import type { Operations } from './operations.ts'
import { notFound, problemOf } from './problem.ts'
import { assertRole, type Roles } from './roles.ts'
import { agreementRoutes } from './routes/agreements.ts'
import { approvalRoutes } from './routes/approvals.ts'
import { artifactRoutes } from './routes/artifacts.ts'
import { auditRoutes } from './routes/audit.ts'
import { marketplaceRoutes } from './routes/marketplace.ts'
import { networkRoutes } from './routes/network.ts'
import { policyRoutes } from './routes/policy.ts'
import { requestRoutes } from './routes/requests.ts'
import { resultRoutes } from './routes/results.ts'
import { standingRoutes } from './routes/standing.ts'

/** Requests and agreements are texts that people wrote. */
const BODY_LIMIT = 1 << 20
const HANDLER_TIMEOUT_MS = 30_000
/** For the whole of a request to arrive: a slow sender holds a connection no longer. */
const RECEIVE_TIMEOUT_MS = 30_000
const RETRY_AFTER_SECONDS = 5
const YAML_TYPES = ['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml']

export interface ApiInit {
  operations: Operations
  tokens: TokenVerifier & Roles
  logger: FastifyBaseLogger
  /** @default 127.0.0.1. On a loopback address only loopback names are taken as Host. */
  listensOn?: string
}

/**
 * The HTTP interface of one agent, not yet listening. All it does is to check who asks and what, to translate, and to
 * answer every error as `application/problem+json` (RFC 9457) with a stable `code`. There is no CORS: no page of another
 * origin is meant to talk to an agent.
 */
export function createApi({ operations, tokens, logger, listensOn = '127.0.0.1' }: ApiInit): FastifyInstance {
  const api = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: RECEIVE_TIMEOUT_MS,
    handlerTimeout: HANDLER_TIMEOUT_MS,
    forceCloseConnections: true,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    // A path that the router cannot take never comes to a route, nor to the handler of errors below.
    frameworkErrors: (error, request, reply) => answerProblem(error, request, reply),
    routerOptions: { maxParamLength: 256 }
  })
  const callers = new WeakMap<FastifyRequest, Caller>()
  const callerOf = (request: FastifyRequest): Caller => {
    const caller = callers.get(request)
    if (caller === undefined) throw new TypeError('a route without a verified caller')
    return caller
  }

  api.addContentTypeParser(YAML_TYPES, { parseAs: 'string' }, (_request, body, done) => done(null, body))

  api.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
    assertOwnHost(request.headers.host, listensOn)
    if (request.routeOptions.url === '/health') return
    callers.set(request, verifyBearer(request.headers.authorization, tokens))
  })

  api.setErrorHandler(answerProblem)
  api.setNotFoundHandler(() => {
    throw notFound('such page')
  })

  api.get('/health', () => operations.health())
  const context: RouteContext = {
    operations,
    callerOf,
    needs: (request, wanted, what) => assertRole(callerOf(request), tokens, { wanted, what })
  }
  requestRoutes(api, context)
  artifactRoutes(api, context)
  resultRoutes(api, context)
  networkRoutes(api, context)
  marketplaceRoutes(api, context)
  agreementRoutes(api, context)
  approvalRoutes(api, context)
  policyRoutes(api, context)
  auditRoutes(api, context)
  standingRoutes(api, context)
  return api
}

function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemOf(error)
  if (problem.status >= 500) request.log.error({ err: error, code: problem.code }, 'an API call failed')
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="dynamos"')
  if (problem.status === 429 || problem.status === 503) reply.header('retry-after', RETRY_AFTER_SECONDS)
  reply
    .code(problem.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify(problem))
}
