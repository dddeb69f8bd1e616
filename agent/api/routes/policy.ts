import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { SCHEMA } from '../../../policy/index.ts'
import { parseSubmission } from '../../config/index.ts'
import { callerGone } from '../caller-gone.ts'
import type { RouteContext } from '../context.ts'
import { parseInput, valueOfBody } from '../parse.ts'

/** Years of requests are looked through. */
const SIMULATE_TIMEOUT_MS = 120_000
const text = z
  .string()
  .min(1)
  .max(1 << 20)
const file = z.strictObject({ file: z.string().min(1).max(256), text: z.string().max(1 << 20) })
const draft = z.strictObject({
  files: z.array(file).max(256).exactOptional(),
  agreement: z
    .strictObject({ text, files: z.record(z.string().min(1).max(256), z.string()).exactOptional() })
    .exactOptional()
})
const explaining = draft.extend({ request: text })
const simulating = draft
  .extend({ since: z.iso.datetime({ offset: true }).exactOptional() })
  .refine(
    (body) => body.files !== undefined || body.agreement !== undefined,
    'expected "files", the rules of a folder, or "agreement", its text'
  )

/** The organisation's own rules. */
export function policyRoutes(api: FastifyInstance, { operations, callerOf, needs }: RouteContext): void {
  const { policy } = operations
  api.get('/api/v1/policy', () => policy.status())

  api.get('/api/v1/policy/schema', () => ({ schema: SCHEMA }))

  api.post('/api/v1/policy/reload', (request) => {
    needs(request, ['steward', 'operator'], 'reload the policy')
    return policy.reload()
  })

  api.post('/api/v1/policy/lint', (request) =>
    policy.lint(parseInput(valueOfBody(request.body) ?? {}, draft))
  )

  api.post('/api/v1/policy/explain', (request) => {
    const { request: submission, ...drafted } = parseInput(valueOfBody(request.body), explaining)
    return policy.explain(parseSubmission(submission, 'request'), drafted, callerOf(request))
  })

  api.post('/api/v1/policy/simulate', { handlerTimeout: SIMULATE_TIMEOUT_MS }, (request, reply) => {
    const { since, ...drafted } = parseInput(valueOfBody(request.body), simulating)
    return policy.simulate(drafted, since === undefined ? 0 : Date.parse(since), callerGone(reply))
  })
}
