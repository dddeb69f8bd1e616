import type { FastifyRequest } from 'fastify'
import type { Caller } from './caller.ts'
import type { Operations } from './operations.ts'
import type { Role } from './roles.ts'

/** What the routes need. */
export interface RouteContext {
  operations: Operations
  /** Who calls; every route but /health has verified a token before. */
  callerOf(request: FastifyRequest): Caller
  /** @throws {ApiProblem} 403 when who calls has none of these roles */
  needs(request: FastifyRequest, role: Role | readonly Role[], what: string): void
}
