import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { callerGone } from '../caller-gone.ts'
import type { RouteContext } from '../context.ts'
import { byId, parseInput, shortText } from '../parse.ts'
import { notFound } from '../problem.ts'

/** Who is there and what they offer. */
export function networkRoutes(api: FastifyInstance, { operations }: RouteContext): void {
  api.get('/api/v1/peers', (_request, reply) => operations.peers(callerGone(reply)))

  api.get('/api/v1/members', () => operations.members())

  api.get('/api/v1/capabilities', (_request, reply) => operations.capability(undefined, callerGone(reply)))

  api.get('/api/v1/capabilities/:id', async (request, reply) => {
    const { id } = parseInput(request.params, byId)
    const capability = await operations.capability(id, callerGone(reply))
    if (capability === undefined) throw notFound('such agent')
    return capability
  })

  api.get('/api/v1/datasets', (request, reply) => {
    const { find } = parseInput(request.query, z.object({ find: shortText.optional() }))
    return operations.datasets(find, callerGone(reply))
  })

  api.get('/api/v1/datasets/:id', async (request, reply) => {
    const { id } = parseInput(request.params, byId)
    const dataset = await operations.dataset(id, callerGone(reply))
    if (dataset === undefined) throw notFound('such dataset')
    return dataset
  })
}
