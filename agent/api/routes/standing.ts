import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { agreementFiles, agreementText } from '../agreement-input.ts'
import { callerGone } from '../caller-gone.ts'
import type { RouteContext } from '../context.ts'
import { parseInput, shortText, valueOfBody } from '../parse.ts'

/** Other organisations' agents are asked. */
const ASK_TIMEOUT_MS = 60_000
const organisation = z.string().min(1).max(64)
const byName = z.object({ name: shortText })
const whose = z.object({ from: organisation.exactOptional() })
const toTake = z.strictObject({ name: shortText, from: organisation })
const withText = z.strictObject({ text: agreementText, files: agreementFiles.exactOptional() })
const toPublish = z
  .strictObject({
    text: agreementText.exactOptional(),
    files: agreementFiles.exactOptional(),
    signed: z
      .base64()
      .max(1 << 19)
      .exactOptional()
  })
  .refine(
    ({ text, signed }) => (text === undefined) !== (signed === undefined),
    'expected either "text", the file of the offer, or "signed", the bytes a steward signed in base64'
  )

/** Agreements without consumers, which members may take. */
export function standingRoutes(api: FastifyInstance, { operations, needs }: RouteContext): void {
  const { standing } = operations
  const timed = { handlerTimeout: ASK_TIMEOUT_MS }

  api.get('/api/v1/standing-offers', timed, (request, reply) =>
    standing.list(parseInput(request.query, whose).from, callerGone(reply))
  )

  api.get('/api/v1/standing-offers/:name', timed, (request, reply) =>
    standing.show(
      parseInput(request.params, byName).name,
      parseInput(request.query, whose).from,
      callerGone(reply)
    )
  )

  api.post('/api/v1/standing-offers/prepare', (request) => {
    const { text, files } = parseInput(valueOfBody(request.body), withText)
    return standing.prepare(text, files)
  })

  api.post('/api/v1/standing-offers', (request) => {
    needs(request, 'steward', 'publish a standing offer')
    return standing.publish(parseInput(valueOfBody(request.body), toPublish))
  })

  api.post('/api/v1/standing-offers/:name/withdraw', (request) => {
    needs(request, 'steward', 'withdraw a standing offer')
    return standing.withdraw(parseInput(request.params, byName).name)
  })

  api.post('/api/v1/standing-offers/prepare-taking', timed, (request, reply) => {
    const { name, from } = parseInput(valueOfBody(request.body), toTake)
    return standing.prepareTaking(name, from, callerGone(reply))
  })

  api.post('/api/v1/standing-offers/take', timed, (request, reply) => {
    needs(request, 'steward', 'take a standing offer')
    const { name, from } = parseInput(valueOfBody(request.body), toTake)
    return standing.take(name, from, callerGone(reply))
  })
}
