import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { callerGone } from '../caller-gone.ts'
import type { RouteContext } from '../context.ts'
import { byId, parseInput, valueOfBody } from '../parse.ts'

/** A log of millions of entries is read. */
const VERIFY_TIMEOUT_MS = 170_000
const MAX_LISTED = 1000
const whole = z
  .string()
  .regex(/^\d{1,15}$/, 'expected a whole number')
  .transform(Number)
const listQuery = z.object({
  request: z.string().max(128).optional(),
  kind: z.string().max(64).optional(),
  before: whole.optional(),
  limit: whole.refine((value) => value >= 1 && value <= MAX_LISTED, `expected 1 to ${MAX_LISTED}`).optional()
})
const exportQuery = z.object({
  open: z
    .string()
    .max(65_536)
    .regex(
      /^(?:all|\d{1,15}(?:,\d{1,15})*)$/,
      'expected "all", or numbers of entries with commas between them'
    )
    .optional()
})
const accepting = z.strictObject({ reason: z.string().min(1).max(512) })

/** The agent's own log, and exports of it for auditors. */
export function auditRoutes(api: FastifyInstance, { operations, needs }: RouteContext): void {
  const { audit } = operations
  api.get('/api/v1/audit', (request) => {
    const { request: of, kind, before, limit = 100 } = parseInput(request.query, listQuery)
    return audit.list({
      limit,
      ...(of === undefined ? {} : { request: of }),
      ...(kind === undefined ? {} : { kind }),
      ...(before === undefined ? {} : { before })
    })
  })

  api.get('/api/v1/audit/proofs', async () => ({ proofs: await audit.proofs() }))

  api.post('/api/v1/audit/verify', { handlerTimeout: VERIFY_TIMEOUT_MS }, (_request, reply) =>
    audit.verify(callerGone(reply))
  )

  api.post('/api/v1/audit/accept-break', (request) => {
    needs(request, ['steward', 'operator'], 'accept a broken log')
    return audit.acceptBreak(parseInput(valueOfBody(request.body), accepting).reason)
  })

  api.get(
    '/api/v1/audit/requests/:id/export',
    { handlerTimeout: VERIFY_TIMEOUT_MS },
    async (request, reply) => {
      const { id } = parseInput(request.params, byId)
      const { open } = parseInput(request.query, exportQuery)
      const numbers =
        open === undefined ? [] : open === 'all' ? ('all' as const) : open.split(',').map(Number)
      const pieces = audit.export(id, numbers)[Symbol.asyncIterator]()
      // What is wrong with the request is found before the first piece: then there is still a status to say so.
      const first = await pieces.next()
      const body = async function* () {
        if (first.done !== true) yield first.value
        for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield next.value
      }
      return reply.type('application/vnd.dynamos.audit').send(Readable.from(body()))
    }
  )
}
