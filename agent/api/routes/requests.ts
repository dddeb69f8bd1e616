import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { parseSubmission, submissionFileOf } from '../../config/index.ts'
import { callerGone } from '../caller-gone.ts'
import type { RouteContext } from '../context.ts'
import { lastEventId, writeEvents } from '../event-stream.ts'
import { byId, idempotencyKey, parseInput } from '../parse.ts'
import { ApiProblem, notFound } from '../problem.ts'
import { FINAL_STATUS } from '../views.ts'

/** A dry run waits for every hop's answer. */
const EXPLAIN_TIMEOUT_MS = 120_000
const explainFlag = z.object({ explain: z.enum(['true', 'false', '1', '0', '']).optional() })

/** JSON comes parsed and YAML as a text, whose lines an error can name. */
function submissionOf(request: FastifyRequest) {
  if (request.body === undefined || request.body === null)
    throw new ApiProblem(400, 'bad-request', 'expected a request as JSON or YAML in the body, found none')
  return parseSubmission(request.body)
}

function accepted(reply: FastifyReply, answer: { request: string; created: boolean }) {
  return reply
    .code(202)
    .header('location', `/api/v1/requests/${encodeURIComponent(answer.request)}`)
    .send(answer)
}

export function requestRoutes(api: FastifyInstance, { operations, callerOf }: RouteContext): void {
  const requestOf = async (request: FastifyRequest) => {
    const { id } = parseInput(request.params, byId)
    const view = await operations.request(id)
    if (view === undefined) throw notFound('such request')
    return view
  }

  const explain = (request: FastifyRequest, reply: FastifyReply) =>
    operations.explain(submissionOf(request), callerOf(request), callerGone(reply))

  api.post(
    '/api/v1/requests',
    { handlerTimeout: EXPLAIN_TIMEOUT_MS },
    async (request: FastifyRequest, reply: FastifyReply) => {
      const { explain: flag } = parseInput(request.query, explainFlag)
      if (flag !== undefined && flag !== 'false' && flag !== '0') return await explain(request, reply)
      const key = parseInput(request.headers['idempotency-key'], idempotencyKey)
      const answer = await operations.submit(
        submissionOf(request),
        callerOf(request),
        key === undefined ? {} : { idempotencyKey: key }
      )
      return accepted(reply, answer)
    }
  )

  api.post('/api/v1/requests/:id/rerun', async (request, reply) => {
    const { id } = parseInput(request.params, byId)
    const key = parseInput(request.headers['idempotency-key'], idempotencyKey)
    const answer = await operations.rerun(
      id,
      callerOf(request),
      key === undefined ? {} : { idempotencyKey: key }
    )
    if (answer === undefined) throw notFound('such request')
    return accepted(reply, answer)
  })

  api.post('/api/v1/explain', { handlerTimeout: EXPLAIN_TIMEOUT_MS }, explain)

  api.get('/api/v1/requests', () => operations.requests())

  api.get('/api/v1/requests/:id', requestOf)

  api.get('/api/v1/requests/:id/submission', async (request) => {
    const { id } = parseInput(request.params, byId)
    const submission = await operations.submission(id)
    if (submission === undefined) throw notFound('such request')
    return submissionFileOf(submission)
  })

  api.get('/api/v1/requests/:id/contract', async (request) => {
    const { request: id } = await requestOf(request)
    const contract = await operations.contract(id)
    if (contract === undefined) throw notFound('contract of that request')
    return contract
  })

  api.delete('/api/v1/requests/:id', async (request) => {
    const { id } = parseInput(request.params, byId)
    const view = await operations.cancel(id)
    if (view === undefined) throw notFound('such request')
    return view
  })

  api.get('/api/v1/requests/:id/events', async (request, reply) => {
    const { request: id, status } = await requestOf(request)
    const after = lastEventId(request.headers['last-event-id'])
    const stop = new AbortController()
    if (after >= 0 && FINAL_STATUS.includes(status)) {
      // 204 is how a browser's EventSource is told not to come back.
      let unseen = false
      for await (const event of operations.events(id, stop.signal)) unseen ||= event.sequence > after
      if (!unseen) return reply.code(204).send()
    }
    reply.hijack()
    reply.raw.once('close', () => stop.abort())
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-accel-buffering': 'no'
    })
    try {
      await writeEvents(operations.events(id, stop.signal), reply.raw, after, { signal: stop.signal })
    } catch (error) {
      if (!stop.signal.aborted) request.log.error({ err: error, request: id }, 'an event stream broke off')
      reply.raw.destroy()
    }
    return reply
  })
}
