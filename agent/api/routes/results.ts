import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { formatFor, MEDIA_TYPES } from '../accept.ts'
import type { RouteContext } from '../context.ts'
import { byId, parseInput, shortText } from '../parse.ts'
import { ApiProblem, notFound } from '../problem.ts'
import { FINAL_STATUS } from '../views.ts'

/** What a request left for its people. */
export function resultRoutes(api: FastifyInstance, { operations }: RouteContext): void {
  api.get('/api/v1/requests/:id/result', async (request, reply) => {
    const { from } = parseInput(request.query, z.object({ from: shortText.optional() }))
    const format = formatFor(request.headers.accept)
    const { id } = parseInput(request.params, byId)
    const view = await operations.request(id)
    if (view === undefined) throw notFound('such request')
    if (view.status !== 'completed')
      throw new ApiProblem(
        409,
        FINAL_STATUS.includes(view.status) ? 'no-result' : 'not-finished',
        `expected a completed request, found ${view.status}; GET ${`/api/v1/requests/${view.request}`} says more`
      )
    const file = await operations.result(view.request, from === undefined ? { format } : { from, format })
    if (file === undefined) {
      const named = (view.results ?? []).map((result) => result.from.join('+')).join(', ')
      throw new ApiProblem(
        404,
        'not-found',
        `there is no such result; ?from= takes one of: ${named === '' ? 'none' : named}`
      )
    }
    const { size } = await stat(file.path)
    return reply
      .header('content-type', file.mediaType === '' ? MEDIA_TYPES[format] : file.mediaType)
      .header('content-length', size)
      .header('content-disposition', `attachment; filename="${basename(file.path).replaceAll('"', '')}"`)
      .send(createReadStream(file.path))
  })
}
