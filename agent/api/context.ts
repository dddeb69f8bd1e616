import type { FastifyRequest } from 'fastify'
import type { Caller, Operations } from './operations.ts'

/** What the routes need. */
export interface RouteContext {
  operations: Operations
  /** Who calls; every route but /health has verified a token before. */
  callerOf(request: FastifyRequest): Caller
}
