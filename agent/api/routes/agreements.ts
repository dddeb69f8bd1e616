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
/** Characters; who reads an agreement says what is too long. */
const MAX_FILE = 256 * 1024
/** Hierarchy files that the text names, by the names it gives them. */
const files = z
  .record(z.string().min(1).max(256), z.string().max(MAX_FILE + 1))
  .refine((all) => Object.keys(all).length <= 16, 'expected at most 16 files')
const withText = z.strictObject({ text, files: files.exactOptional() })
const toSign = z
  .strictObject({
    text: text.exactOptional(),
    files: files.exactOptional(),
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
function textOf(body: unknown): z.output<typeof withText> {
  return parseInput(typeof body === 'string' ? { text: body } : body, withText)
}

export function agreementRoutes(api: FastifyInstance, { operations }: RouteContext): void {
  api.get('/api/v1/agreements', () => operations.agreements())

  api.get('/api/v1/agreements/:id', async (request) => {
    const { id } = parseInput(request.params, byId)
    const agreement = await operations.agreement(id)
    if (agreement === undefined) throw notFound('such agreement')
    return agreement
  })

  api.post('/api/v1/agreements/check', (request) => {
    const { text, files } = textOf(request.body)
    return operations.checkAgreement(text, files)
  })

  api.post('/api/v1/agreements/prepare', (request) => {
    const { text, files } = textOf(request.body)
    return operations.prepareAgreement(text, files)
  })

  api.post('/api/v1/agreements', { handlerTimeout: SIGN_TIMEOUT_MS }, (request, reply) => {
    const input = typeof request.body === 'string' ? { text: request.body } : valueOfBody(request.body)
    return operations.signAgreement(parseInput(input, toSign), callerGone(reply))
  })
}
