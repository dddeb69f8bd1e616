import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { formatFor } from '../accept.ts'
import { callerGone } from '../caller-gone.ts'
import type { RouteContext } from '../context.ts'
import type { ResultBody, ResultPage } from '../operations.ts'
import { byId, parseInput, shortText } from '../parse.ts'
import { ApiProblem, notFound } from '../problem.ts'
import { FINAL_STATUS, type RequestView } from '../views.ts'

/** Millions of rows are written as text before the first is sent; a client's own limit is often 5 minutes. */
const EXPORT_TIMEOUT_MS = 280_000
/** To say that it took too long. */
const ANSWER_MS = 10_000
const LARGEST_PAGE = 10_000
const USUAL_PAGE = 1000

const whole = (most: number, least: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'expected a whole number')
    .transform(Number)
    .refine((value) => value >= least && value <= most, `expected ${least} to ${most}`)

const resultQuery = z.object({
  from: shortText.optional(),
  offset: whole(Number.MAX_SAFE_INTEGER, 0).optional(),
  limit: whole(LARGEST_PAGE, 1).optional()
})

type ResultQuery = z.infer<typeof resultQuery>

function pageOf({ offset, limit }: ResultQuery): ResultPage | undefined {
  return offset === undefined && limit === undefined
    ? undefined
    : { offset: offset ?? 0, limit: limit ?? USUAL_PAGE }
}

function assertCompleted(view: RequestView): void {
  if (view.status === 'completed') return
  throw new ApiProblem(
    409,
    FINAL_STATUS.includes(view.status) ? 'no-result' : 'not-finished',
    `expected a completed request, found ${view.status}; GET ${`/api/v1/requests/${view.request}`} says more`
  )
}

/** Text, file, text, as one stream; the file is read as fast as the reader takes it. */
async function* contentOf({ before, path, after }: ResultBody): AsyncGenerator<Uint8Array> {
  if (before !== undefined) yield Buffer.from(before)
  if (path !== undefined) yield* createReadStream(path)
  if (after !== undefined) yield Buffer.from(after)
}

async function sizeOf({ before = '', path, after = '' }: ResultBody): Promise<number> {
  const size = path === undefined ? 0 : (await stat(path)).size
  return Buffer.byteLength(before) + size + Buffer.byteLength(after)
}

/** What a request left for its people. */
export function resultRoutes(api: FastifyInstance, { operations }: RouteContext): void {
  api.get(
    '/api/v1/requests/:id/result',
    { handlerTimeout: EXPORT_TIMEOUT_MS + ANSWER_MS },
    async (request, reply) => {
      const query = parseInput(request.query, resultQuery)
      const page = pageOf(query)
      const { from } = query
      const format = formatFor(request.headers.accept)
      const { id } = parseInput(request.params, byId)
      const view = await operations.request(id)
      if (view === undefined) throw notFound('such request')
      assertCompleted(view)
      const chosen = { ...(from === undefined ? {} : { from }), ...(page === undefined ? {} : { page }) }
      const gone = callerGone(reply)
      const signal = AbortSignal.any([gone, AbortSignal.timeout(EXPORT_TIMEOUT_MS)])
      const body = await operations
        .result(view.request, { ...chosen, format }, signal)
        .catch((error: unknown) => {
          if (!signal.aborted || gone.aborted) throw error
          throw new ApiProblem(
            504,
            'timeout',
            'the result was not written in time; ask for it in pages or as Parquet',
            { cause: error }
          )
        })
      if (body === undefined) {
        const named = (view.results ?? []).map((result) => result.from.join('+')).join(', ')
        throw new ApiProblem(
          404,
          'not-found',
          `there is no such result; ?from= takes one of: ${named === '' ? 'none' : named}`
        )
      }
      const release = (): void => {
        body.release?.().catch((error: unknown) => {
          request.log.warn({ err: error, request: id }, 'a result that was sent could not be removed')
        })
      }
      reply.raw.once('close', release)
      // Whoever hung up before that does not close again.
      if (reply.raw.closed) release()
      if (body.next !== undefined && page !== undefined) {
        const at = new URLSearchParams({
          ...(from === undefined ? {} : { from }),
          offset: String(body.next),
          limit: String(page.limit)
        })
        reply.header('link', `</api/v1/requests/${encodeURIComponent(id)}/result?${at}>; rel="next"`)
      }
      return reply
        .header('content-type', body.mediaType)
        .header('content-length', await sizeOf(body))
        .header('content-disposition', `attachment; filename="${body.name ?? `result.${format}`}"`)
        .send(Readable.from(contentOf(body), { objectMode: false }))
    }
  )
}
