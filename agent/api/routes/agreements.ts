import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { callerGone } from '../caller-gone.ts'
import type { RouteContext } from '../context.ts'
import { byId, parseInput, valueOfBody } from '../parse.ts'
import { notFound } from '../problem.ts'

/** Other organisations' agents have to sign too. */
const SIGN_TIMEOUT_MS = 60_000
const text = z
  .string()
  .min(1)
  .max(1 << 20)
const withText = z.strictObject({ text })
const toSign = z
  .strictObject({
    text: text.exactOptional(),
    signed: z
      .base64()
      .max(2 << 20)
      .exactOptional()
  })
  .refine(
    (body) => (body.text === undefined) !== (body.signed === undefined),
    'expected either "text", the agreement file, or "signed", the bytes a steward signed in base64'
  )

/** An agreement file may be sent as it is (YAML), or inside JSON as `text`. */
function textOf(body: unknown): string {
  if (typeof body === 'string') return parseInput(body, text)
  return parseInput(body, withText).text
}

export function agreementRoutes(api: FastifyInstance, { operations }: RouteContext): void {
  api.get('/api/v1/agreements', () => operations.agreements())

  api.get('/api/v1/agreements/:id', async (request) => {
    const { id } = parseInput(request.params, byId)
    const agreement = await operations.agreement(id)
    if (agreement === undefined) throw notFound('such agreement')
    return agreement
  })

  api.post('/api/v1/agreements/check', (request) => operations.checkAgreement(textOf(request.body)))

  api.post('/api/v1/agreements/prepare', (request) => operations.prepareAgreement(textOf(request.body)))

  api.post('/api/v1/agreements', { handlerTimeout: SIGN_TIMEOUT_MS }, (request, reply) => {
    const input = typeof request.body === 'string' ? { text: request.body } : valueOfBody(request.body)
    return operations.signAgreement(parseInput(input, toSign), callerGone(reply))
  })
}
