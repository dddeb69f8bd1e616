import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { RouteContext } from '../context.ts'
import { byId, parseInput, shortText } from '../parse.ts'
import { notFound } from '../problem.ts'

/** Who is there and what they offer. */
export function networkRoutes(api: FastifyInstance, { operations }: RouteContext): void {
  api.get('/api/v1/peers', (request) => operations.peers(request.signal))

  api.get('/api/v1/members', () => operations.members())

  api.get('/api/v1/capabilities', (request) => operations.capability(undefined, request.signal))

  api.get('/api/v1/capabilities/:id', async (request) => {
    const { id } = parseInput(request.params, byId)
    const capability = await operations.capability(id, request.signal)
    if (capability === undefined) throw notFound('such agent')
    return capability
  })

  api.get('/api/v1/datasets', (request) => {
    const { find } = parseInput(request.query, z.object({ find: shortText.optional() }))
    return operations.datasets(find, request.signal)
  })

  api.get('/api/v1/datasets/:id', async (request) => {
    const { id } = parseInput(request.params, byId)
    const dataset = await operations.dataset(id, request.signal)
    if (dataset === undefined) throw notFound('such dataset')
    return dataset
  })
}
