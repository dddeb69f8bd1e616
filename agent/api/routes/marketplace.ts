import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { RouteContext } from '../context.ts'
import { parseInput } from '../parse.ts'

const signed = z
  .string()
  .max(1 << 20)
  .regex(/^[A-Za-z0-9+/]*={0,2}$/, 'expected a signed document in base64')
  .exactOptional()

/** Where the agent stands in its marketplace, and the authority's documents for it: they prove themselves. */
export function marketplaceRoutes(api: FastifyInstance, { operations }: RouteContext): void {
  api.get('/api/v1/marketplace', () => operations.marketplace())

  api.post('/api/v1/marketplace', (request) =>
    operations.takeDocuments(parseInput(request.body, z.strictObject({ status: signed, membership: signed })))
  )
}
