import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { RouteContext } from '../context.ts'
import { parseInput, shortText } from '../parse.ts'
import { ApiProblem, notFound } from '../problem.ts'

const byName = z.object({
  id: shortText,
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'expected a name such as graph.svg')
})

/** An SVG opened by itself is a document: it may style itself, and nothing else. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

/** Pictures of a request's results, each by the name that the answer lists. */
export function artifactRoutes(api: FastifyInstance, { operations }: RouteContext): void {
  api.get('/api/v1/requests/:id/artifacts/:name', async (request, reply) => {
    const { id, name } = parseInput(request.params, byName)
    const view = await operations.request(id)
    if (view === undefined) throw notFound('such request')
    const file = view.status === 'completed' ? await operations.artifact(view.request, name) : undefined
    if (file === undefined) {
      const known = view.artifacts.map((artifact) => artifact.name).join(', ')
      throw new ApiProblem(
        404,
        'not-found',
        `there is no such artifact; there is: ${known === '' ? 'none' : known}`
      )
    }
    const { size } = await stat(file.path)
    return reply
      .header('content-type', file.mediaType)
      .header('content-length', size)
      .header('content-disposition', `inline; filename="${name}"`)
      .header('content-security-policy', POLICY)
      .header('x-content-type-options', 'nosniff')
      .header('etag', `"${file.digest}"`)
      .send(createReadStream(file.path))
  })
}
