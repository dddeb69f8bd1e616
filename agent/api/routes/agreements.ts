import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { agreementFiles as files, agreementText as text } from '../agreement-input.ts'
import { callerGone } from '../caller-gone.ts'
import type { RouteContext } from '../context.ts'
import { byId, parseInput, shortText, valueOfBody } from '../parse.ts'
import { notFound } from '../problem.ts'

/** Other organisations' agents have to sign too. */
const SIGN_TIMEOUT_MS = 60_000
const withText = z.strictObject({ text, files: files.exactOptional() })
const toSign = z
  .strictObject({
    text: text.exactOptional(),
    files: files.exactOptional(),
    signed: z
      .base64()
      .max(2 << 20)
      .exactOptional(),
    name: shortText.exactOptional()
  })
  .refine(
    ({ text, signed, name }) => [text, signed, name].filter((one) => one !== undefined).length === 1,
    'expected one of "text", the agreement file, "signed", the bytes a steward signed in base64, and "name", of a proposal that waits'
  )

/** An agreement file may be sent as it is (YAML), or inside JSON as `text`. */
function textOf(body: unknown): z.output<typeof withText> {
  return parseInput(typeof body === 'string' ? { text: body } : body, withText)
}

const reasonError = 'expected a reason of 1 to 1000 characters: the other parties read it'
const reason = z.string(reasonError).trim().min(1, reasonError).max(1000, reasonError)
const withReason = z.strictObject({ reason })
const toRevoke = z
  .strictObject({
    reason: reason.exactOptional(),
    signed: z
      .base64()
      .max(1 << 16)
      .exactOptional()
  })
  .refine(
    (body) => (body.reason === undefined) !== (body.signed === undefined),
    'expected either "reason", or "signed", the bytes a steward signed in base64'
  )
const toPropose = withText.extend({ counters: z.string().min(1).max(128).exactOptional() })
const against = z.object({ with: z.string().min(1).max(128).exactOptional() })

function lifeRoutes(api: FastifyInstance, { operations, needs }: RouteContext): void {
  api.post('/api/v1/agreements/propose', { handlerTimeout: SIGN_TIMEOUT_MS }, (request, reply) => {
    needs(request, 'steward', 'propose an agreement')
    const input = typeof request.body === 'string' ? { text: request.body } : valueOfBody(request.body)
    return operations.proposeAgreement(parseInput(input, toPropose), callerGone(reply))
  })

  api.get('/api/v1/agreements/:id/diff', (request) => {
    const { id } = parseInput(request.params, byId)
    return operations.agreementDiff(id, parseInput(request.query, against).with)
  })

  api.get('/api/v1/agreements/:id/to-sign', (request) =>
    operations.agreementToSign(parseInput(request.params, byId).id)
  )

  api.post('/api/v1/agreements/:id/refuse', { handlerTimeout: SIGN_TIMEOUT_MS }, (request, reply) => {
    needs(request, 'steward', 'refuse an agreement')
    const { id } = parseInput(request.params, byId)
    const { reason } = parseInput(valueOfBody(request.body), withReason)
    return operations.refuseAgreement(id, reason, callerGone(reply))
  })

  api.post('/api/v1/agreements/:id/prepare-revocation', (request) => {
    const { id } = parseInput(request.params, byId)
    return operations.prepareRevocation(id, parseInput(valueOfBody(request.body), withReason).reason)
  })

  api.post('/api/v1/agreements/:id/revoke', { handlerTimeout: SIGN_TIMEOUT_MS }, (request, reply) => {
    needs(request, 'steward', 'revoke an agreement')
    const { id } = parseInput(request.params, byId)
    return operations.revokeAgreement(id, parseInput(valueOfBody(request.body), toRevoke), callerGone(reply))
  })
}

export function agreementRoutes(api: FastifyInstance, context: RouteContext): void {
  const { operations, needs } = context
  lifeRoutes(api, context)

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
    needs(request, 'steward', 'sign an agreement')
    const input = typeof request.body === 'string' ? { text: request.body } : valueOfBody(request.body)
    return operations.signAgreement(parseInput(input, toSign), callerGone(reply))
  })
}
